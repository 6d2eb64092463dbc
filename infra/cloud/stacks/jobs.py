"""What happens by the clock."""

from aws_cdk import Stack
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.catalog import FUNCTIONS, ScheduleTrigger
from infra.cloud.constructs.catalog_function import CatalogFunction
from infra.cloud.constructs.queues import dead_letter_queue
from infra.cloud.constructs.schedule import Schedule
from infra.cloud.platform import Platform


class JobsStack(Stack):
    """One schedule for each scheduled function, and one queue for the runs that none of them could do.

    What lies there names its function: a queue for each would be an alarm for each, which costs.
    """

    def __init__(self, scope: Construct, construct_id: str, *, platform: Platform) -> None:
        super().__init__(scope, construct_id, description="ChatSphere: scheduled jobs")
        self.functions: dict[str, CatalogFunction] = {}
        self.dead_letter_queue: sqs.IQueue = dead_letter_queue(self, key=platform.key)
        for spec in FUNCTIONS:
            if isinstance(spec.trigger, ScheduleTrigger):
                function = CatalogFunction(self, spec, platform)
                Schedule(function, spec.trigger, platform, dead=self.dead_letter_queue)
                self.functions[spec.name] = function
