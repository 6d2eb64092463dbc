"""Who sees a bot, and whether it answers."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from chatsphere.access.permissions import Role
from chatsphere.access.rate_limits import PRUNE
from chatsphere.db.database import Database
from chatsphere.knowledge.ingestion.transitions import refresh_bot_status
from tests.builders.running_api import Answer, RunningApi, running_api
from tests.integration.bots.team import Team, new_team
from tests.postgres import DatabaseUrls
from tests.waiting import wait_for

PUBLIC_FIELDS = {"id", "name", "description", "avatar", "welcome_message"}


def post(team: Team, bot: dict[str, Any], action: str) -> Answer:
    return team.ask(team.owner, "POST", f"/bots/{bot['id']}/{action}")


def look(api: RunningApi, bot_id: object, address: str = "192.0.2.1") -> Answer:
    return api.request("GET", f"/v1/public/bots/{bot_id}", address=address)


def add_document(team: Team, bot: dict[str, Any]) -> None:
    """Add a document that readers see."""
    with team.database.transaction(team.organization_id) as connection:
        connection.execute(
            "INSERT INTO documents (id, organization_id, bot_id, name, source, status, stage, generation,"
            " live_generation) VALUES (%s, %s, %s, 'a.md', 'text', 'ready', 'done', 1, 1)",
            (team.api.container.ids.new(), team.organization_id, bot["id"]),
        )


def test_anybody_sees_of_a_public_bot_how_it_presents_itself(api: RunningApi, team: Team) -> None:
    bot = team.bot(description="Knows.", welcome_message="Hi", avatar="https://example.com/a", system_prompt="secret")

    published = post(team, bot, "publish")
    seen = look(api, bot["id"])

    assert (published.status, published.json["visibility"]) == (200, "public")
    assert seen.status == 200
    assert seen.json == {name: bot[name] for name in PUBLIC_FIELDS}


@pytest.mark.parametrize("visibility", ["private", "organization"])
def test_what_is_not_public_does_not_exist_for_a_stranger(api: RunningApi, team: Team, visibility: str) -> None:
    bot = team.bot(visibility=visibility)
    problems = [look(api, bot_id) for bot_id in (bot["id"], uuid4(), "nonsense")]

    assert {(answer.status, answer.code, answer.json["detail"]) for answer in problems} == {
        (404, "not_found", "There is no such bot.")
    }
    assert not any("Ratelimit" in answer.headers or "RateLimit" in answer.headers for answer in problems)


@pytest.mark.parametrize(
    ("method", "action", "body"),
    [
        ("POST", "/unpublish", None),
        ("POST", "/archive", None),
        ("PATCH", "", {"visibility": "private"}),
        ("PATCH", "", {"visibility": "organization"}),
        ("PATCH", "", {"is_active": False}),
        ("DELETE", "", None),
    ],
)
def test_a_public_bot_ends_to_be_one_at_once(
    api: RunningApi, team: Team, method: str, action: str, body: dict[str, Any] | None
) -> None:
    bot = team.bot(visibility="public")
    assert look(api, bot["id"]).status == 200

    assert team.ask(team.owner, method, f"/bots/{bot['id']}{action}", body).status in (200, 202)

    assert look(api, bot["id"]).status == 404
    assert published(team, bot) is False


def test_what_was_switched_off_or_archived_comes_back_as_it_was(api: RunningApi, team: Team) -> None:
    bot = team.bot(visibility="public")

    team.change(bot, is_active=False)
    team.change(bot, is_active=True)
    assert look(api, bot["id"]).status == 200
    post(team, bot, "archive")
    restored = post(team, bot, "restore").json

    assert (restored["visibility"], restored["status"]) == ("public", "draft")
    assert look(api, bot["id"]).status == 200


def test_what_the_release_before_took_back_is_not_shown(api: RunningApi, team: Team) -> None:
    """It knows nothing of `published_bots`: what the bot itself says decides."""
    bot = team.bot(visibility="public")
    with team.database.transaction(team.organization_id) as connection:
        connection.execute("UPDATE bots SET visibility = 'private' WHERE id = %s", (bot["id"],))

    assert look(api, bot["id"]).status == 404


def test_the_bots_of_an_organization_that_is_being_deleted_are_gone(api: RunningApi, team: Team) -> None:
    bot = team.bot(visibility="public")
    with team.database.transaction(team.organization_id) as connection:
        connection.execute("UPDATE organizations SET status = 'deleting' WHERE id = %s", (team.organization_id,))

    assert look(api, bot["id"]).status == 404


def test_an_address_may_look_sixty_times_a_minute(api: RunningApi, team: Team) -> None:
    bot, other = team.bot(visibility="public"), team.bot(visibility="public")

    answers = [look(api, bot["id"]) for _ in range(61)]

    assert [answer.status for answer in answers] == [200] * 60 + [429]
    assert (answers[-1].code, answers[-1].headers["Retry-After"]) == ("rate_limited", "1")
    assert answers[0].headers["RateLimit"] == '"requests";r=59;t=1'
    assert look(api, other["id"]).status == look(api, bot["id"], "192.0.2.2").status == 200
    api.clock.advance(seconds=1)
    assert look(api, bot["id"]).status == 200


def test_visitors_who_are_gone_leave_nothing_behind(api: RunningApi, team: Team) -> None:
    bot = team.bot(visibility="public")
    for number in range(5):
        assert look(api, bot["id"], f"192.0.2.{number}").status == 200

    api.clock.advance(minutes=2)
    assert look(api, bot["id"], "198.51.100.1").status == 200

    with team.database.transaction(team.organization_id) as connection:
        row = connection.execute(
            "SELECT count(*) AS left FROM rate_limits WHERE organization_id = %s", (team.organization_id,)
        ).fetchone()
    assert row == {"left": 1}


def test_a_new_visitor_costs_no_more_where_many_are_about(team: Team, database_urls: DatabaseUrls) -> None:
    now = team.api.clock.now()
    with team.database.transaction(team.organization_id) as connection:
        connection.execute(
            "INSERT INTO rate_limits (organization_id, principal_id, theoretical_arrival_at)"
            " SELECT %s, gen_random_uuid(), %s FROM generate_series(1, 5000)",
            (team.organization_id, now + timedelta(seconds=30)),
        )
    with psycopg.connect(database_urls.admin) as admin:
        admin.execute("ANALYZE rate_limits")
    with team.database.transaction(team.organization_id) as connection:
        values = {"principal_id": uuid4(), "now": now}
        plan = connection.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {PRUNE}", values).fetchone()

    assert plan is not None
    assert 200 <= rows_read(plan["QUERY PLAN"][0]["Plan"]) <= 1000


def rows_read(node: dict[str, Any]) -> float:
    """Return how many rows a plan's nodes returned or threw away."""
    own = (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
    return float(own) + sum(map(rows_read, node.get("Plans", [])))


def test_publishing_twice_and_taking_back_twice_changes_nothing(team: Team) -> None:
    bot = team.bot(visibility="private")

    assert post(team, bot, "unpublish").json["visibility"] == "private"
    for action, visibility in (("publish", "public"), ("publish", "public"), ("unpublish", "organization")):
        assert post(team, bot, action).json["visibility"] == visibility
    assert post(team, bot, "unpublish").json["version"] == 1


def test_taking_a_bot_back_never_shows_one_that_was_made_private_meanwhile(
    team: Team, database_urls: DatabaseUrls
) -> None:
    bot = team.bot(visibility="public")
    with closing(Database(database_urls.app)) as other, closing(Database(database_urls.admin)) as observer:

        def somebody_waits() -> bool:
            with observer.transaction(None) as connection:
                return bool(connection.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchall())

        with ThreadPoolExecutor(1) as thread:
            with other.transaction(team.organization_id) as connection:
                connection.execute("UPDATE bots SET visibility = 'private' WHERE id = %s", (bot["id"],))
                taking_back = thread.submit(post, team, bot, "unpublish")
                wait_for(somebody_waits, what="the bot's row to be waited for")
            answer = taking_back.result(timeout=60)

    assert (answer.status, answer.json["visibility"]) == (200, "private")


def test_an_archived_bot_is_kept_as_it_is(team: Team) -> None:
    bot = team.bot()
    path = f"/bots/{bot['id']}"

    archived = post(team, bot, "archive").json

    assert archived["status"] == post(team, bot, "archive").json["status"] == "archived"
    for method, action, body in (
        ("PATCH", "", {"name": "Other"}),
        ("POST", "/rollback", {"version": 1}),
        ("POST", "/publish", None),
    ):
        answer = team.ask(team.owner, method, path + action, body)
        assert (answer.status, answer.code) == (409, "bot_archived"), action
    assert team.ask(team.owner, "GET", path).json == archived
    assert team.ask(team.owner, "GET", f"{path}/versions").status == 200
    assert team.ask(team.owner, "DELETE", path).status == 202


def test_a_restored_bot_has_the_status_of_its_documents(team: Team) -> None:
    bot = team.bot()
    add_document(team, bot)
    post(team, bot, "archive")
    with team.database.transaction(team.organization_id) as connection:
        refresh_bot_status(connection, UUID(bot["id"]), team.api.clock.now())
    assert team.ask(team.owner, "GET", f"/bots/{bot['id']}").json["status"] == "archived"

    assert post(team, bot, "restore").json["status"] == "trained"
    assert post(team, bot, "restore").json["status"] == "trained"


@pytest.mark.parametrize("made_public_by", ["creating", "changing", "publishing", "restoring"])
def test_where_it_is_demanded_only_a_verified_address_makes_a_bot_public(
    database_urls: DatabaseUrls, made_public_by: str
) -> None:
    with running_api(database_urls, REQUIRE_VERIFIED_EMAIL="true") as api:
        team = new_team(api)
        bot = team.bot()
        if made_public_by == "restoring":
            verify(database_urls, team, True)
            post(team, bot, "publish")
            post(team, bot, "archive")
            verify(database_urls, team, False)

        def make_public() -> Answer:
            match made_public_by:
                case "creating":
                    return team.ask(team.owner, "POST", "/bots", {"name": "x", "visibility": "public"})
                case "changing":
                    return team.ask(team.owner, "PATCH", f"/bots/{bot['id']}", {"visibility": "public"})
                case "publishing":
                    return post(team, bot, "publish")
                case _:
                    return post(team, bot, "restore")

        refused = make_public()
        assert (refused.status, refused.code) == (403, "email_not_verified")
        assert published(team, bot) is False
        verify(database_urls, team, True)
        assert make_public().status in (200, 201)


def test_an_editor_changes_what_a_bot_is_and_not_who_sees_it(team: Team) -> None:
    bot, editor = team.bot(), team.members[Role.EDITOR]
    path = f"/bots/{bot['id']}"

    for change in ({"visibility": "public"}, {"visibility": "private", "name": "x"}, {"is_active": False}):
        assert team.ask(editor, "PATCH", path, change).code == "insufficient_permission"
    same = {"visibility": "organization", "is_active": True, "name": "New"}
    answer = team.ask(editor, "PATCH", path, same)

    assert (answer.status, answer.json["name"], answer.json["visibility"]) == (200, "New", "organization")


def published(team: Team, bot: dict[str, Any]) -> bool:
    with team.database.transaction(None) as connection:
        return connection.execute("SELECT FROM published_bots WHERE bot_id = %s", (bot["id"],)).fetchone() is not None


def verify(urls: DatabaseUrls, team: Team, verified: bool) -> None:
    with psycopg.connect(urls.admin) as admin:
        admin.execute("UPDATE users SET is_verified = %s WHERE id = %s", (verified, team.owner.user_id))
