"""Errors as RFC 9457 problem documents."""

from typing import Any

from pydantic import BaseModel, ConfigDict

from chatsphere.errors import (
    ChatSphereError,
    InvalidRequestError,
    RequestInProgressError,
    TooManyRequestsError,
    UnauthorizedError,
    UnavailableError,
)

CONTENT_TYPE = "application/problem+json"


class ProblemField(BaseModel):
    """One invalid field of the request."""

    pointer: str
    code: str
    detail: str


class Problem(BaseModel):
    """An error's body. `code` is stable; programs should decide by it and by nothing else."""

    model_config = ConfigDict(title="Problem")

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: list[ProblemField] | None = None


def problem(error: ChatSphereError, request_id: str) -> dict[str, Any]:
    """Return the problem document of an error. An internal error's own words stay in the log."""
    internal = error.status >= 500 and not isinstance(error, UnavailableError)
    fields = error.errors if isinstance(error, InvalidRequestError) else ()
    return Problem(
        type=f"urn:chatsphere:problem:{error.code}",
        title=error.title,
        status=error.status,
        detail=error.title if internal else error.detail,
        code=error.code,
        request_id=request_id,
        errors=[ProblemField(pointer=f.pointer, code=f.code, detail=f.detail) for f in fields] or None,
    ).model_dump(exclude_none=True)


def problem_headers(error: ChatSphereError) -> dict[str, str]:
    """Return the headers that an error's status requires."""
    headers = {}
    if isinstance(error, UnauthorizedError):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, UnavailableError):
        headers["Retry-After"] = "5"
    if isinstance(error, RequestInProgressError):
        headers["Retry-After"] = "1"
    if isinstance(error, TooManyRequestsError):
        headers["Retry-After"] = str(error.retry_after)
    return headers
