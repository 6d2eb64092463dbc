"""The REST API: one definition made from the catalog, its stage, and who may invoke the functions behind it."""

from collections.abc import Sequence
from typing import Final

from aws_cdk import RemovalPolicy, Size, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.catalog import AuthorizerTrigger, FunctionSpec
from infra.cloud.constructs.access_log import access_log_format
from infra.cloud.constructs.acknowledge import acknowledge
from infra.cloud.constructs.api_definition import COMPRESSED_FROM_BYTES, api_definition, api_name
from infra.cloud.constructs.catalog_function import CatalogFunction
from infra.cloud.constructs.log_group import log_group
from infra.cloud.constructs.throttling import stage_options
from infra.cloud.platform import Platform

STAGE: Final = "live"
REGIONAL: Final = apigateway.EndpointType.REGIONAL


class CatalogRestApi(Construct):
    """A Regional REST API. It is made before its functions, which are told its address; its definition names them."""

    def __init__(self, scope: Construct, platform: Platform, specs: Sequence[FunctionSpec]) -> None:
        super().__init__(scope, "Api")
        self._config = platform.config
        self._specs = specs
        self.access_logs = log_group(self, platform.config, platform.key)
        self.api = self._rest_api()

    @property
    def public_url(self) -> str:
        """The address that clients use, without a slash at its end.

        It is made of the API's id and the stage's name: the stage itself waits for the functions, which are told the
        address.
        """
        if self._config.domain:
            return f"https://{self._config.domain.name}"
        stack = Stack.of(self)
        return f"https://{self.api.rest_api_id}.execute-api.{stack.region}.{stack.url_suffix}/{STAGE}"

    def permit(self, function: CatalogFunction) -> None:
        """Let the API invoke a function, by one permission for all of its routes; no route is live before.

        One for each would fill the function's resource policy (20 KB) and the stack (500 resources). Which route
        leads to which function is the API's own matter; nobody but this stage, or the API's authorizer, can invoke it.
        """
        is_authorizer = isinstance(function.spec.trigger, AuthorizerTrigger)
        function.function.add_permission(
            "Api",
            principal=iam.ServicePrincipal("apigateway.amazonaws.com"),
            source_arn=self._authorizers() if is_authorizer else self.api.arn_for_execute_api("*", "/*", STAGE),
        )
        deployment = self.api.latest_deployment
        if deployment is None:
            raise RuntimeError("the API has no deployment")
        deployment.node.add_dependency(function.function)

    def _authorizers(self) -> str:
        """Return the ARN of the API's authorizers: the id of the only one is made by the import of the definition."""
        return Stack.of(self).format_arn(service="execute-api", resource=f"{self.api.rest_api_id}/authorizers/*")

    def _rest_api(self) -> apigateway.SpecRestApi:
        config = self._config
        api = apigateway.SpecRestApi(
            self,
            "RestApi",
            rest_api_name=api_name(config),
            api_definition=apigateway.ApiDefinition.from_inline(api_definition(Stack.of(self), config, self._specs)),
            # What the definition does not have must go; and in this mode what stands beside it is said in both.
            mode=apigateway.RestApiMode.OVERWRITE,
            endpoint_types=[REGIONAL],
            parameters={"endpointConfigurationTypes": REGIONAL.value},
            disable_execute_api_endpoint=config.domain is not None,
            min_compression_size=Size.bytes(COMPRESSED_FROM_BYTES),
            # Without a role in the account's settings no stage may write access logs. The settings are one for the
            # account and region: a stack that goes must not take them from the others.
            cloud_watch_role=True,
            cloud_watch_role_removal_policy=RemovalPolicy.RETAIN,
            deploy_options=self._stage_options(),
        )
        self._acknowledge(api)
        return api

    def _acknowledge(self, api: apigateway.SpecRestApi) -> None:
        acknowledge(
            api,
            "The functions validate every request against the models that the OpenAPI document is made from.",
            "APIG2",
        )
        acknowledge(
            api,
            "AWS's own policy for API Gateway's logs; it is needed as it is.",
            "IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs]",
        )
        acknowledge(
            api.deployment_stage,
            "Execution logs would hold headers and bodies; the access log says what each request came to.",
            "APIG6",
        )
        if not self._config.has_waf:
            acknowledge(api.deployment_stage, "Without a web ACL by choice: it costs $5 and more a month.", "APIG3")

    def _stage_options(self) -> apigateway.StageOptions:
        options = stage_options(self._config, self._specs)
        everything = options.pop("/*/*")
        return apigateway.StageOptions(
            stage_name=STAGE,
            access_log_destination=apigateway.LogGroupLogDestination(self.access_logs),
            access_log_format=apigateway.AccessLogFormat.custom(access_log_format()),
            tracing_enabled=True,
            method_options=options,
            throttling_rate_limit=everything.throttling_rate_limit,
            throttling_burst_limit=everything.throttling_burst_limit,
            metrics_enabled=everything.metrics_enabled,
            logging_level=everything.logging_level,
            data_trace_enabled=everything.data_trace_enabled,
            caching_enabled=everything.caching_enabled,
        )
