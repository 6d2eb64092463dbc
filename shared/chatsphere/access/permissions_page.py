"""Writes docs/permissions.md from the permission table: `python -m chatsphere.access.permissions_page`."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from chatsphere.access.permissions import (
    REQUIREMENTS,
    ROLE_LEVEL,
    BotLevel,
    Permission,
    Requirement,
    Role,
    Scope,
    bot_level,
)

PAGE: Final = Path(__file__).parents[3] / "docs" / "permissions.md"

INTRODUCTION: Final = """# Who may do what

Written by `python -m chatsphere.access.permissions_page` from `shared/chatsphere/access/permissions.py`; a test fails
where the two differ. Each operation of the API requires exactly one permission, which the OpenAPI document names
(`x-permission`). What one may do is the least of three: the credential's scopes, the person's role in the organization,
and their level on the bot. How it is enforced: [decision 71](decisions/0071-the-gate.md)."""

PERMISSIONS: Final = """## Permissions

An API key acts as the person who made it and needs the scope besides. "Person": no API key may, whatever its scopes.
"Least role" is the role in the organization; "on the bot" the level on the bot that the path names, by itself or by a
conversation. Some operations have a finer rule of their own, which their description tells: so an admin cannot change
an owner."""

LEVELS: Final = """## Levels on a bot

The level is the most of what the role gives and of what was granted on the bot
(`PUT /v1/bots/{bot_id}/members/{user_id}`). Who makes a bot manages it. Below the level `view` the bot does not exist
for the caller (404); with it, what asks for more is refused (403)."""

SCOPES: Final = """## Scopes

A person's own token has every scope. A key has what it was made with, and at most what its maker had."""

REFUSALS: Final = """## How it is refused

In this order, and the first that applies: nothing is told about an object before the credential as such suffices.

| what is missing | answer |
|---|---|
| a credential that is valid now | 401 `missing_credential`, `unauthorized` or `token_expired` |
| a request within the quota | 429 `rate_limited` |
| the scope | 403 `insufficient_scope` |
| a person, instead of an API key | 403 `forbidden` |
| the role | 403 `insufficient_role` |
| an organization or a bot that the caller may see | 404 `not_found`, as if there were none |
| the level on the bot | 403 `insufficient_permission` |"""


def page() -> str:
    """Return the page."""
    sections = [
        INTRODUCTION,
        PERMISSIONS,
        _table(("permission", "scope of a key", "least role", "on the bot"), map(_permission, Permission)),
        LEVELS,
        _table(("role", "bots that the organization sees", "private bots, without a grant"), map(_role, Role)),
        SCOPES,
        _table(("scope", "permissions"), map(_scope, Scope)),
        REFUSALS,
    ]
    return "\n\n".join(sections) + "\n"


def _permission(permission: Permission) -> tuple[str, ...]:
    requirement = REQUIREMENTS[permission]
    bot = "" if requirement.bot is None else f"`{requirement.bot.text}`"
    return f"`{permission.value}`", _key(requirement), f"`{requirement.role.text}`", bot


def _key(requirement: Requirement) -> str:
    if requirement.person_only:
        return "person"
    return "any" if requirement.scope is None else f"`{requirement.scope.value}`"


def _role(role: Role) -> tuple[str, ...]:
    private = bot_level(role, "private", BotLevel.NONE)
    return f"`{role.text}`", f"`{ROLE_LEVEL[role].text}`", f"`{private.text}`" if private else "not to be seen"


def _scope(scope: Scope) -> tuple[str, ...]:
    opened = [f"`{p.value}`" for p, needs in REQUIREMENTS.items() if needs.scope == scope and not needs.person_only]
    return f"`{scope.value}`", ", ".join(opened)


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    def lines() -> Iterator[str]:
        yield _line(heads)
        yield "|" + "---|" * len(heads)
        yield from map(_line, rows)

    return "\n".join(lines())


def _line(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
