"""What routes say of their operations for the OpenAPI document, and answers that several of them give."""

from typing import Any, Final

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse

from chatsphere.access.permissions import Permission

PUBLIC: dict[str, Any] = {"security": []}
"""OpenAPI extension of an operation that needs no credential."""

NO_CONTENT: dict[int, OpenAPIResponse] = {204: {"description": "Done.", "content": {}}}
"""OpenAPI responses of an operation that answers nothing."""

TOO_MANY_TRIES: dict[int, OpenAPIResponse] = {
    429: {"description": "Too many tries; `Retry-After` says how many seconds to wait.", "content": {}}
}
"""OpenAPI responses of a public operation that takes a credential."""


def described(description: str) -> OpenAPIResponse:
    """Return the OpenAPI response that holds the route's return type."""
    return {"description": description}


def problem_response(description: str) -> OpenAPIResponse:
    """Return the OpenAPI response of an error that is this operation's own; its body is the problem document."""
    return {"description": description, "content": {}}


def no_content() -> Response[Any]:
    """Answer 204."""
    return Response(status_code=204)


PERMISSION: Final = "x-permission"
"""OpenAPI extension that names the permission which an operation requires. The gate reads it, too."""


def requires(permission: Permission) -> dict[str, Any]:
    """Return the OpenAPI extension of an operation that requires this permission: what it says is enforced."""
    return {PERMISSION: permission.value}
