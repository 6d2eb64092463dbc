"""Who may do what with a bot, by role, visibility and what was granted."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest

from chatsphere.access.permissions import Role, Scope
from chatsphere.access.principal import Principal
from chatsphere.db.database import Connection, Database
from tests.builders.running_api import Answer, RunningApi
from tests.integration.bots.team import Team, new_team
from tests.postgres import DatabaseUrls
from tests.waiting import wait_for

ROLES = (Role.VIEWER, Role.EDITOR, Role.ADMIN, Role.OWNER)

# What somebody may do with a bot, written out: one row a visibility and grant, one column a role as in ROLES.
TABLE = """
    private       none      none    none    manage  manage
    private       view      view    view    manage  manage
    private       edit      edit    edit    manage  manage
    private       manage    manage  manage  manage  manage
    organization  none      view    edit    manage  manage
    organization  view      view    edit    manage  manage
    organization  edit      edit    edit    manage  manage
    organization  manage    manage  manage  manage  manage
    public        none      view    edit    manage  manage
    public        view      view    edit    manage  manage
    public        edit      edit    edit    manage  manage
    public        manage    manage  manage  manage  manage
"""
ROWS = [tuple(line.split()) for line in TABLE.strip().splitlines()]
LEVELS = ("none", "view", "edit", "manage")


def requests_by_level(bot: dict[str, Any], other_user: object) -> list[tuple[str, str, str, Any]]:
    """Return requests with the least level that each takes; none of them changes what the next one meets."""
    one = f"/bots/{bot['id']}"
    return [
        ("view", "GET", one, None),
        ("view", "GET", f"{one}/versions", None),
        ("view", "GET", f"{one}/versions/1", None),
        ("view", "GET", f"{one}/versions/1/diff", None),
        ("edit", "PATCH", one, {"description": "new"}),
        ("edit", "POST", f"{one}/rollback", {"version": 1}),
        ("manage", "PATCH", one, {"is_active": False}),
        ("manage", "GET", f"{one}/members", None),
        ("manage", "PUT", f"{one}/members/{other_user}", {"permission": "view"}),
        ("manage", "DELETE", f"{one}/members/{other_user}", None),
        ("manage", "POST", f"{one}/archive", None),
        ("manage", "POST", f"{one}/restore", None),
        ("manage", "POST", f"{one}/publish", None),
        ("manage", "POST", f"{one}/unpublish", None),
        ("manage", "DELETE", one, None),
    ]


@pytest.mark.parametrize(("visibility", "granted"), [row[:2] for row in ROWS])
def test_a_level_opens_its_own_requests_and_those_below_it(api: RunningApi, visibility: str, granted: str) -> None:
    expected = dict(zip(ROLES, next(row[2:] for row in ROWS if row[:2] == (visibility, granted)), strict=True))
    team = new_team(api)
    somebody = team.join(Role.VIEWER)

    for role in ROLES:
        bot, caller, level = team.bot(visibility=visibility), team.members[role], LEVELS.index(expected[role])
        if granted != "none":
            team.grant(bot, caller, granted)
        elif caller is team.owner:
            assert team.ask(team.owner, "DELETE", f"/bots/{bot['id']}/members/{caller.user_id}").status == 204
        shown = team.ask(caller, "GET", "/bots", query={"limit": ["100"]}).json["data"]
        assert [each["permission"] for each in shown if each["id"] == bot["id"]] == [expected[role]] * (level > 0)
        for needed, method, path, body in requests_by_level(bot, somebody.user_id):
            answer = team.ask(caller, method, path, body)
            tried = f"{role.text} with {granted} on {visibility}: {method} {path}: {answer.text}"
            if level == 0:
                assert (answer.status, answer.code) == (404, "not_found"), tried
            elif level < LEVELS.index(needed):
                assert (answer.status, answer.code) == (403, "insufficient_permission"), tried
            else:
                assert answer.status in (200, 202, 204), tried


def test_who_makes_a_bot_manages_it(team: Team) -> None:
    editor, viewer = team.members[Role.EDITOR], team.members[Role.VIEWER]

    bot = team.bot(editor, visibility="private")

    assert bot["permission"] == "manage"
    assert team.ask(editor, "PUT", f"/bots/{bot['id']}/members/{viewer.user_id}", {"permission": "view"}).status == 200
    assert team.ask(viewer, "GET", f"/bots/{bot['id']}").json["permission"] == "view"


def test_a_list_that_hides_bots_still_has_full_pages(team: Team) -> None:
    viewer = team.members[Role.VIEWER]
    made = [team.bot(visibility="private" if number % 2 else "organization") for number in range(9)]
    team.grant(made[3], viewer, "edit")
    seen = [bot["id"] for number, bot in enumerate(made) if number % 2 == 0 or number == 3][::-1]

    pages, cursor = [], None
    while True:
        query = {"limit": ["2"]} | ({"cursor": [cursor]} if cursor else {})
        page = team.ask(viewer, "GET", "/bots", query=query).json
        pages.append([(bot["id"], bot["permission"]) for bot in page["data"]])
        cursor = page["next_cursor"]
        if not page["has_more"]:
            break

    assert [len(page) for page in pages] == [2, 2, 2]
    shown = [(bot_id, "edit" if bot_id == made[3]["id"] else "view") for bot_id in seen]
    assert [bot for page in pages for bot in page] == shown


def test_members_are_listed_with_what_was_granted(team: Team) -> None:
    bot, viewer = team.bot(), team.members[Role.VIEWER]
    team.grant(bot, viewer, "edit")

    listed = team.ask(team.owner, "GET", f"/bots/{bot['id']}/members").json

    assert {(member["user_id"], member["role"], member["permission"]) for member in listed["data"]} == {
        (str(team.owner.user_id), "owner", "manage"),
        (str(viewer.user_id), "viewer", "edit"),
    }
    assert all(member["email"] == f"{member['user_id']}@example.com" for member in listed["data"])
    query = {"limit": ["1"]}
    first = team.ask(team.owner, "GET", f"/bots/{bot['id']}/members", query=query).json
    rest = team.ask(
        team.owner, "GET", f"/bots/{bot['id']}/members", query=query | {"cursor": [first["next_cursor"]]}
    ).json
    assert first["data"] + rest["data"] == listed["data"]


def test_a_permission_takes_the_place_of_the_one_before(team: Team) -> None:
    bot, viewer = team.bot(visibility="private"), team.members[Role.VIEWER]
    path = f"/bots/{bot['id']}"

    for permission in ("manage", "view", "edit"):
        team.grant(bot, viewer, permission)
        assert team.ask(viewer, "GET", path).json["permission"] == permission
    assert team.ask(team.owner, "DELETE", f"{path}/members/{viewer.user_id}").status == 204

    assert team.ask(viewer, "GET", path).status == 404
    assert team.ask(team.owner, "DELETE", f"{path}/members/{viewer.user_id}").status == 404


def test_who_leaves_the_organization_loses_every_permission(team: Team) -> None:
    bot, viewer = team.bot(visibility="private"), team.members[Role.VIEWER]
    team.grant(bot, viewer, "manage")

    team.leave(viewer)

    listed = team.ask(team.owner, "GET", f"/bots/{bot['id']}/members").json["data"]
    assert [member["user_id"] for member in listed] == [str(team.owner.user_id)]
    assert team.ask(viewer, "GET", f"/bots/{bot['id']}").status == 404


def test_who_is_just_leaving_is_granted_nothing(team: Team, database_urls: DatabaseUrls) -> None:
    bot, viewer = team.bot(), team.members[Role.VIEWER]
    leaving, observer = Database(database_urls.app), Database(database_urls.admin)

    def somebody_waits() -> bool:
        with observer.transaction(None) as connection:
            return bool(connection.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchall())

    with ThreadPoolExecutor(1) as thread:
        with leaving.transaction(team.organization_id) as connection:
            connection.execute("DELETE FROM memberships WHERE user_id = %s", (viewer.user_id,))
            path = f"/bots/{bot['id']}/members/{viewer.user_id}"
            granting = thread.submit(team.ask, team.owner, "PUT", path, {"permission": "view"})
            wait_for(somebody_waits, what="the grant to wait for who is leaving")
        answer = granting.result(timeout=60)

    assert (answer.status, answer.json["detail"]) == (404, "There is no such user.")
    for database in (leaving, observer):
        database.close()


class Meanwhile:
    """A database in which something happens between the gate's transaction and the use case's."""

    def __init__(self, database: Database, happens: Callable[[], object]) -> None:
        self._database = database
        self._happens: list[Callable[[], object]] = [happens, lambda: None]

    @contextmanager
    def transaction(self, *tenant: Any, **how: Any) -> Iterator[Connection]:
        if self._happens:
            self._happens.pop()()
        with self._database.transaction(*tenant, **how) as connection:
            yield connection


@pytest.mark.parametrize(
    ("needed", "withdrawn", "status"),
    [
        ("view", "view", 404),
        ("edit", "edit", 404),
        ("edit", "lowered", 403),
        ("manage", "manage", 404),
        ("manage", "lowered", 403),
    ],
)
def test_what_is_withdrawn_after_the_gate_is_withdrawn(team: Team, needed: str, withdrawn: str, status: int) -> None:
    bot, editor = team.bot(visibility="private"), team.members[Role.EDITOR]
    one, container = f"/bots/{bot['id']}", team.api.container
    before = team.ask(team.owner, "GET", one).json
    database = container.database

    def withdraw() -> None:
        with database.transaction(team.organization_id) as connection:
            statement = (
                "UPDATE bot_members SET permission = 'view'" if withdrawn == "lowered" else "DELETE FROM bot_members"
            )
            connection.execute(f"{statement} WHERE user_id = %s", (editor.user_id,))

    for level, method, path, body in requests_by_level(bot, editor.user_id):
        if level != needed or "/versions" in path or "/members" in path or (method, path) == ("DELETE", one):
            continue
        team.grant(bot, editor, needed)
        vars(container).update(database=Meanwhile(database, withdraw))
        answer = team.ask(editor, method, path, body)
        vars(container).update(database=database)
        assert answer.status == status, f"{method} {path}"

    assert team.ask(team.owner, "GET", one).json == before


@pytest.mark.parametrize("user", ["a stranger", "nobody", "nonsense"])
def test_only_members_of_the_organization_are_granted_anything(api: RunningApi, team: Team, user: str) -> None:
    bot = team.bot()
    known = {"a stranger": str(new_team(api).owner.user_id), "nobody": str(uuid4()), "nonsense": "x"}
    path = f"/bots/{bot['id']}/members/{known[user]}"

    granted = team.ask(team.owner, "PUT", path, {"permission": "view"})
    revoked = team.ask(team.owner, "DELETE", path)

    for answer in (granted, revoked):
        assert (answer.status, answer.code, answer.json["detail"]) == (404, "not_found", "There is no such user.")


@pytest.mark.parametrize(
    "body", [{}, {"permission": "none"}, {"permission": "owner"}, {"permission": None}, {"permission": "view", "x": 1}]
)
def test_a_permission_that_is_none_is_refused(team: Team, body: dict[str, Any]) -> None:
    path = f"/bots/{team.bot()['id']}/members/{team.members[Role.VIEWER].user_id}"

    answer = team.ask(team.owner, "PUT", path, body)

    assert (answer.status, answer.code) == (422, "invalid_request")


def test_a_key_has_its_makers_permission_within_its_scopes_and_bots(team: Team) -> None:
    mine, others = team.bot(visibility="private"), team.bot(visibility="private")
    viewer = team.members[Role.VIEWER]
    team.grant(mine, viewer, "manage")

    def key(**fields: Any) -> Principal:
        return Principal(team.organization_id, viewer.user_id, Role.VIEWER, api_key_id=uuid4(), **fields)

    def patch(caller: Principal, bot: dict[str, Any]) -> Answer:
        return team.ask(caller, "PATCH", f"/bots/{bot['id']}", {"name": "New"})

    assert patch(key(), mine).status == 200
    assert patch(key(), others).status == 404
    assert patch(key(bot_ids=frozenset()), mine).status == 404
    assert patch(key(scopes=frozenset({Scope.BOTS_READ})), mine).code == "insufficient_scope"
