"""Errors as clients of OpenAI's API read them, beside the problem document: a member `error` of the same body.

Those clients choose their error classes by the status, so that some statuses differ from the other routes'.
"""

import re
from typing import Any, Final

from chatsphere.errors import (
    BudgetExhaustedError,
    ChatSphereError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    ProviderRejectedError,
    QuotaExceededError,
    RequestInProgressError,
    TooManyRequestsError,
    UnauthorizedError,
)
from chatsphere.http.problem import problem, problem_headers

Json = dict[str, Any]

EXHAUSTED: Final = (QuotaExceededError, BudgetExhaustedError)
"""Where the month's messages or budget are used up."""

FIELD_CODES: Final = {"missing": "missing_required_parameter", "extra_forbidden": "unknown_parameter"}
"""What the validator calls the fault of a field, and what OpenAI does."""


class ModelNotFoundError(NotFoundError):
    """The `model` names no bot that the caller may ask: unknown, another tenant's, or not shown to the caller."""

    def __init__(self, model: str) -> None:
        super().__init__(f"The model `{model}` does not exist or you do not have access to it.")


def openai_status(error: ChatSphereError) -> int:
    """Return the status from which a client of OpenAI's API makes the right error."""
    if isinstance(error, EXHAUSTED):
        return 429
    return 400 if error.status == 422 else error.status


def error_object(error: ChatSphereError) -> Json:
    """Return what such a client finds under `error`. An internal error's own words stay in the log."""
    status = openai_status(error)
    type_, code = _type_and_code(error, status)
    param = None
    message = str(problem(error, "")["detail"])
    if isinstance(error, InvalidRequestError) and error.errors:
        field = error.errors[0]
        param, message = parameter(field.pointer), field.detail
        code = FIELD_CODES.get(field.code, field.code if field.code.startswith("unsupported_") else "invalid_value")
    return {"message": message, "type": type_, "param": param, "code": code}


def openai_problem(error: ChatSphereError, request_id: str) -> Json:
    """Return the problem document with the client's `error` in it."""
    return problem(error, request_id) | {"status": openai_status(error), "error": error_object(error)}


def gateway_problem(error: ChatSphereError, request_id: str) -> Json:
    """Return the problem document of an error of a gateway's own, which does not know whose client is asking."""
    return problem(error, request_id) | {"error": error_object(error)}


def openai_headers(error: ChatSphereError) -> dict[str, str]:
    """Return the problem's headers, and where the client would try in vain again, one that says so."""
    in_vain = isinstance(error, (*EXHAUSTED, ProviderRejectedError)) or (
        isinstance(error, ConflictError) and not isinstance(error, RequestInProgressError)
    )
    return problem_headers(error) | ({"x-should-retry": "false"} if in_vain else {})


def parameter(pointer: str) -> str:
    """Return a field's pointer as OpenAI writes it: `body/messages/0/content` is `messages[0].content`."""
    return re.sub(r"/(\d+)(?=/|$)", r"[\1]", pointer.removeprefix("body/")).replace("/", ".")


def _type_and_code(error: ChatSphereError, status: int) -> tuple[str, str]:
    match error:
        case QuotaExceededError() | BudgetExhaustedError():
            return "insufficient_quota", "insufficient_quota"
        case TooManyRequestsError():
            return "requests", "rate_limit_exceeded"
        case ModelNotFoundError():
            return "invalid_request_error", "model_not_found"
        case UnauthorizedError():
            return "invalid_request_error", "invalid_api_key"
        case _:
            return ("server_error" if status >= 500 else "invalid_request_error"), error.code
