"""What API Gateway answers itself: the product's problem documents, with its codes."""

import json
from typing import Any

import pytest

from chatsphere.bootstrap import Container
from chatsphere.errors import ChatSphereError, MissingCredentialError, UnauthorizedError
from chatsphere.http.problem import Problem
from chatsphere.identity.authorizer import authorize
from infra.cloud.constructs.gateway_responses import (
    BadRequestError,
    FunctionFailedError,
    FunctionTimedOutError,
    RateLimitedError,
)
from infra.local import gateway as local
from tests.infra.cloud.templates import Deployment
from tests.infra.cloud.test_api import definition

TYPES = {
    "ACCESS_DENIED", "API_CONFIGURATION_ERROR", "AUTHORIZER_CONFIGURATION_ERROR", "AUTHORIZER_FAILURE",
    "BAD_REQUEST_BODY", "BAD_REQUEST_PARAMETERS", "DEFAULT_4XX", "DEFAULT_5XX", "EXPIRED_TOKEN",
    "INTEGRATION_FAILURE", "INTEGRATION_TIMEOUT", "INVALID_API_KEY", "INVALID_SIGNATURE",
    "MISSING_AUTHENTICATION_TOKEN", "QUOTA_EXCEEDED", "REQUEST_TOO_LARGE", "RESOURCE_NOT_FOUND", "THROTTLED",
    "UNAUTHORIZED", "UNSUPPORTED_MEDIA_TYPE", "WAF_FILTERED",
}  # fmt: skip
EXPECTED = {
    "UNAUTHORIZED": (401, "missing_credential"),
    "ACCESS_DENIED": (401, "$context.authorizer.code"),
    "MISSING_AUTHENTICATION_TOKEN": (404, "not_found"),
    "INVALID_SIGNATURE": (404, "not_found"),
    "THROTTLED": (429, "rate_limited"),
    "REQUEST_TOO_LARGE": (413, "payload_too_large"),
    "UNSUPPORTED_MEDIA_TYPE": (415, "unsupported_media_type"),
    "AUTHORIZER_FAILURE": (503, "unavailable"),
    "INTEGRATION_TIMEOUT": (504, "timeout"),
    "DEFAULT_5XX": (502, "internal_error"),
}


@pytest.fixture
def responses(deployment: Deployment) -> dict[str, dict[str, Any]]:
    return answers(deployment)


def answers(deployment: Deployment) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = definition(deployment.stacks["api"])["x-amazon-apigateway-gateway-responses"]
    return found


def known_codes(error: type[ChatSphereError] = ChatSphereError) -> set[str]:
    return {error.code}.union(*(known_codes(child) for child in error.__subclasses__()))


def body(response: dict[str, Any]) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(response["responseTemplates"]["application/json"])
    return parsed


def headers(response: dict[str, Any]) -> dict[str, str]:
    return {name.rpartition(".")[2]: value for name, value in response["responseParameters"].items()}


def test_every_kind_of_answer_is_ours(responses: dict[str, dict[str, Any]]) -> None:
    assert set(responses) == TYPES


@pytest.mark.parametrize("kind", sorted(TYPES))
def test_it_is_a_problem_document_with_a_known_code(responses: dict[str, dict[str, Any]], kind: str) -> None:
    response = responses[kind]
    document = Problem.model_validate(body(response))

    assert str(document.status) == response["statusCode"]
    assert document.code in known_codes() | {"$context.authorizer.code"}
    assert document.type == f"urn:chatsphere:problem:{document.code}"
    assert document.request_id == "$context.requestId"
    assert headers(response)["Content-Type"] == "'application/problem+json'"
    assert headers(response)["X-Request-Id"] == "context.requestId"
    assert ("WWW-Authenticate" in headers(response)) == (document.status == 401)
    assert ("Retry-After" in headers(response)) == (document.status in (429, 503))


@pytest.mark.parametrize(("kind", "expected"), EXPECTED.items())
def test_it_has_the_status_and_code(responses: dict[str, dict[str, Any]], kind: str, expected: tuple[int, str]) -> None:
    assert (body(responses[kind])["status"], body(responses[kind])["code"]) == expected


def test_a_refusal_has_the_authorizers_words(responses: dict[str, dict[str, Any]]) -> None:
    template = responses["ACCESS_DENIED"]["responseTemplates"]["application/json"]
    for header, code in [({}, "missing_credential"), ({"Authorization": "Basic eA=="}, "unauthorized")]:
        denial = authorize({"headers": header, "methodArn": "arn:aws:execute-api:r:1:a/live/GET/v1/me"}, Container({}))
        filled = template
        for name, value in denial["context"].items():
            filled = filled.replace(f"$context.authorizer.{name}", value)

        problem = Problem.model_validate(json.loads(filled))
        assert denial["policyDocument"]["Statement"][0]["Effect"] == "Deny"
        assert problem.code == code
        assert "$context.authorizer" not in filled


@pytest.mark.parametrize("kind", sorted(TYPES))
def test_a_client_of_openais_api_reads_it_too(responses: dict[str, dict[str, Any]], kind: str) -> None:
    error = body(responses[kind])["error"]

    assert error.keys() == {"message", "type", "param", "code"}
    assert error["message"] == body(responses[kind])["detail"]
    if responses[kind]["statusCode"] == "401":
        assert error["code"] == "invalid_api_key"


def test_one_machine_answers_with_the_same_codes() -> None:
    timed_out, failed = local.FunctionTimedOutError, local.FunctionUnavailableError
    assert (FunctionTimedOutError.code, FunctionTimedOutError.status) == (timed_out.code, timed_out.status)
    assert (FunctionFailedError.code, FunctionFailedError.status) == (failed.code, failed.status)


def test_codes_stay_distinct() -> None:
    errors = (BadRequestError, RateLimitedError, FunctionTimedOutError, MissingCredentialError, UnauthorizedError)
    assert len({error.code for error in errors}) == len(errors)


def test_any_page_may_read_these_answers_where_other_origins_are_allowed(lean: Deployment, scale: Deployment) -> None:
    assert lean.config.console_origins
    for deployment in (lean, scale):
        for response in answers(deployment).values():
            allowed = headers(response).get("Access-Control-Allow-Origin")
            assert allowed == ("'*'" if deployment.config.console_origins else None)
