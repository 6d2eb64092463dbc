"""docs/permissions.md is what the permission table says."""

from chatsphere.access.permissions import REQUIREMENTS, BotLevel, Permission, Role, Scope, bot_level
from chatsphere.access.permissions_page import PAGE, page


def test_the_page_is_written_from_the_table() -> None:
    written = PAGE.read_text(encoding="utf-8")

    assert written == page(), "run: python -m chatsphere.access.permissions_page"


def test_it_has_a_row_for_each_permission_scope_and_role() -> None:
    rows = [line.split("|")[1].strip() for line in page().splitlines() if line.startswith("| `")]

    assert rows == [f"`{name}`" for name in (*Permission, *(role.text for role in Role), *Scope)]


def test_every_permission_is_in_the_table() -> None:
    assert set(REQUIREMENTS) == set(Permission)
    assert {requirement.scope for requirement in REQUIREMENTS.values()} - {None} == set(Scope)


def test_a_private_bot_is_for_who_was_let_in_and_for_those_who_administer() -> None:
    assert [bot_level(role, "private", BotLevel.NONE) for role in Role] == [
        BotLevel.NONE,
        BotLevel.NONE,
        BotLevel.MANAGE,
        BotLevel.MANAGE,
    ]
