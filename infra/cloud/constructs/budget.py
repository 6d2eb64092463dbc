"""The account's monthly budget."""

from typing import Any, Final

from aws_cdk import aws_budgets as budgets
from constructs import Construct

from infra.cloud.config import DeploymentConfig

ACTUAL_PERCENT: Final = (50, 80, 100)
FORECAST_PERCENT: Final = 100


class MonthlyBudget(Construct):
    """Reports what the whole account costs.

    Not only this deployment: a budget can be narrowed by a tag only after that was made a cost allocation tag by
    hand, and until then it would count nothing and say nothing.
    """

    def __init__(self, scope: Construct, config: DeploymentConfig, topic_arn: str) -> None:
        super().__init__(scope, "Budget")
        budgets.CfnBudget(
            self,
            "Budget",
            budget=budgets.CfnBudget.BudgetDataProperty(
                budget_name=f"{config.prefix}-monthly",
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=budgets.CfnBudget.SpendProperty(amount=config.monthly_budget_dollars, unit="USD"),
            ),
            notifications_with_subscribers=[
                *(_notification("ACTUAL", percent, topic_arn) for percent in ACTUAL_PERCENT),
                _notification("FORECASTED", FORECAST_PERCENT, topic_arn),
            ],
        )


def _notification(type_: str, percent: int, topic_arn: str) -> Any:
    return budgets.CfnBudget.NotificationWithSubscribersProperty(
        notification=budgets.CfnBudget.NotificationProperty(
            comparison_operator="GREATER_THAN",
            notification_type=type_,
            threshold=percent,
            threshold_type="PERCENTAGE",
        ),
        subscribers=[budgets.CfnBudget.SubscriberProperty(address=topic_arn, subscription_type="SNS")],
    )
