"""Plans: what there is to choose from, and an organization's choice."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from chatsphere.db.database import Connection
from chatsphere.errors import (
    FieldError,
    ForbiddenError,
    InvalidRequestError,
    PaymentRequiredError,
    SubscriptionActiveError,
)

ACTIVE_PLANS: Final = """
    SELECT name, description, price_microdollars, features FROM subscription_plans
    WHERE is_active ORDER BY id
"""

CHOOSE: Final = """
    UPDATE organizations SET plan_id = plan.id, updated_at = %(now)s
    FROM subscription_plans plan
    WHERE organizations.id = app.current_organization() AND plan.name = %(plan)s AND plan.is_active
    RETURNING organizations.id
"""
"""Put the tenant on an active plan; no row where there is no such plan."""

SUBSCRIBED: Final = """
    SELECT stripe_subscription_id IS NOT NULL AS subscribed FROM organizations
    WHERE id = app.current_organization() FOR NO KEY UPDATE
"""

SET_BUDGETS: Final = """
    UPDATE organizations
    SET monthly_budget_tokens = CASE WHEN %(tokens_given)s THEN %(tokens)s ELSE monthly_budget_tokens END,
        monthly_budget_microdollars =
            CASE WHEN %(microdollars_given)s THEN %(microdollars)s ELSE monthly_budget_microdollars END,
        updated_at = %(now)s
    WHERE id = app.current_organization()
"""


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan; a limit that `features` does not name is none. The price is in micro-dollars a month."""

    name: str
    description: str
    price_microdollars: int
    features: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sale:
    """How plans are sold: `free` is the one that needs no payment, `sold` those that a checkout begins."""

    free: str
    sold: Collection[str]


def active_plans(connection: Connection) -> Sequence[Plan]:
    """Return the plans that an organization may be on; no tenant is needed."""
    return [Plan(**row) for row in connection.execute(ACTIVE_PLANS)]


def choose_plan(connection: Connection, plan: str, sale: Sale | None, *, now: datetime) -> None:
    """Put the tenant on a plan. What is there already stays, also where the plan has no room for it.

    `sale` is None where nothing is sold: then every plan may be chosen.

    Raises:
        InvalidRequestError: there is no such plan.
        PaymentRequiredError: a checkout begins it.
        ForbiddenError: it is given by agreement only.
        SubscriptionActiveError: a subscription is paid for, and decides.
    """
    known = {known.name for known in active_plans(connection)}
    if plan not in known:
        wrong = FieldError("body/plan", "unknown_plan", f"Choose one of: {', '.join(sorted(known))}.")
        raise InvalidRequestError("There is no such plan.", (wrong,))
    if sale is not None:
        _check_sale(connection, plan, sale)
    connection.execute(CHOOSE, {"plan": plan, "now": now})


def set_budgets(connection: Connection, changes: Mapping[str, int | None], *, now: datetime) -> None:
    """Change the tenant's `monthly_budget_tokens` and `monthly_budget_microdollars`, as far as they are named."""
    names = {"tokens": "monthly_budget_tokens", "microdollars": "monthly_budget_microdollars"}
    values = {short: changes.get(name) for short, name in names.items()}
    given = {f"{short}_given": name in changes for short, name in names.items()}
    if any(given.values()):
        connection.execute(SET_BUDGETS, values | given | {"now": now})


def _check_sale(connection: Connection, plan: str, sale: Sale) -> None:
    if plan in sale.sold:
        raise PaymentRequiredError("Begin it with POST /v1/organizations/{organization_id}/billing/checkout.")
    if plan != sale.free:
        raise ForbiddenError(f"The plan {plan} is given by agreement: ask who runs this deployment.")
    row = connection.execute(SUBSCRIBED).fetchone()
    if row is not None and row["subscribed"]:
        raise SubscriptionActiveError("End it in the billing portal first.")
