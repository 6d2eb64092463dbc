"""REST events become ASGI scopes as under the AWS Lambda Web Adapter."""

import json
from typing import Any

from infra.local.web_adapter import http_scope, prelude, request_body

EVENT: dict[str, Any] = {
    "httpMethod": "POST",
    "path": "/a%20b",
    "multiValueHeaders": {
        "Accept": ["x", "y"],
        "X-Amzn-Request-Context": ["forged"],
        "x-amzn-lambda-context": ["forged"],
    },
    "multiValueQueryStringParameters": {"q": ["1 &", "ü"]},
    "requestContext": {"requestId": "r"},
    "body": "aGk=",
    "isBase64Encoded": True,
}


def test_context_headers_are_the_adapters_own() -> None:
    scope = http_scope(EVENT, {"request_id": "i"})
    values = [json.loads(value) for name, value in scope["headers"] if name == b"x-amzn-request-context"]
    assert values == [{"requestId": "r"}]
    values = [json.loads(value) for name, value in scope["headers"] if name == b"x-amzn-lambda-context"]
    assert values == [{"request_id": "i"}]


def test_scope() -> None:
    scope = http_scope(EVENT, {})
    assert (scope["method"], scope["path"], scope["raw_path"]) == ("POST", "/a b", b"/a%20b")
    assert scope["query_string"] == b"q=1+%26&q=%C3%BC"
    assert [value for name, value in scope["headers"] if name == b"accept"] == [b"x", b"y"]


def test_body() -> None:
    assert request_body(EVENT) == b"hi"
    assert request_body(EVENT | {"body": "ü", "isBase64Encoded": False}) == "ü".encode()
    assert request_body(EVENT | {"body": None}) == b""


def test_prelude() -> None:
    content = json.loads(prelude(201, [(b"a", b"1"), (b"a", b"2"), (b"set-cookie", b"c=1")]))
    assert content == {
        "statusCode": 201,
        "headers": {"a": "2"},
        "multiValueHeaders": {"a": ["1", "2"]},
        "cookies": ["c=1"],
    }
