"""What happens by the clock."""

from aws_cdk import Stack
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.catalog import FUNCTIONS, ScheduleTrigger
from infra.cloud.constructs.catalog_function import CatalogFunction
from infra.cloud.constructs.schedule import Schedule
from infra.cloud.platform import Platform


class JobsStack(Stack):
    """One schedule for each scheduled function."""

    def __init__(self, scope: Construct, construct_id: str, *, platform: Platform) -> None:
        super().__init__(scope, construct_id, description="ChatSphere: scheduled jobs")
        self.functions: dict[str, CatalogFunction] = {}
        self.dead_letter_queues: dict[str, sqs.IQueue] = {}
        for spec in FUNCTIONS:
            if isinstance(spec.trigger, ScheduleTrigger):
                function = CatalogFunction(self, spec, platform)
                self.functions[spec.name] = function
                self.dead_letter_queues[spec.name] = Schedule(function, spec.trigger, platform).dead
