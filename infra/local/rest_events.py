"""API Gateway's REST API events (proxy format 1.0), made from HTTP requests, and the answers to them.

https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

import base64
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from infra.local.errors import FunctionFailedError
from infra.local.routing import Match
from infra.local.stand_in_plan import ACCOUNT, REGION

API_ID = "local"
STAGE = "local"
HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "expect",
        "content-length",
    }
)

HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+")
NOT_IN_A_HEADER = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

Headers = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request as the gateway received it; `path` is still percent-encoded."""

    method: str
    path: str
    query: str
    headers: Headers
    source_ip: str
    request_id: str
    received: datetime
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """Return the last value of a header, by its lower-case name."""
        return next((value for key, value in reversed(self.headers) if key == name), None)


@dataclass(frozen=True, slots=True)
class Answer:
    """A function's HTTP response."""

    status: int
    headers: Headers
    body: bytes


def proxy_event(request: Request, match: Match, authorizer: dict[str, str] | None) -> dict[str, Any]:
    """Return the event for the function behind the route. `authorizer` is the authorizer's context, if asked."""
    body, encoded = _encode_body(request.body)
    event = _common(request, match) | {"body": body, "isBase64Encoded": encoded}
    if authorizer is not None:
        event["requestContext"]["authorizer"] = authorizer
    return event


def authorizer_event(request: Request, match: Match) -> dict[str, Any]:
    """Return the REQUEST event for the Lambda authorizer; it does not see the body."""
    arn = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{API_ID}/{STAGE}/{request.method}{request.path}"
    return {"type": "REQUEST", "methodArn": arn} | _common(request, match)


def parse_answer(payload: bytes) -> Answer:
    """Return a proxy function's response.

    Raises:
        FunctionFailedError: it is not a proxy response; API Gateway answers 502 to that.
    """
    try:
        answer = json.loads(payload)
        body = "" if answer.get("body") is None else answer["body"]
        content = base64.b64decode(body) if answer.get("isBase64Encoded") else body.encode()
        return Answer(response_status(answer), response_headers(answer), content)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise FunctionFailedError("the function's result is no proxy response") from None


def response_status(answer: dict[str, Any]) -> int:
    """Return the status of a proxy response or of a stream's prelude; raises like a lookup if there is none."""
    status = int(answer["statusCode"])
    if not 200 <= status <= 599:
        raise ValueError(status)
    return status


def response_headers(answer: dict[str, Any]) -> Headers:
    """Return the headers of a proxy response or of a stream's prelude; multi-value headers win over single ones.

    Raises:
        ValueError: a header would break the response's syntax.
    """
    values = {name.lower(): [str(value)] for name, value in (answer.get("headers") or {}).items()}
    for name, many in (answer.get("multiValueHeaders") or {}).items():
        values[name.lower()] = [str(value) for value in many]
    values.setdefault("set-cookie", []).extend(answer.get("cookies") or [])
    headers = [(name, value) for name, many in values.items() if name not in HOP_BY_HOP for value in many]
    if not all(HEADER_NAME.fullmatch(name) and not NOT_IN_A_HEADER.search(value) for name, value in headers):
        raise ValueError("illegal header")
    return headers


def _common(request: Request, match: Match) -> dict[str, Any]:
    headers = [(name, value) for name, value in request.headers if name not in HOP_BY_HOP]
    headers += [("x-forwarded-for", request.source_ip), ("x-forwarded-proto", "http")]
    query = parse_qsl(request.query, keep_blank_values=True)
    return {
        "resource": match.route.path,
        "path": request.path,
        "httpMethod": request.method,
        "headers": dict(headers),
        "multiValueHeaders": _multiple(headers),
        "queryStringParameters": dict(query) or None,
        "multiValueQueryStringParameters": _multiple(query) or None,
        "pathParameters": match.parameters or None,
        "stageVariables": None,
        "requestContext": _request_context(request, match),
    }


def _request_context(request: Request, match: Match) -> dict[str, Any]:
    return {
        "accountId": ACCOUNT,
        "apiId": API_ID,
        "domainName": request.header("host") or "localhost",
        "domainPrefix": API_ID,
        "extendedRequestId": request.request_id,
        "httpMethod": request.method,
        "identity": {
            "sourceIp": request.source_ip,
            "userAgent": request.header("user-agent"),
            "apiKey": None,
            "user": None,
        },
        "path": request.path,
        "protocol": "HTTP/1.1",
        "requestId": request.request_id,
        "requestTime": request.received.astimezone(UTC).strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "requestTimeEpoch": int(request.received.timestamp() * 1000),
        "resourceId": API_ID,
        "resourcePath": match.route.path,
        "stage": STAGE,
    }


def _multiple(pairs: Headers) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name, value in pairs:
        grouped.setdefault(name, []).append(value)
    return grouped


def _encode_body(body: bytes) -> tuple[str | None, bool]:
    if not body:
        return None, False
    try:
        return body.decode(), False
    except UnicodeDecodeError:
        return base64.b64encode(body).decode(), True
