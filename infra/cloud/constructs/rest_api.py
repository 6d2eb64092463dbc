"""The REST API: the catalog's routes, each with its integration, authorizer and permission."""

from typing import Final

from aws_cdk import Duration, RemovalPolicy, Size, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.catalog import FUNCTIONS, HttpTrigger
from infra.cloud.constructs.access_log import access_log_format
from infra.cloud.constructs.acknowledge import acknowledge
from infra.cloud.constructs.authorizer import request_authorizer
from infra.cloud.constructs.catalog_function import CatalogFunction
from infra.cloud.constructs.cors import preflight
from infra.cloud.constructs.gateway_responses import add_gateway_responses
from infra.cloud.constructs.log_group import log_group
from infra.cloud.constructs.throttling import stage_options
from infra.cloud.platform import Platform

STAGE: Final = "live"
BUFFERED_TIMEOUT: Final = Duration.seconds(29)
COMPRESSED_FROM: Final = Size.kibibytes(1)


class CatalogRestApi(Construct):
    """A Regional REST API. It is made before its functions, which are told its address."""

    def __init__(self, scope: Construct, platform: Platform) -> None:
        super().__init__(scope, "Api")
        self._config = platform.config
        self.access_logs = log_group(self, platform.config, platform.key)
        self.api = self._rest_api()
        add_gateway_responses(self.api, cross_origin=bool(self._config.console_origins))

    @property
    def public_url(self) -> str:
        """The address that clients use, without a slash at its end.

        It is made of the API's id and the stage's name: the stage itself waits for all methods, and these for the
        functions that are told the address.
        """
        if self._config.domain:
            return f"https://{self._config.domain.name}"
        stack = Stack.of(self)
        return f"https://{self.api.rest_api_id}.execute-api.{stack.region}.{stack.url_suffix}/{STAGE}"

    def authorize_by(self, function: CatalogFunction) -> apigateway.IAuthorizer:
        """Return the authorizer that asks this function."""
        deployment = self.api.latest_deployment
        if deployment is None:
            raise RuntimeError("the API has no deployment")
        return request_authorizer(self, function, deployment)

    def route(self, function: CatalogFunction, trigger: HttpTrigger, authorizer: apigateway.IAuthorizer) -> None:
        """Add a function's routes, and one permission for all of them.

        One for each would fill the function's resource policy (20 KB) and the stack (500 resources). Which route
        leads to which function is the API's own matter; nobody but this stage can invoke it.
        """
        integration = _integration(function, trigger)
        function.function.add_permission(
            "Api",
            principal=iam.ServicePrincipal("apigateway.amazonaws.com"),
            source_arn=self.api.arn_for_execute_api("*", "/*", STAGE),
        )
        for route in trigger.routes:
            resource = self.api.root.resource_for_path(route.path)
            if route.public:
                method = resource.add_method(
                    route.method, integration, authorization_type=apigateway.AuthorizationType.NONE
                )
                acknowledge(method, "A public route: it is how a credential is got, or tells nothing.", "APIG4", "COG4")
            else:
                method = resource.add_method(
                    route.method,
                    integration,
                    authorizer=authorizer,
                    authorization_type=apigateway.AuthorizationType.CUSTOM,
                )
                acknowledge(method, "The authorizer knows our tokens and API keys; Cognito has neither.", "COG4")

    def _rest_api(self) -> apigateway.RestApi:
        config = self._config
        api = apigateway.RestApi(
            self,
            "RestApi",
            rest_api_name=f"{config.prefix}-api",
            description="ChatSphere",
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            disable_execute_api_endpoint=config.domain is not None,
            min_compression_size=COMPRESSED_FROM,
            default_cors_preflight_options=preflight(config.console_origins),
            # Without a role in the account's settings no stage may write access logs. The settings are one for the
            # account and region: a stack that goes must not take them from the others.
            cloud_watch_role=True,
            cloud_watch_role_removal_policy=RemovalPolicy.RETAIN,
            deploy_options=self._stage_options(),
        )
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
        if not config.has_waf:
            acknowledge(api.deployment_stage, "Without a web ACL by choice: it costs $5 and more a month.", "APIG3")
        return api

    def _stage_options(self) -> apigateway.StageOptions:
        options = stage_options(self._config, list(FUNCTIONS))
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


def _integration(function: CatalogFunction, trigger: HttpTrigger) -> apigateway.AwsIntegration:
    """Return what the library's own Lambda integration is, without a permission for each method."""
    streamed = trigger.streaming
    version, call = ("2021-11-15", "response-streaming-invocations") if streamed else ("2015-03-31", "invocations")
    mode = apigateway.ResponseTransferMode.STREAM if streamed else apigateway.ResponseTransferMode.BUFFERED
    return apigateway.AwsIntegration(
        service="lambda",
        proxy=True,
        path=f"{version}/functions/{function.function.function_arn}/{call}",
        options=apigateway.IntegrationOptions(
            response_transfer_mode=mode,
            timeout=Duration.seconds(function.spec.timeout_seconds) if streamed else BUFFERED_TIMEOUT,
        ),
    )
