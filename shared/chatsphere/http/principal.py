"""Who is asking, as the authorizer established it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

from chatsphere.errors import InsufficientScopeError, NotFoundError, UnauthorizedError


class Scope(StrEnum):
    """What an API key may be used for; a person's own token has every scope."""

    BOTS_READ = "bots:read"
    BOTS_WRITE = "bots:write"
    DOCUMENTS_READ = "documents:read"
    DOCUMENTS_WRITE = "documents:write"
    CHAT = "chat"
    CONVERSATIONS_READ = "conversations:read"
    CONVERSATIONS_WRITE = "conversations:write"
    API_KEYS = "api_keys"


ALL_SCOPES = frozenset(Scope)


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller. `bot_ids` is None where every bot of the organization may be used."""

    organization_id: UUID
    user_id: UUID
    role: str
    scopes: frozenset[Scope] = ALL_SCOPES
    api_key_id: UUID | None = None
    bot_ids: frozenset[UUID] | None = None

    def require(self, scope: Scope) -> None:
        """Raise `InsufficientScopeError` unless the caller has the scope."""
        if scope not in self.scopes:
            raise InsufficientScopeError(f"This route requires the scope {scope.value}.")

    def require_bot(self, bot_id: UUID) -> None:
        """Raise `NotFoundError` when the credential is limited to other bots: it must not see that one exists."""
        if self.bot_ids is not None and bot_id not in self.bot_ids:
            raise NotFoundError("There is no such bot.")

    def to_context(self) -> dict[str, str]:
        """Return the authorizer's context: API Gateway passes on nothing but strings."""
        return {
            "organization_id": str(self.organization_id),
            "user_id": str(self.user_id),
            "role": self.role,
            "scopes": " ".join(sorted(self.scopes)),
            "api_key_id": str(self.api_key_id or ""),
            "bot_ids": "*" if self.bot_ids is None else " ".join(map(str, self.bot_ids)),
        }

    @classmethod
    def from_context(cls, context: Mapping[str, Any]) -> Self:
        """Read the context that `to_context` made.

        Raises:
            UnauthorizedError: the request came without an authorizer's context.
        """
        try:
            bot_ids = context["bot_ids"]
            return cls(
                organization_id=UUID(context["organization_id"]),
                user_id=UUID(context["user_id"]),
                role=context["role"],
                scopes=frozenset(map(Scope, context["scopes"].split())),
                api_key_id=UUID(context["api_key_id"]) if context["api_key_id"] else None,
                bot_ids=None if bot_ids == "*" else frozenset(map(UUID, bot_ids.split())),
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            raise UnauthorizedError from None
