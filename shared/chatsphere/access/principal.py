"""Who is asking, as the authorizer established it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

from chatsphere.access.permissions import ALL_SCOPES, REQUIREMENTS, Permission, Role, Scope
from chatsphere.errors import (
    ForbiddenError,
    InsufficientRoleError,
    InsufficientScopeError,
    UnauthorizedError,
)


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller. `bot_ids` is None where the credential is not limited to some bots of the organization.

    `session_id` names the login of a person's token; a key has none.
    """

    organization_id: UUID
    user_id: UUID
    role: Role
    scopes: frozenset[Scope] = ALL_SCOPES
    api_key_id: UUID | None = None
    bot_ids: frozenset[UUID] | None = None
    session_id: UUID | None = None

    @property
    def id(self) -> UUID:
        """Whose requests are counted together: the key's, or else the person's."""
        return self.api_key_id or self.user_id

    @property
    def reads_conversations(self) -> bool:
        """Whether everybody's conversations are open to the caller: to people, and to keys with the scope."""
        return self.api_key_id is None or Scope.CONVERSATIONS_READ in self.scopes

    def require(self, permission: Permission) -> None:
        """Raise unless scope and role permit this; what a bot requires is checked where the bot is known.

        Raises:
            InsufficientScopeError: the API key lacks the scope.
            ForbiddenError: only a person may do this.
            InsufficientRoleError: the role in the organization is too low.
        """
        requirement = REQUIREMENTS[permission]
        if requirement.scope is not None and requirement.scope not in self.scopes:
            raise InsufficientScopeError(f"This requires the scope {requirement.scope.value}.")
        if requirement.person_only and self.api_key_id is not None:
            raise ForbiddenError("An API key cannot do this: log in as a person.")
        if self.role < requirement.role:
            raise InsufficientRoleError(f"This requires the role {requirement.role.text}.")

    def require_scopes(self, *scopes: Scope) -> None:
        """Raise where a key lacks one of these, which a request takes besides what its permission says.

        Raises:
            InsufficientScopeError: the API key lacks the scope.
        """
        for scope in scopes:
            if scope not in self.scopes:
                raise InsufficientScopeError(f"This requires the scope {scope.value}, too.")

    def to_context(self) -> dict[str, str]:
        """Return the authorizer's context: API Gateway passes on nothing but strings."""
        return {
            "organization_id": str(self.organization_id),
            "user_id": str(self.user_id),
            "role": self.role.text,
            "scopes": " ".join(sorted(self.scopes)),
            "api_key_id": str(self.api_key_id or ""),
            "bot_ids": "*" if self.bot_ids is None else " ".join(map(str, self.bot_ids)),
            "session_id": str(self.session_id or ""),
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
                role=Role.of(context["role"]),
                scopes=frozenset(map(Scope, context["scopes"].split())),
                api_key_id=UUID(context["api_key_id"]) if context["api_key_id"] else None,
                bot_ids=None if bot_ids == "*" else frozenset(map(UUID, bot_ids.split())),
                # Absent in the context of an authorizer of the release before.
                session_id=UUID(context["session_id"]) if context.get("session_id") else None,
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            raise UnauthorizedError from None
