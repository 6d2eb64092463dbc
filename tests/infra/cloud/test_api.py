"""The REST API's template against the catalog and against the API's own description."""

import json
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator, validate

from infra.catalog import FUNCTIONS, AuthorizerTrigger, FunctionSpec, HttpTrigger
from infra.cloud.constructs.rest_api import STAGE
from tests.builders.running_api import running_api
from tests.infra.cloud.templates import Deployment, Resource, Stack
from tests.postgres import DatabaseUrls

NOWHERE = DatabaseUrls(*["postgresql://127.0.0.1:1/nothing?connect_timeout=1"] * len(fields(DatabaseUrls)))
SPECS = {route: spec for spec in FUNCTIONS if isinstance(spec.trigger, HttpTrigger) for route in spec.trigger.routes}
ROUTES = list(SPECS)
SPEC_AT: dict[tuple[str, str], FunctionSpec] = {(r.method, r.path): spec for r, spec in SPECS.items()}
STREAMING = {route for route, spec in SPECS.items() if isinstance(spec.trigger, HttpTrigger) and spec.trigger.streaming}
MAX_RESOURCES = 500
MAX_TEMPLATE_BYTES = 1_000_000
MAX_DEFINITION_BYTES = 6_000_000
INTEGRATION = "x-amazon-apigateway-integration"
STREAM = ("STREAM", "2021-11-15", "response-streaming-invocations", 900_000)
BUFFER = ("BUFFERED", "2015-03-31", "invocations", 29_000)
FORBIDDEN_IN_LOGS = (
    "querystring",
    "body",
    "authorization",
    "header.",
    "$context.path",
    "error.message",
    "messageString",
)


@pytest.fixture
def api(deployment: Deployment) -> Stack:
    return deployment.stacks["api"]


def definition(stack: Stack) -> dict[str, Any]:
    """Return the OpenAPI document that the API is made from."""
    body: dict[str, Any] = only(stack.resources("AWS::ApiGateway::RestApi"))["Body"]
    return body


def methods(stack: Stack, *, preflight: bool = False) -> dict[tuple[str, str], Resource]:
    """Return the operations by method and path."""
    return {
        (method.upper(), path): operation
        for path, operations in definition(stack)["paths"].items()
        for method, operation in operations.items()
        if (method == "options") == preflight
    }


def function_arn(deployment: Deployment, name: str) -> str:
    """Return a function's ARN as the definition has it: made of the name, for the function itself comes later."""
    function = deployment.functions[name][2]["Properties"]["FunctionName"]
    return f"arn:${{AWS::Partition}}:lambda:${{AWS::Region}}:${{AWS::AccountId}}:function:{function}"


def only(resources: dict[str, Resource]) -> Resource:
    (found,) = resources.values()
    properties: Resource = found["Properties"]
    return properties


def described() -> Iterator[tuple[str, str]]:
    with running_api(NOWHERE) as running:
        document = running.request("GET", "/v1/openapi.json").json
    for path, operations in document["paths"].items():
        for method in operations:
            yield method.upper(), path


def test_every_described_operation_has_its_method_and_no_other_has_one(api: Stack) -> None:
    assert set(methods(api)) == set(described()) == {(route.method, route.path) for route in ROUTES}


def test_each_route_goes_to_its_function(deployment: Deployment) -> None:
    api = deployment.stacks["api"]

    for (method, path), operation in methods(api).items():
        function = function_arn(deployment, SPEC_AT[method, path].name)
        assert f"functions/{function}/" in deployment.text(api, operation[INTEGRATION]["uri"]), path


def invocation_sources(deployment: Deployment, function: str) -> list[str]:
    """Return from where a function may be invoked by API Gateway, by its own resource policy."""
    api = deployment.stacks["api"]
    logical_id = deployment.functions[function][1]
    return [
        deployment.text(api, permission["Properties"]["SourceArn"])
        for permission in api.resources("AWS::Lambda::Permission").values()
        if permission["Properties"]["FunctionName"] == {"Fn::GetAtt": [logical_id, "Arn"]}
        and permission["Properties"]["Principal"] == "apigateway.amazonaws.com"
    ]


def test_each_function_with_routes_may_be_invoked_by_this_stage_alone(deployment: Deployment) -> None:
    rest_api = next(iter(deployment.stacks["api"].resources("AWS::ApiGateway::RestApi")))
    of_stage = (
        f"arn:${{AWS::Partition}}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{api.{rest_api}}}/{STAGE}/*/*"
    )

    with_routes = {spec.name for spec in SPECS.values()}

    for name in with_routes:
        assert invocation_sources(deployment, name) == [of_stage]
    assert len(deployment.stacks["api"].resources("AWS::Lambda::Permission")) == len(with_routes) + 1


def test_the_authorizer_is_asked_for_every_route_but_the_public_ones(api: Stack) -> None:
    (authorizer,) = definition(api)["components"]["securitySchemes"]
    assert "security" not in definition(api)
    for route in ROUTES:
        operation = methods(api)[route.method, route.path]
        assert operation.get("security") == (None if route.public else [{authorizer: []}])


def test_the_authorizer_caches_nothing_and_may_be_invoked(deployment: Deployment) -> None:
    api = deployment.stacks["api"]
    (scheme,) = definition(api)["components"]["securitySchemes"].values()
    assert scheme["x-amazon-apigateway-authtype"] == "custom"
    assert (scheme["type"], scheme["in"], scheme["name"]) == ("apiKey", "header", "Authorization")
    authorizer = scheme["x-amazon-apigateway-authorizer"]
    assert authorizer["type"] == "request"
    assert authorizer["authorizerResultTtlInSeconds"] == 0
    assert authorizer["identitySource"] == "method.request.header.Authorization"

    spec = next(spec for spec in FUNCTIONS if isinstance(spec.trigger, AuthorizerTrigger))
    uri = deployment.text(api, authorizer["authorizerUri"])
    assert uri.endswith(f"/2015-03-31/functions/{function_arn(deployment, spec.name)}/invocations")
    (source,) = invocation_sources(deployment, spec.name)
    rest_api = next(iter(api.resources("AWS::ApiGateway::RestApi")))
    assert source.endswith(f":${{api.{rest_api}}}/authorizers/*")


def test_responses_are_streamed_where_the_catalog_says_so(deployment: Deployment) -> None:
    api = deployment.stacks["api"]
    for key, operation in methods(api).items():
        spec, integration = SPEC_AT[key], operation[INTEGRATION]
        assert isinstance(spec.trigger, HttpTrigger)
        uri = deployment.text(api, integration["uri"])
        mode, version, call, longest = STREAM if spec.trigger.streaming else BUFFER

        assert (integration["type"], integration["httpMethod"]) == ("aws_proxy", "POST"), key
        assert integration["responseTransferMode"] == mode, key
        assert uri.split("/functions/")[0].endswith(f":lambda:path/{version}"), key
        assert uri.rpartition("/")[2] == call, key
        assert spec.timeout_seconds * 1000 <= integration["timeoutInMillis"] <= longest, key


def test_the_access_log_tells_nothing_that_is_not_listed(deployment: Deployment) -> None:
    api = deployment.stacks["api"]
    setting = only(api.resources("AWS::ApiGateway::Stage"))["AccessLogSetting"]
    fields = json.loads(setting["Format"])

    assert {"request_id", "route", "status", "organization_id", "api_key_id"} <= set(fields)
    for value in fields.values():
        assert value.startswith("$context.")
        assert not [word for word in FORBIDDEN_IN_LOGS if word.lower() in value.lower()]
    destination = deployment.text(api, setting["DestinationArn"])
    (group,) = (g for id_, g in api.resources("AWS::Logs::LogGroup").items() if f"api.{id_}" in destination)
    assert group["Properties"]["KmsKeyId"]
    assert group["Properties"]["RetentionInDays"]


def test_every_method_is_throttled_and_no_body_is_ever_logged(deployment: Deployment) -> None:
    stage = only(deployment.stacks["api"].resources("AWS::ApiGateway::Stage"))
    settings = {f"{s['ResourcePath']} {s['HttpMethod']}": s for s in stage["MethodSettings"]}

    assert stage["TracingEnabled"] is True
    for setting in settings.values():
        assert setting["DataTraceEnabled"] is False
        assert setting["LoggingLevel"] == "OFF"
        assert setting["CachingEnabled"] is False
        assert setting["ThrottlingBurstLimit"] >= 1
    everything = settings.pop("/* *")
    assert everything["ThrottlingRateLimit"] == deployment.config.api_requests_per_second
    assert len({s["MetricsEnabled"] for s in [everything, *settings.values()]}) == 1
    dear = [r for r in ROUTES if r.path.startswith("/v1/auth/") or r in STREAMING or (r.public and r.method != "GET")]
    assert set(settings) == {f"/{route.path.replace('/', '~1')} {route.method}" for route in dear}
    assert all(s["ThrottlingRateLimit"] < everything["ThrottlingRateLimit"] for s in settings.values())


def test_the_api_is_told_its_own_address(deployment: Deployment) -> None:
    rest_api = next(iter(deployment.stacks["api"].resources("AWS::ApiGateway::RestApi")))
    url = deployment.environment("describe_api")["PUBLIC_URL"]
    expected = f"https://${{api.{rest_api}}}.execute-api.${{AWS::Region}}.${{AWS::URLSuffix}}/{STAGE}"
    assert url == expected


def test_no_stack_comes_near_cloudformations_limit(everything: Deployment) -> None:
    for stack in everything.stacks.values():
        assert len(stack.body["Resources"]) < MAX_RESOURCES / 2, stack.name
        assert stack.bytes < MAX_TEMPLATE_BYTES / 2, stack.name


def test_what_the_definition_says_besides_is_said_by_the_resource_too(deployment: Deployment) -> None:
    """An import may take over what it says and forget what it does not."""
    api = deployment.stacks["api"]
    resource, written = only(api.resources("AWS::ApiGateway::RestApi")), definition(api)
    (server,) = written["servers"]

    assert resource["Mode"] == "overwrite"
    assert resource["Name"] == written["info"]["title"]
    assert resource["MinimumCompressionSize"] == written["x-amazon-apigateway-minimum-compression-size"]
    disabled = server["x-amazon-apigateway-endpoint-configuration"]["disableExecuteApiEndpoint"]
    assert resource.get("DisableExecuteApiEndpoint", False) is disabled
    assert resource["EndpointConfiguration"] == {"Types": ["REGIONAL"]}
    assert resource["Parameters"] == {"endpointConfigurationTypes": "REGIONAL"}


def test_no_route_is_live_before_its_function_and_the_permission_to_call_it(deployment: Deployment) -> None:
    api = deployment.stacks["api"]
    (made,) = api.resources("AWS::ApiGateway::Deployment").values()
    functions = {deployment.functions[spec.name][1] for spec in SPECS.values()}

    assert functions | set(api.resources("AWS::Lambda::Permission")) <= set(made["DependsOn"])


def test_nothing_that_the_definition_holds_is_a_resource_of_its_own(deployment: Deployment) -> None:
    """Each would be taken away, or made twice, by the next import."""
    kinds = {found["Type"] for found in deployment.stacks["api"].body["Resources"].values()}

    assert {kind for kind in kinds if kind.startswith("AWS::ApiGateway::")} <= {
        f"AWS::ApiGateway::{kind}"
        for kind in ("Account", "BasePathMapping", "Deployment", "DomainName", "RestApi", "Stage")
    }


def test_the_definition_is_a_valid_document_and_far_below_what_api_gateway_imports(everything: Deployment) -> None:
    api = everything.stacks["api"]

    def resolved(value: Any) -> Any:
        if isinstance(value, dict):
            if value.keys() & {"Ref", "Fn::Join"}:
                return everything.text(api, value)
            return {key: resolved(item) for key, item in value.items()}
        return [resolved(item) for item in value] if isinstance(value, list) else value

    document = resolved(definition(api))

    validate(document, cls=OpenAPIV30SpecValidator)
    assert len(json.dumps(document)) < MAX_DEFINITION_BYTES / 4
