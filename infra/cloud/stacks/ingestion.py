"""From an uploaded object to a searchable document: the functions that take messages from the queues."""

from aws_cdk import Stack
from constructs import Construct

from infra.catalog import FUNCTIONS, QueueTrigger
from infra.cloud.constructs.catalog_function import CatalogFunction
from infra.cloud.constructs.queue_source import queue_source
from infra.cloud.platform import Platform


class IngestionStack(Stack):
    """One function for each queue."""

    def __init__(self, scope: Construct, construct_id: str, *, platform: Platform) -> None:
        super().__init__(scope, construct_id, description="ChatSphere: ingestion")
        self.functions: dict[str, CatalogFunction] = {}
        for spec in FUNCTIONS:
            if isinstance(spec.trigger, QueueTrigger):
                function = CatalogFunction(self, spec, platform)
                queue_source(function, spec.trigger, platform)
                self.functions[spec.name] = function
