"""The migration as a custom resource: it runs at each deployment that changes it, and can fail the deployment."""

from typing import Final

from aws_cdk import CustomResource, Duration, Stack, custom_resources
from constructs import Construct

from infra.cloud.constructs.acknowledge import acknowledge
from infra.cloud.constructs.catalog_function import CatalogFunction
from infra.cloud.constructs.log_group import log_group
from infra.cloud.platform import Platform
from infra.packaging.cache import REPOSITORY, digest

MADE_FROM: Final = (REPOSITORY / "shared" / "chatsphere" / "db", REPOSITORY / "functions" / "migrate_database")


class Migration(Construct):
    """Invokes the migration function through the library's provider, which reports to CloudFormation."""

    def __init__(self, scope: Construct, function: CatalogFunction, platform: Platform) -> None:
        super().__init__(scope, "Migration")
        provider = custom_resources.Provider(
            self,
            "Provider",
            on_event_handler=function.function,
            log_group=log_group(self, platform.config, platform.key),
        )
        _acknowledge_provider(provider, Stack.of(self).resolve(function.function.function_arn)["Fn::GetAtt"][0])
        self.resource = CustomResource(
            self,
            "Resource",
            service_token=provider.service_token,
            resource_type="Custom::DatabaseMigration",
            service_timeout=Duration.seconds(function.spec.timeout_seconds),
            properties={"Version": digest(platform.config.chosen_vector_store, MADE_FROM)},
        )


def _acknowledge_provider(provider: custom_resources.Provider, function_id: str) -> None:
    acknowledge(
        provider,
        "The library's provider invokes this function and writes its log; its role is the library's.",
        f"IAM5[Resource::<{function_id}.Arn>:*]",
        "IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]",
    )
