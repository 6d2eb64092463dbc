"""The HTTP edge through real API Gateway events, over a router made for the purpose."""

import base64
import json
import logging
from collections.abc import Mapping
from datetime import datetime
from io import StringIO
from typing import Any
from uuid import UUID

import pytest
from aws_lambda_powertools.event_handler.api_gateway import Router

from chatsphere.access.permissions import Role
from chatsphere.access.principal import Principal
from chatsphere.errors import ConflictError, UnavailableError
from chatsphere.http.models import ApiRequest, ApiResponse
from chatsphere.http.operations import PUBLIC, no_content
from chatsphere.http.pagination import Cursor, Limit, decode_cursor
from chatsphere.http.rest_api import Handler, lambda_handler, principal, rest_api
from chatsphere.observability import logger
from tests.builders.rest_api import proxy_event

SECRET = "postgresql://user:secret@host/db"


class Body(ApiRequest):
    name: str
    size: int = 0


class Shown(ApiResponse):
    name: str
    at: datetime


def routes() -> Router:
    router = Router()

    @router.post("/v1/things", status_code=201, openapi_extensions=PUBLIC)
    def make(body: Body) -> Shown:
        return Shown(name=body.name, at=datetime.fromisoformat("2026-07-01T12:00:00+02:00"))

    @router.get("/v1/things", openapi_extensions=PUBLIC)
    def page(limit: Limit = 20, cursor: Cursor = None) -> dict[str, Any]:
        return {"limit": limit, "after": str(decode_cursor(cursor))}

    @router.get("/v1/things/<thing_id>", openapi_extensions=PUBLIC)
    def get(thing_id: UUID) -> dict[str, str]:
        return {"id": str(thing_id)}

    @router.delete("/v1/things/<thing_id>", openapi_extensions=PUBLIC)
    def delete(thing_id: UUID) -> Any:
        return no_content()

    @router.post("/v1/actions", openapi_extensions=PUBLIC)
    def act() -> dict[str, bool]:
        return {"done": True}

    @router.get("/v1/errors/<kind>", openapi_extensions=PUBLIC)
    def fail(kind: str) -> Shown:
        if kind == "conflict":
            raise ConflictError("It is taken.")
        if kind == "unavailable":
            raise UnavailableError("The database does not answer.")
        if kind == "invalid-answer":
            return {"name": SECRET}  # type: ignore[return-value]
        raise RuntimeError(SECRET)

    @router.get("/v1/caller", openapi_extensions=PUBLIC)
    def caller() -> dict[str, str]:
        return principal(router).to_context()

    return router


@pytest.fixture
def handler() -> Handler:
    return lambda_handler(rest_api(routes()))


def call(
    handler: Handler,
    method: str,
    path: str,
    body: str | None = None,
    *,
    headers: Mapping[str, str] | None = None,
    query: Mapping[str, list[str]] | None = None,
    **fields: Any,
) -> tuple[int, dict[str, Any], Mapping[str, list[str]]]:
    event = proxy_event(method, path, path, {}, headers or {"content-type": "application/json"}, query or {})
    answer = handler(event | {"body": body} | fields, None)
    assert answer["multiValueHeaders"]["X-Request-Id"] == [event["requestContext"]["requestId"]]
    value = json.loads(answer["body"]) if answer["body"] else {}
    if answer["statusCode"] >= 400:
        assert answer["multiValueHeaders"]["Content-Type"] == ["application/problem+json"]
        assert value["status"] == answer["statusCode"]
        assert value["request_id"] == event["requestContext"]["requestId"]
    return answer["statusCode"], value, answer["multiValueHeaders"]


def pointers(problem: Mapping[str, Any]) -> list[str]:
    return [error["pointer"] for error in problem.get("errors", [])]


def test_an_answer_is_json_with_times_in_utc(handler: Handler) -> None:
    status, value, headers = call(handler, "POST", "/v1/things", '{"name": "é"}')

    assert (status, value) == (201, {"name": "é", "at": "2026-07-01T10:00:00Z"})
    assert headers["Content-Type"] == ["application/json"]


def test_an_answer_without_content_has_no_body(handler: Handler) -> None:
    status, _, headers = call(handler, "DELETE", "/v1/things/01970000-0000-7000-8000-000000000001")

    assert status == 204
    assert "Content-Type" not in headers


@pytest.mark.parametrize(
    ("body", "status", "code", "where"),
    [
        (None, 422, "invalid_request", ["body"]),
        ("", 422, "invalid_request", ["body"]),
        ("null", 422, "invalid_request", ["body"]),
        ("[]", 422, "invalid_request", ["body"]),
        ('[{"name": "x"}]', 422, "invalid_request", ["body"]),
        ('"text"', 422, "invalid_request", ["body"]),
        ("{}", 422, "invalid_request", ["body/name"]),
        ('{"name": 5}', 422, "invalid_request", ["body/name"]),
        ('{"name": null}', 422, "invalid_request", ["body/name"]),
        ('{"name": ["x"]}', 422, "invalid_request", ["body/name"]),
        ('{"name": "x", "size": 1e999}', 422, "invalid_request", ["body/size"]),
        ('{"name": "x", "size": "large"}', 422, "invalid_request", ["body/size"]),
        ('{"name": "x", "other": 1}', 422, "invalid_request", ["body/other"]),
        ('{"name": "x", "\\ud800": 1}', 422, "invalid_request", ["body"]),
        ('{"name": "a\\u0000b"}', 422, "invalid_request", ["body/name"]),
        ('{"name": "\\ud800"}', 422, "invalid_request", ["body/name"]),
        ("\ud800", 400, "malformed_body", []),
        ("{", 400, "malformed_body", []),
        ('{"name": NaN}', 400, "malformed_body", []),
        ('{"name": "x", "size": ' + "9" * 5000 + "}", 400, "malformed_body", []),
        ("[" * 10_000, 400, "malformed_body", []),
        ('{"name":' + "[" * 10_000 + "]" * 10_000 + "}", 400, "malformed_body", []),
        ('{"name":' + "[" * 500 + "]" * 500 + "}", 400, "malformed_body", []),
    ],
)
def test_a_bad_body_is_a_problem_that_names_the_field(
    handler: Handler, body: str | None, status: int, code: str, where: list[str]
) -> None:
    answered, problem, _ = call(handler, "POST", "/v1/things", body)

    assert (answered, problem["code"], pointers(problem)) == (status, code, where)


def test_a_number_past_every_column_is_read_as_a_number(handler: Handler) -> None:
    assert call(handler, "POST", "/v1/things", '{"name": "x", "size": ' + "9" * 400 + "}")[0] == 201


@pytest.mark.parametrize(
    ("raw", "status"),
    [(b'{"name": "x"}', 201), (b'\xef\xbb\xbf{"name": "x"}', 201), (b'{"name": "\xff"}', 400), (b"\xff\xfe", 400)],
)
def test_a_body_in_base64_is_decoded(handler: Handler, raw: bytes, status: int) -> None:
    body = base64.b64encode(raw).decode()

    assert call(handler, "POST", "/v1/things", body, isBase64Encoded=True)[0] == status


@pytest.mark.parametrize("body", ["é", "a", "!!!!"])
def test_a_body_that_is_no_base64_after_all_is_malformed(handler: Handler, body: str) -> None:
    status, problem, _ = call(handler, "POST", "/v1/things", body, isBase64Encoded=True)

    assert (status, problem["code"]) == (400, "malformed_body")


@pytest.mark.parametrize("name", ["Content-Type", "content-type", "CONTENT-TYPE"])
@pytest.mark.parametrize("declared", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_another_content_type_is_refused(handler: Handler, name: str, declared: str) -> None:
    status, problem, _ = call(handler, "POST", "/v1/things", '{"name": "x"}', headers={name: declared})

    assert (status, problem["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("headers", [{"X": "y"}, {"content-type": "APPLICATION/JSON;charset=UTF-8"}])
def test_json_is_read_however_it_is_declared(handler: Handler, headers: dict[str, str]) -> None:
    assert call(handler, "POST", "/v1/things", '{"name": "x"}', headers=headers)[0] == 201


def test_a_body_past_the_limit_is_too_large(handler: Handler) -> None:
    status, problem, _ = call(handler, "POST", "/v1/things", '{"name": "' + "x" * 5_300_000 + '"}')

    assert (status, problem["code"]) == (413, "payload_too_large")


def test_an_operation_without_a_body_needs_none(handler: Handler) -> None:
    assert call(handler, "POST", "/v1/actions")[1] == {"done": True}


@pytest.mark.parametrize(
    "thing_id", ["x", "1", "'; DROP TABLE bots; --", "01970000-0000-7000-8000-00000000000g", "%00"]
)
def test_an_id_that_cannot_be_one_is_answered_like_a_missing_object(handler: Handler, thing_id: str) -> None:
    status, problem, _ = call(handler, "GET", f"/v1/things/{thing_id}")

    assert (status, problem["code"], problem["detail"]) == (404, "not_found", "There is no such thing.")
    assert "errors" not in problem


@pytest.mark.parametrize("path", ["/v1/nothing", "/", "/v1/things/a/b", "/v1/things/\x00"])
def test_an_unknown_route_is_not_found(handler: Handler, path: str) -> None:
    status, problem, _ = call(handler, "GET", path)

    assert (status, problem["code"]) == (404, "not_found")


def test_the_page_size_has_a_default(handler: Handler) -> None:
    assert call(handler, "GET", "/v1/things")[1] == {"limit": 20, "after": "None"}


@pytest.mark.parametrize(
    "query",
    [
        {"limit": ["0"]},
        {"limit": ["-1"]},
        {"limit": ["101"]},
        {"limit": ["ten"]},
        {"limit": [""]},
        {"limit": ["1", "2"]},
        {"limit": ["9" * 5000]},
        {"cursor": ["nonsense"]},
        {"cursor": [""]},
        {"cursor": ["é"]},
        {"cursor": ["\x00"]},
        {"cursor": ["AAAA", "BBBB"]},
        {"cursor": ["A" * 100_000]},
    ],
)
def test_a_bad_parameter_is_named(handler: Handler, query: dict[str, list[str]]) -> None:
    status, problem, _ = call(handler, "GET", "/v1/things", query=query)

    assert (status, problem["code"]) == (422, "invalid_request")
    assert pointers(problem)[0].endswith(next(iter(query)))


def test_an_error_of_ours_keeps_its_words(handler: Handler) -> None:
    status, problem, _ = call(handler, "GET", "/v1/errors/conflict")

    assert (status, problem["code"], problem["detail"]) == (409, "conflict", "It is taken.")
    assert problem["type"] == "urn:chatsphere:problem:conflict"


def test_an_unavailable_service_says_when_to_come_back(handler: Handler, caplog: pytest.LogCaptureFixture) -> None:
    status, _, headers = call(handler, "GET", "/v1/errors/unavailable")

    assert (status, headers["Retry-After"]) == (503, ["5"])
    assert [entry.message for entry in caplog.records] == ["request failed"]


@pytest.mark.parametrize("kind", ["unexpected", "invalid-answer"])
def test_an_error_that_nobody_meant_shows_nothing_of_itself(handler: Handler, kind: str) -> None:
    logged = StringIO()
    sink = logging.StreamHandler(logged)
    sink.setFormatter(logger.handlers[0].formatter)
    logger.addHandler(sink)

    status, problem, _ = call(handler, "GET", f"/v1/errors/{kind}")

    logger.handlers.remove(sink)
    assert (status, problem["code"], problem["detail"]) == (500, "internal_error", "Internal error")
    assert "unexpected error" in logged.getvalue()
    assert SECRET not in json.dumps(problem) + logged.getvalue()


def test_the_caller_is_who_the_authorizer_says(handler: Handler) -> None:
    caller = Principal(UUID(int=1), UUID(int=2), Role.OWNER, bot_ids=frozenset([UUID(int=3)]))

    event = proxy_event("GET", "/v1/caller", "/v1/caller", {}, {}, {})
    event["requestContext"]["authorizer"] = {"principalId": "x", "integrationLatency": 1, **caller.to_context()}

    assert Principal.from_context(json.loads(handler(event, None)["body"])) == caller


@pytest.mark.parametrize("authorizer", [None, {}, {"organization_id": "x"}, "text", {"scopes": 5}])
def test_a_request_without_a_caller_is_unauthorized(handler: Handler, authorizer: Any) -> None:
    event = proxy_event("GET", "/v1/caller", "/v1/caller", {}, {}, {})
    event["requestContext"]["authorizer"] = authorizer

    answer = handler(event, None)

    assert answer["statusCode"] == 401
    assert answer["multiValueHeaders"]["WWW-Authenticate"] == ["Bearer"]


def test_a_request_without_an_id_is_given_one(handler: Handler) -> None:
    event = proxy_event("GET", "/v1/nothing", "/v1/nothing", {}, {}, {})
    del event["requestContext"]["requestId"]

    answer = handler(event, None)

    assert answer["multiValueHeaders"]["X-Request-Id"] == [json.loads(answer["body"])["request_id"]]
