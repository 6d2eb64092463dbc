"""What the API tells of itself: its OpenAPI document, a page to try it out, and the keys that verify its tokens."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from chatsphere.bootstrap import container
from chatsphere.errors import UnavailableError
from chatsphere.http.docs_page import docs_page
from chatsphere.http.openapi import openapi_document
from chatsphere.http.operations import PUBLIC
from chatsphere.privacy.signing import receipt_keys

TAGS = ["service"]
BRIEFLY_CACHED = {"Cache-Control": "public, max-age=300"}

PathsAndSchemas = Callable[[], tuple[Mapping[str, Any], Mapping[str, Any]]]


def description_router(routers: Sequence[Router], streamed: PathsAndSchemas) -> Router:
    """Return the routes that describe the operations of `routers`, of `streamed`, and their own."""
    router = Router()

    @lru_cache(maxsize=1)
    def document() -> str:
        url = container().api_settings.public_url
        return json.dumps(openapi_document([*routers, router], streamed(), public_url=url))

    @router.get(
        "/v1/openapi.json",
        summary="This document",
        tags=TAGS,
        operation_id="getOpenApi",
        responses={200: _as("application/json", {"type": "object"})},
        openapi_extensions=PUBLIC,
    )
    def openapi() -> Response[Any]:
        return _answer("application/json", document())

    @router.get(
        "/docs",
        summary="A page to try the API out",
        tags=TAGS,
        operation_id="getDocs",
        responses={200: _as("text/html", {"type": "string"})},
        openapi_extensions=PUBLIC,
    )
    def docs() -> Response[Any]:
        page = docs_page(container().api_settings.public_url)
        headers = {"Content-Security-Policy": page.content_security_policy, "X-Content-Type-Options": "nosniff"}
        return _answer("text/html; charset=utf-8", page.html, headers)

    @router.get(
        "/.well-known/jwks.json",
        summary="The keys that verify access tokens and receipts of erasures",
        tags=TAGS,
        operation_id="getJwks",
        responses={200: _as("application/json", {"type": "object"})},
        openapi_extensions=PUBLIC,
    )
    def jwks() -> Response[Any]:
        c = container()
        # Apart: libraries that verify access tokens read `keys`, and must not find one there that is retired.
        published: dict[str, Any] = dict(c.token_verifier.public_keys())
        try:
            with c.database.transaction(None) as connection:
                published["receipt_keys"] = receipt_keys(connection)
        except UnavailableError:
            # Whoever verifies access tokens need not wait for it.
            return _answer("application/json", json.dumps(published), {"Cache-Control": "no-store"})
        return _answer("application/json", json.dumps(published))

    return router


def _as(media_type: str, schema: dict[str, Any]) -> Any:
    return {"description": "As it says.", "content": {media_type: {"schema": schema}}}


def _answer(media_type: str, body: str, headers: Mapping[str, str] | None = None) -> Response[Any]:
    return Response(200, media_type, body, headers={**BRIEFLY_CACHED, **(headers or {})})
