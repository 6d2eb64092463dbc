"""HTTP requests become REST proxy events, and proxy responses become HTTP."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from infra.catalog import Route
from infra.local.errors import FunctionFailedError
from infra.local.rest_events import Request, authorizer_event, parse_answer, proxy_event, response_headers
from infra.local.routing import Match

MATCH = Match("things", streaming=False, route=Route("POST", "/v1/things/{id}"), parameters={"id": "a b"})


def a_request(**changes: Any) -> Request:
    values: dict[str, Any] = {
        "method": "POST",
        "path": "/v1/things/a%20b",
        "query": "tag=x&tag=%C3%BC+y&empty=",
        "headers": [("host", "h:1"), ("accept", "a"), ("accept", "b"), ("connection", "close")],
        "source_ip": "127.0.0.9",
        "request_id": "r-1",
        "received": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        "body": b'{"a": 1}',
    }
    return Request(**values | changes)


def test_event_has_the_rest_shape() -> None:
    event = proxy_event(a_request(), MATCH, {"principalId": "p"})
    assert event["resource"] == "/v1/things/{id}"
    assert event["path"] == "/v1/things/a%20b"
    assert event["httpMethod"] == "POST"
    assert event["pathParameters"] == {"id": "a b"}
    assert event["queryStringParameters"] == {"tag": "ü y", "empty": ""}
    assert event["multiValueQueryStringParameters"] == {"tag": ["x", "ü y"], "empty": [""]}
    assert event["headers"]["accept"] == "b"
    assert event["multiValueHeaders"]["accept"] == ["a", "b"]
    assert "connection" not in event["headers"]
    assert event["stageVariables"] is None
    assert (event["body"], event["isBase64Encoded"]) == ('{"a": 1}', False)
    context = event["requestContext"]
    assert context["requestId"] == "r-1"
    assert context["identity"]["sourceIp"] == "127.0.0.9"
    assert context["resourcePath"] == "/v1/things/{id}"
    assert context["requestTimeEpoch"] == 1767323045000
    assert context["requestTime"] == "02/Jan/2026:03:04:05 +0000"
    assert context["authorizer"] == {"principalId": "p"}


def test_public_route_has_no_authorizer_context() -> None:
    assert "authorizer" not in proxy_event(a_request(), MATCH, None)["requestContext"]


def test_empty_parts_are_null() -> None:
    match = Match("things", streaming=False, route=Route("GET", "/v1"), parameters={})
    event = proxy_event(a_request(query="", body=b""), match, None)
    assert event["queryStringParameters"] is None
    assert event["multiValueQueryStringParameters"] is None
    assert event["pathParameters"] is None
    assert event["body"] is None


def test_binary_body_is_base64() -> None:
    event = proxy_event(a_request(body=b"\xff\x00"), MATCH, None)
    assert event["isBase64Encoded"]
    assert base64.b64decode(event["body"]) == b"\xff\x00"


def test_authorizer_does_not_see_the_body() -> None:
    event = authorizer_event(a_request(), MATCH)
    assert event["type"] == "REQUEST"
    assert event["methodArn"].endswith("/POST/v1/things/a%20b")
    assert "body" not in event


def test_answer() -> None:
    headers = {"Content-Type": "text/plain", "X": "1", "Connection": "close", "Content-Length": "999"}
    payload = {"statusCode": 201, "headers": headers, "multiValueHeaders": {"x": ["2", "3"]}, "body": "ü"}
    answer = parse_answer(json.dumps(payload).encode())
    assert answer.status == 201
    assert sorted(answer.headers) == [("content-type", "text/plain"), ("x", "2"), ("x", "3")]
    assert answer.body == "ü".encode()


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"null",
        b"[]",
        b'"x"',
        b"{}",
        b'{"statusCode": "x"}',
        b'{"statusCode": 99}',
        b'{"statusCode": 200, "body": {}}',
        b'{"statusCode": 200, "headers": {"a": "1\\r\\nb: 2"}}',
        b'{"statusCode": 200, "headers": {"a b": "1"}}',
    ],
)
def test_result_that_is_no_answer(payload: bytes) -> None:
    with pytest.raises(FunctionFailedError):
        parse_answer(payload)


def test_cookies_of_a_stream_are_headers() -> None:
    assert response_headers({"cookies": ["a=1", "b=2"]}) == [("set-cookie", "a=1"), ("set-cookie", "b=2")]
