"""The permission table's rules, for every combination that there is."""

from itertools import product
from uuid import UUID

import pytest

from chatsphere.access.bot_access import BotAccess
from chatsphere.access.permissions import (
    ALL_SCOPES,
    REQUIREMENTS,
    BotLevel,
    Permission,
    Role,
    Scope,
    bot_level,
)
from chatsphere.access.principal import Principal
from chatsphere.access.wording import requirement_text
from chatsphere.errors import (
    ChatSphereError,
    ForbiddenError,
    InsufficientPermissionError,
    InsufficientRoleError,
    InsufficientScopeError,
    NotFoundError,
    UnauthorizedError,
)

BOT, OTHER, KEY = UUID(int=7), UUID(int=8), UUID(int=9)
SOME_SCOPES = frozenset({Scope.BOTS_READ, Scope.CHAT})


def person(role: Role) -> Principal:
    return Principal(UUID(int=1), UUID(int=2), role)


def key(role: Role, scopes: frozenset[Scope], bot_ids: frozenset[UUID] | None = None) -> Principal:
    return Principal(UUID(int=1), UUID(int=2), role, scopes, api_key_id=KEY, bot_ids=bot_ids)


def refusal(caller: Principal, permission: Permission) -> type[ChatSphereError] | None:
    try:
        caller.require(permission)
    except ChatSphereError as error:
        return type(error)
    return None


@pytest.mark.parametrize("permission", Permission)
def test_a_person_needs_the_role_and_nothing_else(permission: Permission) -> None:
    for role in Role:
        expected = InsufficientRoleError if role < REQUIREMENTS[permission].role else None
        assert refusal(person(role), permission) == expected


@pytest.mark.parametrize("permission", Permission)
def test_a_key_needs_the_scope_and_its_makers_role(permission: Permission) -> None:
    needed = REQUIREMENTS[permission]
    for role, scopes in product(Role, (frozenset[Scope](), SOME_SCOPES, ALL_SCOPES)):
        expected: type[ChatSphereError] | None = None
        if needed.scope is not None and needed.scope not in scopes:
            expected = InsufficientScopeError
        elif needed.person_only:
            expected = ForbiddenError
        elif role < needed.role:
            expected = InsufficientRoleError
        assert refusal(key(role, scopes), permission) == expected


def test_a_higher_role_may_all_that_a_lower_one_may() -> None:
    for lower, higher in zip(Role, list(Role)[1:], strict=False):
        for visibility, granted in product(("private", "organization", "public"), BotLevel):
            assert bot_level(lower, visibility, granted) <= bot_level(higher, visibility, granted)


def test_a_grant_only_ever_adds() -> None:
    for role, visibility, granted in product(Role, ("private", "organization", "public"), BotLevel):
        level = bot_level(role, visibility, granted)
        assert level == max(granted, bot_level(role, visibility, BotLevel.NONE))


@pytest.mark.parametrize("permission", [p for p in Permission if REQUIREMENTS[p].bot is not None])
@pytest.mark.parametrize("level", BotLevel)
def test_what_may_not_be_seen_is_missing_and_what_may_not_be_done_is_refused(
    permission: Permission, level: BotLevel
) -> None:
    access, needed = BotAccess("bot", BOT, level), REQUIREMENTS[permission].bot
    assert needed is not None
    if level >= needed:
        access.check(permission, person(Role.VIEWER))
        return
    expected = NotFoundError if level < BotLevel.VIEW else InsufficientPermissionError
    with pytest.raises(expected) as refused:
        access.check(permission, person(Role.VIEWER))
    assert type(refused.value) is expected


def test_a_bot_that_a_key_is_not_for_is_missing_whatever_the_level() -> None:
    access = BotAccess("bot", BOT, BotLevel.MANAGE)

    access.check(Permission.BOT_MANAGE, key(Role.OWNER, ALL_SCOPES, frozenset({BOT})))
    for bots in (frozenset({OTHER}), frozenset[UUID]()):
        with pytest.raises(NotFoundError):
            access.check(Permission.BOT_VIEW, key(Role.OWNER, ALL_SCOPES, bots))


@pytest.mark.parametrize("caller", [person(Role.EDITOR), key(Role.VIEWER, SOME_SCOPES, frozenset({BOT, OTHER}))])
def test_a_caller_is_read_back_as_the_authorizer_wrote_it(caller: Principal) -> None:
    assert Principal.from_context(caller.to_context()) == caller


@pytest.mark.parametrize(
    "change", [{"role": "root"}, {"role": None}, {"scopes": "all"}, {"organization_id": ""}, {"bot_ids": "x"}]
)
def test_a_context_that_nobody_wrote_is_nobodys(change: dict[str, str]) -> None:
    with pytest.raises(UnauthorizedError):
        Principal.from_context(person(Role.OWNER).to_context() | change)


def test_a_requirement_is_told_in_words() -> None:
    assert requirement_text(REQUIREMENTS[Permission.BOT_EDIT]) == (
        "for an API key the scope `bots:write`; any role; `edit` on the bot"
    )
    assert requirement_text(REQUIREMENTS[Permission.ORGANIZATION_OWN]) == (
        "a person's own token, no API key; the role `owner`"
    )
    assert requirement_text(REQUIREMENTS[Permission.SELF_READ]) == "any API key; any role"
