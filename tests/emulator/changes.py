"""The changes that the substitutions make. Each changes a template in place and returns at how many places."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from chatsphere.settings import SECRET_SUFFIX
from tests.emulator.templates import Template, replace_attribute, replace_reference, resources

FUNCTION: Final = "AWS::Lambda::Function"
SECRET: Final = "AWS::SecretsManager::Secret"
MASTER_SECRET: Final = "MasterUserSecret.SecretArn"
SEND: Final = "sqs:SendMessage"
REST_API: Final = "AWS::ApiGateway::RestApi"
INTEGRATION: Final = "x-amazon-apigateway-integration"
GATEWAY_RESPONSES: Final = "x-amazon-apigateway-gateway-responses"
STREAMED_PATH: Final = "/response-streaming-invocations"
BUFFERED_PATH: Final = "/invocations"
WEB_ADAPTER_HANDLER: Final = "run.sh"
PUBLIC_IMAGES: Final = "/aws/service/ami-"
PROXY_VARIABLE: Final = "MINISTACK_LAMBDA_PROXY_URL"


@dataclass(frozen=True)
class Outside:
    """What runs beside the emulator. `database_urls`: by environment variable, passwords included."""

    database_urls: Mapping[str, str]
    administrator: Mapping[str, str]
    gemini_url: str
    web_adapter_url: str


def public_images(template: Template, _outside: Outside) -> int:
    """Give parameters that AWS would fill in with an image a default."""
    parameters = template.get("Parameters", {})
    found = [name for name, parameter in parameters.items() if str(parameter.get("Default")).startswith(PUBLIC_IMAGES)]
    for name in found:
        parameters[name] = {"Type": "String", "Default": "ami-00000000000000000"}
    return len(found)


def database_urls(template: Template, outside: Outside) -> int:
    """Let functions reach the database that runs outside, with passwords."""
    places = 0
    for variables in _environments(template):
        for name in outside.database_urls.keys() & variables.keys():
            variables[name] = outside.database_urls[name]
            places += 1
        if "DATABASE_AUTHENTICATION" in variables:
            variables["DATABASE_AUTHENTICATION"] = "password"
    return places


def administrator_secret(template: Template, outside: Outside) -> int:
    """Add the administrator's secret, and name it wherever the cluster's own was named."""
    places = json.dumps(template).count(f'"{MASTER_SECRET}"')
    if places:
        name = "EmulatorAdministrator"
        template.update(replace_attribute(template, MASTER_SECRET, {"Ref": name}))
        secret = {"SecretString": json.dumps(dict(outside.administrator))}
        template["Resources"][name] = {"Type": SECRET, "Properties": secret}
    return places


def secret_references(template: Template, _outside: Outside) -> int:
    """Name secrets by their attribute."""
    places = 0
    for logical_id, _ in resources(template, SECRET):
        places += json.dumps(template).count(json.dumps({"Ref": logical_id}))
        template.update(replace_reference(template, logical_id, {"Fn::GetAtt": [logical_id, "Id"]}))
    return places


def gemini_url(template: Template, outside: Outside) -> int:
    """Tell whoever calls Gemini where it is."""
    places = 0
    for variables in _environments(template):
        if "GEMINI_API_KEY" + SECRET_SUFFIX in variables:
            variables["GEMINI_URL"] = outside.gemini_url
            places += 1
    return places


def batched_sending(template: Template, _outside: Outside) -> int:
    """Permit the batched call to whoever may send."""
    places = 0
    for _, policy in resources(template, "AWS::IAM::Policy"):
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            if SEND in actions:
                statement["Action"] = [*actions, f"{SEND}Batch"]
                places += 1
    return places


def web_adapter(template: Template, outside: Outside) -> int:
    """Let the function be asked at the stand-in's address, and take AWS's layer off it."""
    places = 0
    for _, function in resources(template, FUNCTION):
        properties = function["Properties"]
        if properties["Handler"] == WEB_ADAPTER_HANDLER:
            properties["Layers"] = [layer for layer in properties["Layers"] if "Ref" in layer]
            properties["Environment"]["Variables"][PROXY_VARIABLE] = outside.web_adapter_url
            places += 1
    return places


def streamed_methods(template: Template, _outside: Outside) -> int:
    """Call streamed functions by the buffered path."""
    places = 0
    for _, api in resources(template, REST_API):
        for operations in api["Properties"]["Body"]["paths"].values():
            for operation in operations.values():
                integration = operation[INTEGRATION]
                if integration.get("responseTransferMode") == "STREAM":
                    _replace_in(integration["uri"]["Fn::Join"][1], STREAMED_PATH, BUFFERED_PATH)
                    places += 1
    return places


def gateway_responses(template: Template, _outside: Outside) -> int:
    """Make each answer of the gateway a resource of its own, before the deployments."""
    places = 0
    for logical_id, api in resources(template, REST_API):
        for kind, answer in api["Properties"]["Body"].pop(GATEWAY_RESPONSES, {}).items():
            name = f"Emulator{kind.title().replace('_', '')}"
            properties = {
                "RestApiId": {"Ref": logical_id},
                "ResponseType": kind,
                "StatusCode": answer["statusCode"],
                "ResponseParameters": answer["responseParameters"],
                "ResponseTemplates": answer["responseTemplates"],
            }
            template["Resources"][name] = {"Type": "AWS::ApiGateway::GatewayResponse", "Properties": properties}
            places += 1
            for _, deployment in resources(template, "AWS::ApiGateway::Deployment"):
                deployment.setdefault("DependsOn", []).append(name)
    return places


def _replace_in(parts: list[Any], old: str, new: str) -> None:
    parts[:] = [part.replace(old, new) if isinstance(part, str) else part for part in parts]


def _environments(template: Template) -> list[dict[str, Any]]:
    found = (function["Properties"].get("Environment", {}) for _, function in resources(template, FUNCTION))
    return [environment["Variables"] for environment in found if "Variables" in environment]
