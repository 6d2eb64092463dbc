"""Pages of the console's origins may call the API from a browser."""

from collections.abc import Sequence
from typing import Any, Final

ALLOWED_HEADERS: Final = ("Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID")
METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
REMEMBERED_SECONDS: Final = 3600
NO_CONTENT: Final = "204"


def preflight(origins: Sequence[str]) -> dict[str, Any]:
    """Return the operation that answers preflight requests: the asking origin, if it is one of the `origins`.

    The first origin stands in the response as it is; for any other the template compares the request's with the list
    and puts it in its place. Credentials such as cookies are not allowed. The integration is API Gateway's own mock.
    """
    headers = {
        "Access-Control-Allow-Headers": ",".join(ALLOWED_HEADERS),
        "Access-Control-Allow-Origin": origins[0],
        "Vary": "Origin",
        "Access-Control-Allow-Methods": ",".join(METHODS),
        "Access-Control-Max-Age": str(REMEMBERED_SECONDS),
    }
    answer: dict[str, Any] = {
        "statusCode": NO_CONTENT,
        "responseParameters": {f"method.response.header.{name}": f"'{value}'" for name, value in headers.items()},
    }
    if origins[1:]:
        answer["responseTemplates"] = {"application/json": _other_origins(origins[1:])}
    return {
        "responses": {
            NO_CONTENT: {"description": "", "headers": {name: {"schema": {"type": "string"}} for name in headers}}
        },
        "x-amazon-apigateway-integration": {
            "type": "mock",
            "requestTemplates": {"application/json": "{ statusCode: 200 }"},
            "responses": {"default": answer},
        },
    }


def _other_origins(origins: Sequence[str]) -> str:
    known = " || ".join(f'$origin == "{origin}"' for origin in origins)
    return "\n".join(
        (
            '#set($origin = $input.params().header.get("Origin"))',
            '#if($origin == "")',
            '  #set($origin = $input.params().header.get("origin"))',
            "#end",
            f"#if({known})",
            "  #set($context.responseOverride.header.Access-Control-Allow-Origin = $origin)",
            "#end",
        )
    )
