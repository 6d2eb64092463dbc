"""A stage shows a snapshot of the API: whatever changes must make a new one, and nothing else may."""

from pathlib import Path
from typing import cast

import pytest
from aws_cdk import App, Stack

from infra.catalog import AuthorizerTrigger, FunctionSpec, HttpTrigger, Route
from infra.cloud.constructs import gateway_responses
from infra.cloud.constructs.rest_api import CatalogRestApi
from infra.cloud.platform import Platform
from tests.infra.cloud.conftest import EVERYTHING

ME = Route("GET", "/v1/me")


def function(*routes: Route, name: str = "things", streaming: bool = False) -> FunctionSpec:
    return FunctionSpec(name, HttpTrigger((ME, *routes), streaming), settings=())


THINGS = function(Route("GET", "/v1/things"))


class Settled:
    """What the REST API asks its platform for."""

    config = EVERYTHING.model_copy(update={"domain": None})
    key = None


def snapshot(folder: Path, spec: FunctionSpec = THINGS, asked: str = "authorize") -> str:
    """Return the logical id of the deployment of an API with this function."""
    app = App(outdir=str(folder), analytics_reporting=False)
    stack = Stack(app, "api")
    authorizer = FunctionSpec(asked, AuthorizerTrigger(), settings=())
    CatalogRestApi(stack, cast(Platform, Settled()), [authorizer, spec])
    template = app.synth().get_stack_by_name("api").template
    (found,) = (id_ for id_, r in template["Resources"].items() if r["Type"] == "AWS::ApiGateway::Deployment")
    return str(found)


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> str:
    return snapshot(tmp_path_factory.mktemp("before"))


def test_the_same_api_is_the_same_deployment(before: str, tmp_path: Path) -> None:
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize(
    "spec",
    [
        function(Route("GET", "/v1/things"), Route("POST", "/v1/things")),
        function(Route("GET", "/v1/things", public=True)),
        function(Route("GET", "/v1/things"), streaming=True),
        function(Route("GET", "/v1/things"), name="others"),
    ],
    ids=["a route more", "a route made public", "a response streamed", "another function"],
)
def test_a_changed_route_is_deployed(before: str, tmp_path: Path, spec: FunctionSpec) -> None:
    assert snapshot(tmp_path, spec) != before


def test_another_authorizer_is_deployed(before: str, tmp_path: Path) -> None:
    assert snapshot(tmp_path, asked="authorize_differently") != before


def test_a_changed_answer_of_the_gateway_is_deployed(
    before: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway_responses.RateLimitedError, "title", "Slow down")
    monkeypatch.setattr(
        gateway_responses, "ANSWERS", {**gateway_responses.ANSWERS, "THROTTLED": gateway_responses.RateLimitedError()}
    )
    assert snapshot(tmp_path) != before
