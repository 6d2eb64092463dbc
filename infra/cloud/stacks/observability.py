"""Who is told what: alarms, the budget, and one page to look at."""

from collections.abc import Mapping

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_rds as rds
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.cloud.constructs import alarm_set
from infra.cloud.constructs.alarms import Alarms, AlarmTopic
from infra.cloud.constructs.budget import MonthlyBudget
from infra.cloud.constructs.catalog_function import CatalogFunction
from infra.cloud.constructs.dashboard import HealthDashboard
from infra.cloud.constructs.rest_api import STAGE, CatalogRestApi
from infra.cloud.platform import Platform


class ObservabilityStack(Stack):
    """Looks at every other stack; none depends on it, so that it can be changed at any time."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        platform: Platform,
        functions: Mapping[str, CatalogFunction],
        rest_api: CatalogRestApi,
        cluster: rds.IDatabaseCluster,
        proxy: rds.IDatabaseProxy | None,
        schedules_dead_letter_queue: sqs.IQueue,
    ) -> None:
        super().__init__(scope, construct_id, description="ChatSphere: alarms, budget and dashboard")
        config = platform.config
        topic = AlarmTopic(self, config, platform.key).topic
        MonthlyBudget(self, config, topic.topic_arn)
        specs = [function.spec for function in functions.values()]
        api_name = rest_api.api.rest_api_name
        proxy_name = proxy.db_proxy_name if proxy else None

        alarms = Alarms(self, topic)
        dead = {**platform.dead_letter_queues, "schedules": schedules_dead_letter_queue}
        alarm_set.add_queue_alarms(alarms, config, platform.queues, dead)
        alarm_set.add_function_alarms(alarms, config, specs)
        alarm_set.add_api_alarms(alarms, config, api_name, STAGE)
        alarm_set.add_product_alarms(alarms, config)
        alarm_set.add_database_alarms(alarms, config, cluster.cluster_identifier, proxy_name)

        dashboard = HealthDashboard(self, config)
        dashboard.add_api(api_name, STAGE)
        dashboard.add_queues(platform.queues, dead)
        dashboard.add_functions(specs)
        dashboard.add_database(cluster.cluster_identifier, proxy_name)
        CfnOutput(self, "AlarmTopicArn", value=topic.topic_arn, description="Subscribe to be told of alarms")
