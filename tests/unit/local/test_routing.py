"""Requests find their function as in API Gateway."""

import pytest

from chatsphere.errors import NotFoundError
from infra.catalog import FunctionSpec, HttpTrigger, Route
from infra.local.routing import MethodNotAllowedError, RouteTable

TABLE = RouteTable(
    [
        FunctionSpec("things", HttpTrigger((Route("GET", "/v1/things/{id}"), Route("DELETE", "/v1/things/{id}"))), ()),
        FunctionSpec("mine", HttpTrigger((Route("GET", "/v1/things/mine"),)), ()),
        FunctionSpec("parts", HttpTrigger((Route("POST", "/v1/things/{id}/parts/{part}"),), streaming=True), ()),
    ]
)


def test_parameters_are_decoded() -> None:
    match = TABLE.find("POST", "/v1/things/a%2Fb/parts/%C3%BC%20")
    assert (match.function, match.streaming) == ("parts", True)
    assert match.parameters == {"id": "a/b", "part": "ü "}


def test_literal_segment_wins_over_parameter() -> None:
    assert TABLE.find("GET", "/v1/things/mine").function == "mine"


@pytest.mark.parametrize("path", ["/", "/v1/things", "/v1/things/", "/v1/things/1/", "//v1/things/1", "/V1/things/1"])
def test_unknown_path(path: str) -> None:
    with pytest.raises(NotFoundError):
        TABLE.find("GET", path)


def test_method_the_path_does_not_have() -> None:
    with pytest.raises(MethodNotAllowedError) as caught:
        TABLE.find("PUT", "/v1/things/1")
    assert caught.value.allowed == ("DELETE", "GET")
