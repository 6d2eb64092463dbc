"""What answers HTTP: the REST API and every function behind it."""

from dataclasses import replace

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from infra.catalog import FUNCTIONS, AuthorizerTrigger, FunctionSpec, HttpTrigger
from infra.cloud.constructs.catalog_function import CatalogFunction
from infra.cloud.constructs.domain import ApiDomain
from infra.cloud.constructs.rest_api import CatalogRestApi
from infra.cloud.constructs.web_acl import WebAcl
from infra.cloud.platform import Platform


class ApiStack(Stack):
    """The API of one deployment. `functions` holds what it made, by name."""

    def __init__(self, scope: Construct, construct_id: str, *, platform: Platform, description: str = "") -> None:
        super().__init__(
            scope,
            construct_id,
            description=description or "ChatSphere: REST API and its functions",
            # The API's definition stands in the template, which may have 1 MB.
            suppress_template_indentation=True,
        )
        config = platform.config
        specs = _specs()
        self.rest_api = CatalogRestApi(self, platform, specs)
        origins = {"CONSOLE_ORIGINS": ",".join(config.console_origins)} if config.console_origins else {}
        told = replace(platform, variables={**platform.variables, "PUBLIC_URL": self.rest_api.public_url, **origins})
        self.functions = {spec.name: CatalogFunction(self, spec, told) for spec in specs}
        for function in self.functions.values():
            self.rest_api.permit(function)
        stage = self.rest_api.api.deployment_stage
        if config.domain:
            ApiDomain(self, config.domain, self.rest_api.api)
        if config.has_waf:
            WebAcl(self, f"{config.prefix}-api", stage.stage_arn)
        CfnOutput(self, "Url", value=self.rest_api.public_url, description="The API's address")


def _specs() -> list[FunctionSpec]:
    return [spec for spec in FUNCTIONS if isinstance(spec.trigger, HttpTrigger | AuthorizerTrigger)]
