"""What routes say of their operations for the OpenAPI document, and answers that several of them give."""

from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse

PUBLIC: dict[str, Any] = {"security": []}
"""OpenAPI extension of an operation that needs no credential."""

NO_CONTENT: dict[int, OpenAPIResponse] = {204: {"description": "Done.", "content": {}}}
"""OpenAPI responses of an operation that answers nothing."""


def described(description: str) -> OpenAPIResponse:
    """Return the OpenAPI response that holds the route's return type."""
    return {"description": description}


def problem_response(description: str) -> OpenAPIResponse:
    """Return the OpenAPI response of an error that is this operation's own; its body is the problem document."""
    return {"description": description, "content": {}}


def no_content() -> Response[Any]:
    """Answer 204."""
    return Response(status_code=204)
