"""One function of the catalog as a Lambda function."""

from typing import Final

from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from chatsphere.settings import UploadCredentialsSettings
from infra.catalog import FunctionSpec, QueueTrigger
from infra.cloud.constructs.acknowledge import acknowledge
from infra.cloud.constructs.function_permissions import acknowledge_objects, function_statements
from infra.cloud.constructs.layers import ARCHITECTURE, RUNTIME, Layers
from infra.cloud.constructs.log_group import log_group
from infra.cloud.constructs.uploader_role import UPLOADER_ROLE_ARN, UploaderRole
from infra.cloud.platform import Platform
from infra.function_environment import function_secrets, function_variables
from infra.packaging.functions import entry_point, is_streaming
from infra.packaging.layers import cloud_layers
from infra.packaging.web_adapter import VARIABLES as WEB_ADAPTER_VARIABLES
from infra.packaging.web_adapter import web_adapter_layer

NETWORK_INTERFACE_ACTIONS: Final = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
)


def construct_id(name: str) -> str:
    """Return a catalog name such as `manage_bots` as CloudFormation writes names: `ManageBots`."""
    return name.title().replace("_", "").replace("-", "")


def function_name(prefix: str, spec: FunctionSpec) -> str:
    """Return the name of a deployment's function, which alarms and operators know without asking its stack."""
    return f"{prefix}-{spec.name}"


def goes_on_by_message(spec: FunctionSpec) -> bool:
    """Whether a function does long work in parts, each of which sends the next. Lambda would take sixteen of them for
    an endless loop and stop it; ours ends with the work, or at its deadline.
    """
    return isinstance(spec.trigger, QueueTrigger) and spec.trigger.queue in spec.sends_to


class CatalogFunction(Construct):
    """A function of the catalog in the private subnets, with its log group, role and policy.

    What starts it is added by the stack that it belongs to.
    """

    def __init__(self, scope: Construct, spec: FunctionSpec, platform: Platform) -> None:
        super().__init__(scope, construct_id(spec.name))
        self.spec = spec
        self._platform = platform
        self.log_group = log_group(self, platform.config, platform.key)
        self.role = self._role()
        self.function = self._function(self._environment())
        # Lambda also adds its permission to write traces, which knows no resources either.
        acknowledge(
            self.role,
            "EC2's calls for network interfaces and X-Ray's for traces take no resource.",
            "IAM5[Resource::*]",
        )
        if spec.objects:
            acknowledge_objects(self.role, platform.uploads_arn)
        if spec.archived:
            acknowledge_objects(self.role, platform.archive_arn)
        acknowledge(self.function, "Decision 63 says which version of Python, and why.", "L1")

    def _role(self) -> iam.Role:
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"Execution role of {self.spec.name}",
        )
        role.add_to_policy(
            iam.PolicyStatement(
                sid="WriteLogs",
                actions=["logs:CreateLogStream", "logs:PutLogEvents"],
                resources=[self.log_group.log_group_arn],
            )
        )
        role.add_to_policy(iam.PolicyStatement(sid="UseNetwork", actions=[*NETWORK_INTERFACE_ACTIONS], resources=["*"]))
        for statement in function_statements(self.spec, self._platform):
            role.add_to_policy(statement)
        return role

    def _environment(self) -> dict[str, str]:
        platform = self._platform
        values = dict(platform.variables)
        if UploadCredentialsSettings in self.spec.settings:
            values[UPLOADER_ROLE_ARN] = UploaderRole(self, platform, trusted=self.role).role.role_arn
        secret_names = function_secrets(self.spec, platform.secrets.keys())
        return {
            **function_variables(self.spec, values, {name: platform.secrets[name].secret_arn for name in secret_names}),
            "POWERTOOLS_SERVICE_NAME": platform.config.prefix,
            "POWERTOOLS_LOG_LEVEL": "INFO",
            **(WEB_ADAPTER_VARIABLES if is_streaming(self.spec) else {}),
        }

    def _function(self, environment: dict[str, str]) -> lambda_.Function:
        spec, platform = self.spec, self._platform
        return lambda_.Function(
            self,
            "Function",
            function_name=function_name(platform.config.prefix, spec),
            description=f"{platform.config.prefix} {spec.name}",
            runtime=RUNTIME,
            architecture=ARCHITECTURE,
            handler=entry_point(spec),
            code=lambda_.Code.from_asset(str(platform.assets.function(spec))),
            layers=self._layers(),
            memory_size=spec.memory_mb,
            timeout=Duration.seconds(spec.timeout_seconds),
            environment=environment,
            role=self.role,
            vpc=platform.vpc,
            security_groups=[platform.functions_security_group],
            log_group=self.log_group,
            logging_format=lambda_.LoggingFormat.JSON,
            tracing=lambda_.Tracing.ACTIVE,
            recursive_loop=lambda_.RecursiveLoop.ALLOW if goes_on_by_message(spec) else None,
        )

    def _layers(self) -> list[lambda_.ILayerVersion]:
        stack_layers = Layers.of(self, self._platform.assets)
        layers: list[lambda_.ILayerVersion] = [stack_layers.layer(name) for name in cloud_layers(self.spec)]
        if is_streaming(self.spec):
            stack = Stack.of(self)
            arn = web_adapter_layer(stack.partition, stack.region)
            layers.append(lambda_.LayerVersion.from_layer_version_arn(self, "WebAdapter", arn))
        return layers
