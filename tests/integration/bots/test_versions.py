"""A bot's history: each change of what it is, compared and gone back to."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatsphere.access.permissions import BotLevel, Role
from chatsphere.bots.author import Author
from chatsphere.bots.changing import BotChange, change_bot
from chatsphere.bots.configuration import BotConfiguration
from chatsphere.db.database import Database
from tests.builders.running_api import RunningApi
from tests.integration.bots.team import Team, new_team
from tests.postgres import DatabaseUrls

VERSIONED = (
    "name",
    "description",
    "avatar",
    "welcome_message",
    "system_prompt",
    "model",
    "temperature",
    "configuration",
)
TEXTS = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=8)
SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "top_k": st.integers(1, 50),
        "threshold": st.none() | st.floats(0, 1),
        "token_budget": st.integers(100, 1000),
        "fallback_text": TEXTS.filter(bool),
    },
)
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "name": TEXTS.filter(str.strip),
        "description": TEXTS,
        "avatar": st.none() | TEXTS,
        "model": st.none() | TEXTS.filter(bool),
        "temperature": st.floats(0, 2, width=32),
        "configuration": SETTINGS,
        "visibility": st.sampled_from(["private", "organization", "public"]),
        "is_active": st.booleans(),
    },
)
STEPS = st.lists(CHANGES | st.integers(1, 4), min_size=1, max_size=8)


def versions(team: Team, bot: dict[str, Any]) -> list[dict[str, Any]]:
    answer = team.ask(team.owner, "GET", f"/bots/{bot['id']}/versions", query={"limit": ["100"]})
    listed: list[dict[str, Any]] = answer.json["data"]
    return listed


def content(team: Team, bot: dict[str, Any], version: int) -> dict[str, Any]:
    answer = team.ask(team.owner, "GET", f"/bots/{bot['id']}/versions/{version}")
    assert answer.status == 200, answer.text
    shown: dict[str, Any] = answer.json["content"]
    return shown


def changes(team: Team, bot: dict[str, Any], version: int, **query: list[str]) -> list[dict[str, Any]]:
    answer = team.ask(team.owner, "GET", f"/bots/{bot['id']}/versions/{version}/diff", query=query)
    found: list[dict[str, Any]] = answer.json["changes"]
    return found


def roll_back(team: Team, bot: dict[str, Any], version: int, **fields: Any) -> dict[str, Any]:
    answer = team.ask(team.owner, "POST", f"/bots/{bot['id']}/rollback", {"version": version, **fields})
    assert answer.status == 200, answer.text
    changed: dict[str, Any] = answer.json
    return changed


def stored_settings(team: Team, bot: dict[str, Any]) -> Any:
    with team.database.transaction(team.organization_id) as connection:
        row = connection.execute("SELECT configuration FROM bots WHERE id = %s", (bot["id"],)).fetchone()
    assert row is not None
    return row["configuration"]


def test_a_new_bot_is_its_first_version(team: Team) -> None:
    bot = team.bot(team.members[Role.EDITOR], configuration={"top_k": 3})

    (first,) = versions(team, bot)

    assert first == {
        "version": 1,
        "restored_from": None,
        "created_by": str(team.members[Role.EDITOR].user_id),
        "created_at": bot["created_at"],
    }
    assert content(team, bot, 1) == {name: bot[name] for name in VERSIONED} | {"configuration": {"top_k": 3}}


def test_each_change_of_what_a_bot_is_makes_a_version_and_nothing_else_does(team: Team) -> None:
    bot = team.bot(configuration={"top_k": 3})

    numbers = [
        team.change(bot, **change)["version"]
        for change in (
            {"name": "Other"},
            {"name": "Other"},
            {},
            {"configuration": {"top_k": 3}},
            {"visibility": "private", "is_active": False},
            {"is_active": True, "temperature": 0.2},
            {"configuration": {"top_k": 4}},
        )
    ]

    assert numbers == [2, 2, 2, 2, 2, 2, 3]
    assert [each["version"] for each in versions(team, bot)] == [3, 2, 1]


def test_who_changed_what_and_when_is_known(team: Team) -> None:
    bot, editor = team.bot(), team.members[Role.EDITOR]
    team.api.clock.advance(minutes=1)

    changed = team.ask(editor, "PATCH", f"/bots/{bot['id']}", {"name": "New"}).json

    newest, oldest = versions(team, bot)
    assert (newest["created_by"], newest["created_at"]) == (str(editor.user_id), changed["updated_at"])
    assert (oldest["created_by"], oldest["created_at"]) == (str(team.owner.user_id), bot["created_at"])
    team.leave(editor)
    assert versions(team, bot)[0]["created_by"] == str(editor.user_id)


def test_versions_are_paged_newest_first(team: Team) -> None:
    bot = team.bot()
    for number in range(4):
        team.change(bot, name=f"{number}")
    path = f"/bots/{bot['id']}/versions"

    first = team.ask(team.owner, "GET", path, query={"limit": ["3"]}).json
    rest = team.ask(team.owner, "GET", path, query={"limit": ["3"], "cursor": [first["next_cursor"]]}).json

    assert [each["version"] for each in first["data"]] == [5, 4, 3]
    assert [each["version"] for each in rest["data"]] == [2, 1]
    assert (first["has_more"], rest["has_more"]) == (True, False)
    foreign = team.ask(team.owner, "GET", "/bots", query={"limit": ["1"]}).json["next_cursor"]
    assert foreign is None or team.ask(team.owner, "GET", path, query={"cursor": [foreign]}).status == 200


def test_two_versions_are_compared_field_by_field(team: Team) -> None:
    bot = team.bot(name="a", configuration={"top_k": 3})
    team.change(bot, name="b", configuration={"threshold": None})
    team.change(bot, name="c", configuration={"top_k": 5})
    name = {"field": "name", "change": "changed"}
    top_k = {"field": "configuration.top_k", "change": "changed", "before": 3, "after": 5}
    threshold = {"field": "configuration.threshold", "change": "added", "before": None, "after": None}

    assert changes(team, bot, 3) == [top_k, {**name, "before": "b", "after": "c"}]
    assert changes(team, bot, 3, **{"with": ["1"]}) == [threshold, top_k, {**name, "before": "a", "after": "c"}]
    assert {**name, "before": "c", "after": "a"} in changes(team, bot, 1, **{"with": ["3"]})
    assert changes(team, bot, 2, **{"with": ["2"]}) == []
    assert {each["field"] for each in changes(team, bot, 1)} == {*VERSIONED, "configuration.top_k"} - {"configuration"}


def test_going_back_is_a_new_version_and_removes_what_was_set_later(team: Team) -> None:
    bot = team.bot(avatar="https://example.com/a.png", configuration={"top_k": 3})
    team.change(bot, name="Other", avatar=None, configuration={"token_budget": 500})
    team.change(bot, visibility="private")

    back = roll_back(team, bot, 1)

    assert (back["version"], back["visibility"]) == (3, "private")
    assert {name: back[name] for name in VERSIONED} == {name: bot[name] for name in VERSIONED}
    assert stored_settings(team, bot) == {"top_k": 3}
    newest = versions(team, bot)[0]
    assert (newest["version"], newest["restored_from"]) == (3, 1)
    assert changes(team, bot, 3, **{"with": ["1"]}) == []


def test_going_back_to_what_is_makes_no_version(team: Team) -> None:
    bot = team.bot()

    assert roll_back(team, bot, 1)["version"] == 1
    assert [each["version"] for each in versions(team, bot)] == [1]


@pytest.mark.parametrize("expected", [1, 3])
def test_a_change_of_another_version_than_expected_is_refused(team: Team, expected: int) -> None:
    bot = team.bot()
    team.change(bot, name="Second")
    path = f"/bots/{bot['id']}"

    patched = team.ask(team.owner, "PATCH", path, {"name": "Mine", "expected_version": expected})
    rolled = team.ask(team.owner, "POST", f"{path}/rollback", {"version": 1, "expected_version": expected})

    for answer in (patched, rolled):
        assert (answer.status, answer.code) == (409, "version_conflict")
        assert answer.json["detail"] == "The bot is at version 2 by now."
    assert team.ask(team.owner, "GET", path).json["name"] == "Second"
    assert team.change(bot, name="Mine", expected_version=2)["version"] == 3


@pytest.mark.parametrize("version", ["2", "0", "-1", "x", "1.5", str(10**30), "%00", str(2**31)])
def test_a_missing_version_has_one_answer(team: Team, version: str) -> None:
    path = f"/bots/{team.bot()['id']}"

    for answer in (
        team.ask(team.owner, "GET", f"{path}/versions/{version}"),
        team.ask(team.owner, "GET", f"{path}/versions/{version}/diff"),
    ):
        assert (answer.status, answer.code, answer.json["detail"]) == (404, "not_found", "There is no such version.")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"version": 2}, 404),
        ({"version": 0}, 422),
        ({"version": 2**31}, 422),
        ({"version": "x"}, 422),
        ({"version": None}, 422),
        ({}, 422),
        ({"version": 1, "expected_version": 0}, 422),
        ({"version": 1, "more": 1}, 422),
    ],
)
def test_going_back_to_nowhere_is_refused(team: Team, body: dict[str, Any], status: int) -> None:
    bot = team.bot()

    assert team.ask(team.owner, "POST", f"/bots/{bot['id']}/rollback", body).status == status
    assert [each["version"] for each in versions(team, bot)] == [1]


@pytest.mark.parametrize("other", ["0", "x", "2", str(2**31)])
def test_comparing_with_what_is_none_is_refused(team: Team, other: str) -> None:
    answer = team.ask(team.owner, "GET", f"/bots/{team.bot()['id']}/versions/1/diff", query={"with": [other]})

    assert (answer.status, answer.code) == ((404, "not_found") if other == "2" else (422, "invalid_request"))


def test_versions_of_another_organization_do_not_exist(api: RunningApi, team: Team) -> None:
    bot, stranger = team.bot(), new_team(api).owner

    for method, path, body in (
        ("GET", "versions", None),
        ("GET", "versions/1", None),
        ("GET", "versions/1/diff", None),
        ("POST", "rollback", {"version": 1}),
    ):
        answer = team.ask(stranger, method, f"/bots/{bot['id']}/{path}", body)
        assert (answer.status, answer.json["detail"]) == (404, "There is no such bot.")


def test_changes_at_once_are_all_kept_one_after_the_other(team: Team, database_urls: DatabaseUrls) -> None:
    bot = team.bot()
    author = Author(team.owner.user_id, BotLevel.MANAGE, must_be_verified=False)

    def change(number: int) -> int:
        database = Database(database_urls.app)
        setting = BotConfiguration(top_k=number + 10)
        try:
            with database.transaction(team.organization_id, team.owner.user_id) as connection:
                wanted = BotChange({"description": f"change {number}"}, setting)
                now = team.api.clock.now()
                return change_bot(connection, UUID(bot["id"]), wanted, author=author, now=now).version
        finally:
            database.close()

    with ThreadPoolExecutor(8) as threads:
        numbers = list(threads.map(change, range(24)))

    assert sorted(numbers) == list(range(2, 26))
    assert [each["version"] for each in versions(team, bot)] == list(range(25, 0, -1))
    for number, version in enumerate(numbers):
        kept = content(team, bot, version)
        assert (kept["description"], kept["configuration"]["top_k"]) == (f"change {number}", number + 10)


def test_a_bot_of_the_release_before_gets_its_history_with_its_next_change(team: Team) -> None:
    bot_id = uuid4()
    with team.database.transaction(team.organization_id) as connection:
        connection.execute(
            "INSERT INTO bots (id, organization_id, name, created_by) VALUES (%s, %s, 'Old', %s)",
            (bot_id, team.organization_id, team.owner.user_id),
        )
    bot = {"id": str(bot_id)}
    assert versions(team, bot) == []

    changed = team.change(bot, name="New")

    assert changed["version"] == 2
    assert [content(team, bot, number)["name"] for number in (1, 2)] == ["Old", "New"]


def test_a_change_by_the_release_before_is_a_version_of_nobody(team: Team) -> None:
    bot = team.bot(name="First")
    with team.database.transaction(team.organization_id) as connection:
        connection.execute("UPDATE bots SET name = 'Silent' WHERE id = %s", (bot["id"],))

    stale = team.ask(team.owner, "PATCH", f"/bots/{bot['id']}", {"name": "Third", "expected_version": 1})
    changed = team.change(bot, name="Third")

    assert stale.code == "version_conflict"
    assert changed["version"] == 3
    assert [content(team, bot, number)["name"] for number in (1, 2, 3)] == ["First", "Silent", "Third"]
    assert [each["created_by"] for each in versions(team, bot)] == [
        str(team.owner.user_id),
        None,
        str(team.owner.user_id),
    ]


@pytest.mark.parametrize("statement", ["UPDATE bot_versions SET created_by = NULL", "DELETE FROM bot_versions"])
def test_history_is_append_only(team: Team, statement: str) -> None:
    team.bot()

    with pytest.raises(psycopg.errors.InsufficientPrivilege), team.database.transaction(team.organization_id) as change:
        change.execute(statement)


def test_a_deleted_bots_history_goes_with_it(team: Team, database_urls: DatabaseUrls) -> None:
    bot = team.bot()

    with team.database.transaction(team.organization_id) as connection:
        connection.execute("DELETE FROM bots WHERE id = %s", (bot["id"],))

    with psycopg.connect(database_urls.admin) as admin:
        assert admin.execute("SELECT count(*) FROM bot_versions WHERE bot_id = %s", (bot["id"],)).fetchone() == (0,)


@settings(max_examples=25)
@given(steps=STEPS)
def test_whatever_happened_going_back_restores_a_version_to_the_letter(team: Team, steps: list[Any]) -> None:
    bot = team.bot()
    kept = {1: (bot, stored_settings(team, bot))}

    for step in steps:
        bot = roll_back(team, bot, min(step, len(kept))) if isinstance(step, int) else team.change(bot, **step)
        assert bot["version"] - len(kept) in (0, 1)
        kept.setdefault(bot["version"], (bot, stored_settings(team, bot)))
    states = bot["visibility"], bot["is_active"]

    for version, (then, settings_then) in kept.items():
        back = roll_back(team, bot, version)
        assert {name: back[name] for name in VERSIONED} == {name: then[name] for name in VERSIONED}
        assert stored_settings(team, bot) == settings_then == content(team, bot, version)["configuration"]
        assert (back["visibility"], back["is_active"]) == states
