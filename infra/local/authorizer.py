"""Asks the product's Lambda authorizer, and reads its answer as API Gateway does."""

import json
from typing import Any

from chatsphere.errors import MissingCredentialError, UnauthorizedError
from infra.local.errors import FunctionFailedError
from infra.local.rest_events import Request, authorizer_event
from infra.local.routing import Match
from infra.local.workers import WorkerPool


class DeniedError(UnauthorizedError):
    """The authorizer denied the request; the words are its own, as a gateway response template would place them."""

    def __init__(self, context: dict[str, str]) -> None:
        super().__init__(context.get("detail", ""))
        self.code = context.get("code", UnauthorizedError.code)  # type: ignore[misc]
        self.title = context.get("title", UnauthorizedError.title)  # type: ignore[misc]


async def authorize(request: Request, match: Match, authorizer: WorkerPool) -> dict[str, str]:
    """Return the context that the authorizer gives the request.

    Raises:
        MissingCredentialError: there is no credential; the authorizer is not asked.
        DeniedError: the authorizer denies the request.
        InvocationError: the authorizer fails.
    """
    if not request.header("authorization"):
        raise MissingCredentialError
    payload = await authorizer.invoke(json.dumps(authorizer_event(request, match)).encode())
    principal, allowed, context = _read_policy(payload)
    if not allowed:
        raise DeniedError(context)
    return {**context, "principalId": principal}


def _read_policy(payload: bytes) -> tuple[str, bool, dict[str, str]]:
    try:
        answer = json.loads(payload)
        statements: list[dict[str, Any]] = answer["policyDocument"]["Statement"]
        effects = [statement["Effect"] for statement in statements]
        context = {str(key): _text(value) for key, value in (answer.get("context") or {}).items()}
        return str(answer["principalId"]), bool(effects) and all(e == "Allow" for e in effects), context
    except (ValueError, KeyError, TypeError, AttributeError):
        raise FunctionFailedError("the authorizer's result is no policy") from None


def _text(value: object) -> str:
    """API Gateway passes context values on as strings."""
    return str(value).lower() if isinstance(value, bool) else str(value)
