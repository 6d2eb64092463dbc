"""The REST API in one process: real API Gateway events, the real authorizer, the real handlers."""

import importlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import anyio
import httpx

from chatsphere.access.principal import Principal
from infra.catalog import FUNCTIONS, AuthorizerTrigger, FunctionSpec, HttpTrigger, Route

ARN = "arn:aws:execute-api:eu-central-1:123456789012:abcdef1234/v1stage/{method}{path}"


@dataclass(frozen=True)
class Answer:
    """What the client receives."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        """The body's value."""
        return json.loads(self.text)

    @property
    def code(self) -> str:
        """The problem's code, '' where the answer is no problem."""
        return str(self.json.get("code", "")) if "problem" in self.headers.get("Content-Type", "") else ""


@dataclass
class RestApi:
    """API Gateway without a network. Handlers are imported when first asked."""

    calls: list[str] = field(default_factory=list)
    address: str = "127.0.0.1"

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, list[str]] | None = None,
        raw_body: str | None = None,
        base64: bool = False,
        caller: Principal | None = None,
        address: str | None = None,
    ) -> Answer:
        """Send one request: `body` as JSON, or `raw_body` as it is.

        With a `caller` the authorizer is not asked: as if it had established who that is.
        """
        function, route, parameters = _find(method, path)
        sent = {"Content-Type": "application/json", "Accept-Encoding": "gzip, br"} | dict(headers or {})
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        event = proxy_event(method, path, route.path, parameters, sent, query or {})
        event["body"] = raw_body if body is None else json.dumps(body)
        event["isBase64Encoded"] = base64
        event["requestContext"]["identity"]["sourceIp"] = address or self.address
        if caller is not None:
            event["requestContext"]["authorizer"] = caller.to_context()
        elif not route.public:
            decision = authorize(sent, method, path)
            if decision["policyDocument"]["Statement"][0]["Effect"] == "Deny":
                return _denied(decision["context"], event["requestContext"]["requestId"])
            event["requestContext"]["authorizer"] = decision["context"] | {"principalId": decision["principalId"]}
        self.calls.append(function.name)
        if isinstance(function.trigger, HttpTrigger) and function.trigger.streaming:
            return anyio.run(_streamed, _module(function.name).app, event)
        return _answer(_module(function.name).handler(event, None))


def authorize(headers: Mapping[str, str], method: str = "GET", path: str = "/v1/me") -> dict[str, Any]:
    """Ask the authorizer function."""
    function = next(f for f in FUNCTIONS if isinstance(f.trigger, AuthorizerTrigger))
    event = proxy_event(method, path, path, {}, headers, {}) | {
        "type": "REQUEST",
        "methodArn": ARN.format(method=method, path=path),
    }
    decision: dict[str, Any] = _module(function.name).handler(event, None)
    return decision


def proxy_event(
    method: str,
    path: str,
    resource: str,
    parameters: Mapping[str, str],
    headers: Mapping[str, str],
    query: Mapping[str, list[str]],
) -> dict[str, Any]:
    """Make an event as API Gateway's REST API makes it (payload version 1.0)."""
    return {
        "resource": resource,
        "path": path,
        "httpMethod": method,
        "headers": dict(headers),
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
        "multiValueQueryStringParameters": dict(query) or None,
        "pathParameters": dict(parameters) or None,
        "stageVariables": None,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "abcdef1234",
            "httpMethod": method,
            "identity": {"sourceIp": "127.0.0.1", "userAgent": "tests"},
            "path": f"/v1stage{path}",
            "protocol": "HTTP/1.1",
            "requestId": str(uuid4()),
            "requestTime": "01/Jan/2026:00:00:00 +0000",
            "requestTimeEpoch": 1767225600000,
            "resourceId": "abc123",
            "resourcePath": resource,
            "stage": "v1stage",
        },
        "body": None,
        "isBase64Encoded": False,
    }


def _find(method: str, path: str) -> tuple[FunctionSpec, Route, dict[str, str]]:
    for function in FUNCTIONS:
        if isinstance(function.trigger, HttpTrigger):
            for route in function.trigger.routes:
                match = re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", route.path), path)
                if match and route.method == method:
                    return function, route, match.groupdict()
    raise LookupError(f"the catalog has no route {method} {path}")


def _module(function: str) -> Any:
    return importlib.import_module(f"functions.{function}.handler")


def _answer(answer: Mapping[str, Any]) -> Answer:
    assert answer["isBase64Encoded"] is False
    headers = {name: values[0] for name, values in answer["multiValueHeaders"].items()}
    return Answer(answer["statusCode"], headers, answer["body"] or "")


def _denied(said: Mapping[str, str], request_id: str) -> Answer:
    """Answer as API Gateway does, with what the authorizer said of its refusal."""
    problem = {**said, "type": f"urn:chatsphere:problem:{said['code']}", "status": 401, "request_id": request_id}
    headers = {"Content-Type": "application/problem+json", "X-Request-Id": request_id}
    return Answer(401, headers, json.dumps(problem))


async def _streamed(app: Any, event: Mapping[str, Any]) -> Answer:
    """Ask an ASGI application as the Lambda Web Adapter does."""
    headers = {**event["headers"], "x-amzn-request-context": json.dumps(event["requestContext"])}
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://function") as client:
        response = await client.request(
            event["httpMethod"],
            # The client takes no path that holds what cannot stand in one.
            quote(event["path"]),
            params=event["multiValueQueryStringParameters"],
            content=event["body"] or "",
            headers=headers,
        )
    names = {name.title(): value for name, value in response.headers.items()}
    return Answer(response.status_code, names, response.text)
