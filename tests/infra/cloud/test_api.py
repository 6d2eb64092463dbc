"""The REST API's template against the catalog and against the API's own description."""

import json
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import pytest

from infra.catalog import FUNCTIONS, AuthorizerTrigger, HttpTrigger, Route
from infra.cloud.constructs.rest_api import STAGE
from tests.builders.running_api import running_api
from tests.infra.cloud.templates import Deployment, Resource, Stack
from tests.postgres import DatabaseUrls

NOWHERE = DatabaseUrls(*["postgresql://127.0.0.1:1/nothing?connect_timeout=1"] * len(fields(DatabaseUrls)))
SPECS = {route: spec for spec in FUNCTIONS if isinstance(spec.trigger, HttpTrigger) for route in spec.trigger.routes}
ROUTES = list(SPECS)
STREAMING = {route for route, spec in SPECS.items() if isinstance(spec.trigger, HttpTrigger) and spec.trigger.streaming}
MAX_RESOURCES = 500
MAX_BUFFERED_MS = 29_000
MAX_STREAMED_MS = 900_000
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


def path_of(stack: Stack, resource_id: Any) -> str:
    if "Ref" not in resource_id:
        return ""
    found = stack.resources("AWS::ApiGateway::Resource")[resource_id["Ref"]]["Properties"]
    return f"{path_of(stack, found['ParentId'])}/{found['PathPart']}"


def methods(stack: Stack, *, preflight: bool = False) -> dict[tuple[str, str], Resource]:
    found = {
        (method["Properties"]["HttpMethod"], path_of(stack, method["Properties"]["ResourceId"])): method["Properties"]
        for method in stack.resources("AWS::ApiGateway::Method").values()
    }
    return {key: method for key, method in found.items() if (key[0] == "OPTIONS") == preflight}


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


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_a_route_goes_to_its_function(deployment: Deployment, route: Route) -> None:
    api = deployment.stacks["api"]
    function = deployment.functions[SPECS[route].name][1]

    uri = deployment.text(api, methods(api)[route.method, route.path]["Integration"]["Uri"])

    assert f"functions/${{api.{function}.Arn}}/" in uri


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
    authorizer = next(iter(api.resources("AWS::ApiGateway::Authorizer")))
    for route in ROUTES:
        method = methods(api)[route.method, route.path]
        if route.public:
            assert method["AuthorizationType"] == "NONE"
        else:
            assert method["AuthorizationType"] == "CUSTOM"
            assert method["AuthorizerId"] == {"Ref": authorizer}


def test_the_authorizer_caches_nothing_and_may_be_invoked(deployment: Deployment) -> None:
    api = deployment.stacks["api"]
    authorizer = only(api.resources("AWS::ApiGateway::Authorizer"))
    assert authorizer["Type"] == "REQUEST"
    assert authorizer["AuthorizerResultTtlInSeconds"] == 0
    assert authorizer["IdentitySource"] == "method.request.header.Authorization"

    spec = next(spec for spec in FUNCTIONS if isinstance(spec.trigger, AuthorizerTrigger))
    function = deployment.functions[spec.name][1]
    assert f"${{api.{function}.Arn}}/invocations" in deployment.text(api, authorizer["AuthorizerUri"])
    (source,) = invocation_sources(deployment, spec.name)
    assert "/authorizers/" in source


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_a_response_is_streamed_where_the_catalog_says_so(deployment: Deployment, route: Route) -> None:
    api = deployment.stacks["api"]
    spec = SPECS[route]
    assert isinstance(spec.trigger, HttpTrigger)
    integration = methods(api)[route.method, route.path]["Integration"]
    uri = deployment.text(api, integration["Uri"])

    assert integration["Type"] == "AWS_PROXY"
    assert integration["IntegrationHttpMethod"] == "POST"
    if spec.trigger.streaming:
        assert integration["ResponseTransferMode"] == "STREAM"
        assert "/2021-11-15/functions/" in uri
        assert uri.endswith("/response-streaming-invocations")
        assert spec.timeout_seconds * 1000 <= integration["TimeoutInMillis"] <= MAX_STREAMED_MS
    else:
        assert integration["ResponseTransferMode"] == "BUFFERED"
        assert "/2015-03-31/functions/" in uri
        assert spec.timeout_seconds * 1000 <= integration["TimeoutInMillis"] <= MAX_BUFFERED_MS


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
        assert len(stack.body["Resources"]) < MAX_RESOURCES, stack.name
