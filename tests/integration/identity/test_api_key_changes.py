"""What becomes of API keys: changed, rotated, limited; and whose they are."""

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from chatsphere.access.permissions import Role
from chatsphere.access.principal import Principal
from chatsphere.adapters.system import UuidV7Ids
from chatsphere.db.database import Database
from chatsphere.identity.api_key_rotation import rotate
from chatsphere.identity.api_keys import AlreadyRotatedError
from chatsphere.identity.model import NewApiKey
from tests.builders.invitations import joined
from tests.builders.running_api import Account, Answer, RunningApi
from tests.postgres import DatabaseUrls
from tests.racing import race

LIMITS = {"requests_per_minute": 60, "monthly_budget_tokens": 1000, "monthly_budget_microdollars": 5000}


@pytest.fixture
def account(api: RunningApi) -> Account:
    return api.register()


@pytest.fixture
def admin_database(database_urls: DatabaseUrls) -> Iterator[Database]:
    with closing(Database(database_urls.admin)) as database:
        yield database


def ask(api: RunningApi, token: str, method: str, key_id: str = "", body: Any = None, **named: Any) -> Answer:
    return api.request(method, f"/v1/api-keys{key_id and '/' + key_id}", body, token=token, **named)


def patch(api: RunningApi, account: Account, key: dict[str, Any], **changes: Any) -> Answer:
    return ask(api, account.access_token, "PATCH", key["id"], changes)


def rotated(api: RunningApi, token: str, key: dict[str, Any], **body: Any) -> Answer:
    return api.request("POST", f"/v1/api-keys/{key['id']}/rotate", body, token=token)


def works(api: RunningApi, key: dict[str, Any]) -> bool:
    return api.request("GET", "/v1/bots", token=key["key"]).status == 200


# ------------------------------------------------------------------------------------------------------ changes


def test_a_key_is_made_with_limits_of_its_own_and_shows_what_it_used(api: RunningApi, account: Account) -> None:
    made = api.api_key(account, **LIMITS)

    shown = ask(api, account.access_token, "GET", made["id"]).json
    assert {name: shown[name] for name in LIMITS} == LIMITS
    assert shown["usage"] == {
        "period": api.clock.moment.date().replace(day=1).isoformat(),
        "messages": 0,
        "tokens": 0,
        "cost_microdollars": 0,
    }


def test_each_setting_changes_by_itself(api: RunningApi, account: Account) -> None:
    made = api.api_key(account, expires_at=(api.clock.moment + timedelta(days=1)).isoformat(), **LIMITS)
    bot = api.bot(account)
    changes: list[tuple[str, Any]] = [
        ("name", "renamed"),
        ("scopes", ["bots:read", "chat"]),
        ("bot_ids", [bot["id"]]),
        ("bot_ids", None),
        ("expires_at", None),
        ("requests_per_minute", None),
        ("monthly_budget_tokens", 7),
        ("monthly_budget_microdollars", None),
    ]
    expected = {name: value for name, value in made.items() if name != "key"}

    for name, value in changes:
        expected[name] = value
        answer = patch(api, account, made, **{name: value})
        assert answer.status == 200, answer.text
        assert answer.json == expected


def test_a_change_holds_from_the_next_request_on(api: RunningApi, account: Account) -> None:
    made = api.api_key(account, scopes=["bots:read"])
    assert works(api, made)

    patch(api, account, made, scopes=["chat"])

    refused = api.request("GET", "/v1/bots", token=made["key"])
    assert (refused.status, refused.code) == (403, "insufficient_scope")


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""},
        {"name": None},
        {"scopes": None},
        {"scopes": []},
        {"bot_ids": [str(uuid4())]},
        {"expires_at": "2020-01-01T00:00:00Z"},
        {"requests_per_minute": 0},
        {"monthly_budget_tokens": -1},
        {"monthly_budget_microdollars": "much"},
        {"prefix": "cs_live_mine"},
        {"rotated_to": str(uuid4())},
    ],
)
def test_a_bad_change_changes_nothing(api: RunningApi, account: Account, changes: dict[str, Any]) -> None:
    made = api.api_key(account)

    assert (patch(api, account, made, **changes).status) == 422

    shown = ask(api, account.access_token, "GET", made["id"]).json
    assert {name: shown[name] for name in made if name != "key"} == {k: v for k, v in made.items() if k != "key"}


@pytest.mark.parametrize("scope", ["api_keys", "organization:write", "audit:read", "erasures:write"])
def test_a_key_limited_to_a_bot_has_nothing_of_the_whole_organization(
    api: RunningApi, account: Account, scope: str
) -> None:
    bots = [api.bot(account)["id"]]

    refused = ask(api, account.access_token, "POST", body={"name": "x", "bot_ids": bots, "scopes": ["chat", scope]})

    assert (refused.status, refused.json["errors"][0]["code"]) == (422, "not_of_a_bot")
    made = api.api_key(account, scopes=["chat", scope])
    assert patch(api, account, made, bot_ids=bots).status == 422
    assert "organization:read" not in api.api_key(account, bot_ids=bots)["scopes"]


@pytest.mark.parametrize("limit", LIMITS)
def test_a_limited_key_cannot_make_one_without_the_limit(api: RunningApi, account: Account, limit: str) -> None:
    body = {"name": "x", "scopes": ["api_keys"], limit: LIMITS[limit]}

    refused = ask(api, account.access_token, "POST", body=body)

    assert (refused.status, refused.json["errors"][0]["code"]) == (422, "limited_key")


def test_a_key_cannot_widen_itself_or_another(api: RunningApi, account: Account) -> None:
    keeper = api.api_key(account, scopes=["api_keys", "bots:read"])
    other = api.api_key(account, scopes=["chat", "bots:read"])

    for key in (keeper, other):
        refused = ask(api, keeper["key"], "PATCH", key["id"], {"scopes": ["api_keys", "bots:read", "bots:write"]})
        assert (refused.status, refused.code) == (403, "forbidden")
    # What it has already it may keep, also where the one who changes it has it not.
    kept = ask(api, keeper["key"], "PATCH", other["id"], {"scopes": ["chat"], "name": "narrower"})
    assert (kept.status, kept.json["scopes"]) == (200, ["chat"])


def test_a_bot_that_the_maker_does_not_see_cannot_be_named(api: RunningApi, account: Account) -> None:
    hidden = api.bot(account, visibility="private")
    editor = joined(api, account, "editor")

    refused = ask(api, editor.access_token, "POST", body={"name": "x", "bot_ids": [hidden["id"]]})

    assert (refused.status, refused.json["errors"][0]["code"]) == (422, "unknown_bot")


# ------------------------------------------------------------------------------------------------------- whose


def test_editors_manage_their_own_keys_and_admins_all(api: RunningApi, account: Account) -> None:
    editor, admin = joined(api, account, "editor"), joined(api, account, "admin")
    of_owner, of_editor = api.api_key(account), api.api_key(editor)

    def seen(who: Account) -> set[str]:
        return {key["id"] for key in ask(api, who.access_token, "GET").json["data"]}

    assert seen(editor) == {of_editor["id"]}
    assert seen(admin) == seen(account) == {of_owner["id"], of_editor["id"]}
    for method, body in (("GET", None), ("PATCH", {"name": "mine"}), ("DELETE", None)):
        assert ask(api, editor.access_token, method, of_owner["id"], body).status == 404
    assert rotated(api, editor.access_token, of_owner).status == 404
    assert works(api, of_owner)
    assert ask(api, admin.access_token, "PATCH", of_editor["id"], {"name": "limited"}).status == 200
    assert ask(api, admin.access_token, "DELETE", of_editor["id"]).status == 204


def test_an_admin_revokes_an_owners_key_and_does_not_change_it(api: RunningApi, account: Account) -> None:
    admin, of_owner = joined(api, account, "admin"), api.api_key(account)

    refused = ask(api, admin.access_token, "PATCH", of_owner["id"], {"scopes": ["chat"]})

    assert (refused.status, refused.code) == (403, "insufficient_role")
    assert ask(api, admin.access_token, "DELETE", of_owner["id"]).status == 204
    assert not works(api, of_owner)


def test_a_viewer_has_no_keys(api: RunningApi, account: Account) -> None:
    viewer = joined(api, account, "viewer")

    refused = ask(api, viewer.access_token, "POST", body={"name": "x"})

    assert (refused.status, refused.code) == (403, "insufficient_role")


def test_a_key_is_worth_what_its_maker_is_worth_now(api: RunningApi, account: Account) -> None:
    editor = joined(api, account, "editor")
    key = api.api_key(editor)
    assert api.request("POST", "/v1/bots", {"name": "A"}, token=key["key"]).status == 201
    path = f"/v1/organizations/{account.organization_id}/members/{editor.user_id}"

    assert api.request("PATCH", path, {"role": "viewer"}, token=account.access_token).status == 200

    refused = api.request("POST", "/v1/bots", {"name": "B"}, token=key["key"])
    assert (refused.status, refused.code) == (403, "insufficient_role")


# ----------------------------------------------------------------------------------------------------- rotation


def test_a_rotated_key_and_its_successor_work_until_the_overlap_ends(api: RunningApi, account: Account) -> None:
    old = api.api_key(account, scopes=["bots:read", "chat"], **LIMITS)

    answer = rotated(api, account.access_token, old, overlap_seconds=3600)

    new = answer.json
    assert answer.status == 201
    assert new["key"] != old["key"]
    same = ("name", "scopes", "bot_ids", "created_by", "expires_at", *LIMITS)
    assert {name: new[name] for name in same} == {name: old[name] for name in same}
    shown = ask(api, account.access_token, "GET", old["id"]).json
    assert shown["rotated_to"] == new["id"]
    assert datetime.fromisoformat(shown["expires_at"]) == api.clock.moment + timedelta(hours=1)
    assert works(api, old)
    assert works(api, new)
    api.clock.advance(seconds=3600)
    expired = api.request("GET", "/v1/bots", token=old["key"])
    assert (expired.status, expired.code) == (401, "token_expired")
    assert works(api, new)


def test_without_overlap_the_old_key_ends_at_once(api: RunningApi, account: Account) -> None:
    old = api.api_key(account)

    new = rotated(api, account.access_token, old, overlap_seconds=0).json

    assert not works(api, old)
    assert works(api, new)


def test_the_overlap_is_a_day_and_never_longer_than_the_key_would_have_worked(
    api: RunningApi, account: Account
) -> None:
    ends = api.clock.moment + timedelta(hours=2)
    short, long = api.api_key(account, expires_at=ends.isoformat()), api.api_key(account)

    new = rotated(api, account.access_token, short).json
    rotated(api, account.access_token, long)

    def expiry(key: dict[str, Any]) -> datetime:
        return datetime.fromisoformat(ask(api, account.access_token, "GET", key["id"]).json["expires_at"])

    assert expiry(short) == ends
    assert datetime.fromisoformat(new["expires_at"]) == ends
    assert expiry(long) == api.clock.moment + timedelta(days=1)


@pytest.mark.parametrize("overlap", [-1, 604_801, 1.5, "1 h", None])
def test_a_bad_overlap_is_refused(api: RunningApi, account: Account, overlap: object) -> None:
    key = api.api_key(account)

    assert rotated(api, account.access_token, key, overlap_seconds=overlap).status == 422
    assert ask(api, account.access_token, "GET", key["id"]).json["rotated_to"] is None


def test_a_rotated_key_is_neither_rotated_nor_changed_again(api: RunningApi, account: Account) -> None:
    old = api.api_key(account)
    rotated(api, account.access_token, old)

    again, changed = rotated(api, account.access_token, old), patch(api, account, old, expires_at=None)

    assert (again.status, again.code) == (409, "already_rotated")
    assert (changed.status, changed.code) == (409, "already_rotated")
    assert ask(api, account.access_token, "DELETE", old["id"]).status == 204


def test_an_expired_key_has_no_successor(api: RunningApi, account: Account) -> None:
    key = api.api_key(account, expires_at=(api.clock.moment + timedelta(minutes=5)).isoformat())
    api.clock.advance(minutes=5)

    refused = rotated(api, account.access_token, key)

    assert (refused.status, refused.code) == (409, "key_expired")


def test_nobody_gets_a_key_that_acts_as_somebody_else(api: RunningApi, account: Account) -> None:
    editor = joined(api, account, "editor")
    key = api.api_key(editor)

    refused = rotated(api, account.access_token, key)

    assert (refused.status, refused.code) == (403, "forbidden")
    assert rotated(api, editor.access_token, key).status == 201


def test_a_key_rotates_no_key_that_grants_more_or_lasts_longer(api: RunningApi, account: Account) -> None:
    ends = (api.clock.moment + timedelta(days=1)).isoformat()
    keeper = api.api_key(account, scopes=["api_keys", "chat"], expires_at=ends)
    wider, longer = api.api_key(account, scopes=["chat", "bots:read"]), api.api_key(account, scopes=["chat"])

    for key in (wider, longer):
        refused = rotated(api, keeper["key"], key)
        assert (refused.status, refused.code) == (403, "forbidden")
    itself = rotated(api, keeper["key"], keeper)
    assert (itself.status, itself.json["scopes"]) == (201, ["api_keys", "chat"])


def test_of_rotations_at_once_exactly_one_wins(
    api: RunningApi, account: Account, database_urls: DatabaseUrls, ids: UuidV7Ids, admin_database: Database
) -> None:
    key = api.api_key(account)
    caller = Principal(UUID(account.organization_id), UUID(account.user_id), Role.OWNER)

    def work(database: Database, _: int) -> NewApiKey:
        with database.transaction(caller.organization_id, caller.user_id) as connection:
            overlap, now = timedelta(hours=1), api.clock.moment
            return rotate(connection, caller, UUID(key["id"]), overlap=overlap, new_id=ids.new(), now=now)

    results = race(database_urls.app, 8, work)

    (winner,) = [result for result in results if isinstance(result, NewApiKey)]
    assert sum(isinstance(result, AlreadyRotatedError) for result in results) == 7
    with admin_database.transaction(None) as connection:
        rows = connection.execute(
            "SELECT id, rotated_to FROM api_keys WHERE organization_id = %s ORDER BY id", (account.organization_id,)
        ).fetchall()
    assert rows == [
        {"id": UUID(key["id"]), "rotated_to": winner.api_key.id},
        {"id": winner.api_key.id, "rotated_to": None},
    ]


# ------------------------------------------------------------------------------------------------ found and told


def test_keys_are_found_by_their_prefix(api: RunningApi, account: Account) -> None:
    keys = [api.api_key(account) for _ in range(3)]
    stranger = api.register()

    def found(who: Account, prefix: str) -> list[str]:
        answer = ask(api, who.access_token, "GET", query={"prefix": [prefix]})
        return [key["id"] for key in answer.json["data"]]

    assert found(account, keys[1]["prefix"]) == [keys[1]["id"]]
    assert found(account, keys[1]["prefix"][:-4]) == [keys[1]["id"]]
    assert found(account, "cs_live_") == [key["id"] for key in reversed(keys)]
    # No pattern, and nobody else's.
    assert found(account, "cs%live_") == []
    assert found(stranger, keys[1]["prefix"]) == []


def test_a_typing_error_is_told_apart_from_an_unknown_key(api: RunningApi, account: Account) -> None:
    key = api.api_key(account)["key"]
    unknown = api.api_key(account)
    ask(api, account.access_token, "DELETE", unknown["id"])
    last = "x" if key[-1] != "x" else "y"

    for wrong in (key[:-1] + last, key[:-1], "cs_live_"):
        answer = api.request("GET", "/v1/bots", token=wrong)
        assert (answer.status, answer.code) == (401, "malformed_api_key")
    answer = api.request("GET", "/v1/bots", token=unknown["key"])
    assert (answer.status, answer.code) == (401, "unauthorized")


def test_a_plan_permits_so_many_keys_that_work(api: RunningApi, account: Account) -> None:
    made = [api.api_key(account) for _ in range(10)]
    path = "/v1/api-keys"
    refused = api.request("POST", path, {"name": "one more"}, token=account.access_token)
    rotated = api.request("POST", f"{path}/{made[0]['id']}/rotate", {}, token=account.access_token)
    assert {(answer.status, answer.code) for answer in (refused, rotated)} == {(402, "quota_exceeded")}
    assert api.request("DELETE", f"{path}/{made[1]['id']}", token=account.access_token).status == 204
    assert api.request("POST", path, {"name": "one more"}, token=account.access_token).status == 201


def test_a_key_whose_bot_is_gone_can_still_be_changed(api: RunningApi, account: Account) -> None:
    bot = api.bot(account)
    key = api.api_key(account, bot_ids=[bot["id"]], scopes=["chat"])
    assert api.request("DELETE", f"/v1/bots/{bot['id']}", token=account.access_token).status == 202

    assert patch(api, account, key, name="Another").json["name"] == "Another"
    assert patch(api, account, key, bot_ids=[bot["id"]]).json["errors"][0]["code"] == "unknown_bot"
