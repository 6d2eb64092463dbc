"""What API Gateway answers itself, in the product's own words: problem documents with stable codes."""

import json
from collections.abc import Mapping
from typing import Any, Final

from chatsphere.errors import (
    ChatSphereError,
    ForbiddenError,
    MissingCredentialError,
    NotFoundError,
    PayloadTooLargeError,
    UnauthorizedError,
    UnavailableError,
    UnsupportedMediaTypeError,
)
from chatsphere.http.cors import EXPOSED_HEADERS
from chatsphere.http.openai_errors import gateway_problem
from chatsphere.http.problem import CONTENT_TYPE, problem_headers

REQUEST_ID: Final = "$context.requestId"
MAX_BODY_BYTES: Final = 10 * 1024 * 1024


class BadRequestError(ChatSphereError):
    """The request is no HTTP request that the gateway takes."""

    code = "bad_request"
    status = 400
    title = "The request is not understood"


class RateLimitedError(ChatSphereError):
    """There are more requests than the deployment takes at a time."""

    code = "rate_limited"
    status = 429
    title = "Too many requests"


class FunctionTimedOutError(ChatSphereError):
    """The function did not answer in time."""

    code = "timeout"
    status = 504
    title = "The service did not answer in time"


class FunctionFailedError(ChatSphereError):
    """The function failed before it answered, or answered with what is no response."""

    status = 502


_NO_ROUTE: Final = NotFoundError("There is no such route.")

ANSWERS: Final[Mapping[str, ChatSphereError]] = {
    "UNAUTHORIZED": MissingCredentialError(),
    # Without a route there is no method whose authorization could be something else than AWS's own signatures:
    # the gateway finds fault with the Authorization header, where the path is what is wrong.
    "MISSING_AUTHENTICATION_TOKEN": _NO_ROUTE,
    "EXPIRED_TOKEN": _NO_ROUTE,
    "INVALID_SIGNATURE": _NO_ROUTE,
    "INVALID_API_KEY": _NO_ROUTE,
    "RESOURCE_NOT_FOUND": _NO_ROUTE,
    "BAD_REQUEST_BODY": BadRequestError(),
    "BAD_REQUEST_PARAMETERS": BadRequestError(),
    "DEFAULT_4XX": BadRequestError(),
    "REQUEST_TOO_LARGE": PayloadTooLargeError(f"The body exceeds {MAX_BODY_BYTES} bytes"),
    "UNSUPPORTED_MEDIA_TYPE": UnsupportedMediaTypeError(),
    "THROTTLED": RateLimitedError(),
    "QUOTA_EXCEEDED": RateLimitedError(),
    "WAF_FILTERED": ForbiddenError("The web application firewall refused the request."),
    "AUTHORIZER_FAILURE": UnavailableError(),
    "AUTHORIZER_CONFIGURATION_ERROR": ChatSphereError(),
    "API_CONFIGURATION_ERROR": ChatSphereError(),
    "INTEGRATION_FAILURE": UnavailableError(),
    "INTEGRATION_TIMEOUT": FunctionTimedOutError(),
    "DEFAULT_5XX": FunctionFailedError(),
}
"""Each response type of API Gateway that is always the same; `ACCESS_DENIED` has the authorizer's words."""


def gateway_responses(*, cross_origin: bool) -> dict[str, Any]:
    """Return the API's own answers by response type; `cross_origin` lets pages of other origins read them."""
    answers = {
        type_: _response(error.status, gateway_problem(error, REQUEST_ID), _headers(error), cross_origin)
        for type_, error in ANSWERS.items()
    }
    denied = _response(401, _denied(), _headers(UnauthorizedError()), cross_origin)
    return answers | {"ACCESS_DENIED": denied}


def _denied() -> dict[str, Any]:
    """Return the body of a refusal, in the words of the authorizer's context.

    The template places them as they are: the authorizer uses no word that would need escaping in JSON.
    """
    answer = gateway_problem(UnauthorizedError(), REQUEST_ID)
    return answer | {
        "type": "urn:chatsphere:problem:$context.authorizer.code",
        "title": "$context.authorizer.title",
        "detail": "$context.authorizer.detail",
        "code": "$context.authorizer.code",
        "error": answer["error"] | {"message": "$context.authorizer.detail"},
    }


def _headers(error: ChatSphereError) -> dict[str, str]:
    return {**problem_headers(error), **({"Retry-After": "1"} if isinstance(error, RateLimitedError) else {})}


def _response(status: int, body: Mapping[str, Any], headers: Mapping[str, str], cross_origin: bool) -> dict[str, Any]:
    fixed = {"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store", **headers}
    if cross_origin:
        # A gateway response cannot choose by the request's origin. It tells nothing that needs to be kept from a
        # page of another one, and no browser adds a credential of its own.
        fixed |= {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": EXPOSED_HEADERS}
    sent = {"X-Request-Id": "context.requestId", **{name: f"'{value}'" for name, value in fixed.items()}}
    return {
        "statusCode": str(status),
        "responseParameters": {f"gatewayresponse.header.{name}": value for name, value in sent.items()},
        "responseTemplates": {"application/json": json.dumps(body)},
    }
