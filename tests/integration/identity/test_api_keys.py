from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from chatsphere.db.database import Database
from tests.builders.running_api import Account, Answer, RunningApi
from tests.postgres import DatabaseUrls

DEFAULT_SCOPES = [
    "bots:read",
    "bots:write",
    "chat",
    "conversations:read",
    "conversations:write",
    "documents:read",
    "documents:write",
    "organization:read",
]


@pytest.fixture
def account(api: RunningApi) -> Account:
    return api.register()


@pytest.fixture
def admin(database_urls: DatabaseUrls) -> Iterator[Database]:
    database = Database(database_urls.admin)
    yield database
    database.close()


def make(api: RunningApi, token: str, **fields: Any) -> Answer:
    return api.request("POST", "/v1/api-keys", {"name": "key", **fields}, token=token)


def in_days(api: RunningApi, days: int) -> str:
    return (api.clock.moment + timedelta(days=days)).isoformat()


def test_a_key_is_shown_once_and_then_never(api: RunningApi, account: Account, admin: Database) -> None:
    made = api.api_key(account, name=" CI ")

    assert made["key"].startswith(made["prefix"] + "_")
    assert (made["name"], made["scopes"], made["bot_ids"], made["expires_at"]) == ("CI", DEFAULT_SCOPES, None, None)
    for path in ("/v1/api-keys", f"/v1/api-keys/{made['id']}"):
        answer = api.request("GET", path, token=account.access_token)
        assert answer.status == 200
        assert made["prefix"] in answer.text
        assert made["key"].removeprefix(made["prefix"] + "_") not in answer.text
    with admin.transaction(None) as connection:
        row = connection.execute("SELECT api_keys::text AS row FROM api_keys WHERE id = %s", (made["id"],))
        assert made["key"].removeprefix(made["prefix"] + "_") not in str(row.fetchone())


def test_a_key_stands_for_its_maker(api: RunningApi, account: Account) -> None:
    made = api.api_key(account)

    me = api.request("GET", "/v1/me", token=made["key"]).json

    assert me["user"]["id"] == account.user_id
    assert me["organization"]["id"] == account.organization_id
    assert me["api_key"]["id"] == made["id"]
    assert "key" not in me["api_key"]


def test_a_revoked_key_is_refused_at_once_and_gone(api: RunningApi, account: Account) -> None:
    made = api.api_key(account)
    path = f"/v1/api-keys/{made['id']}"
    assert api.request("GET", "/v1/bots", token=made["key"]).status == 200

    answer = api.request("DELETE", path, token=account.access_token)

    assert (answer.status, answer.text) == (204, "")
    refused = api.request("GET", "/v1/bots", token=made["key"])
    assert (refused.status, refused.code) == (401, "unauthorized")
    assert api.request("GET", path, token=account.access_token).status == 404
    assert api.request("DELETE", path, token=account.access_token).status == 404
    assert api.request("GET", "/v1/api-keys", token=account.access_token).json["data"] == []


def test_a_key_expires(api: RunningApi, account: Account) -> None:
    made = api.api_key(account, expires_at=in_days(api, 1))

    api.clock.advance(hours=23, minutes=59)
    assert api.request("GET", "/v1/bots", token=made["key"]).status == 200
    api.clock.advance(minutes=1)
    refused = api.request("GET", "/v1/bots", token=made["key"])

    assert (refused.status, refused.code, refused.json["detail"]) == (401, "token_expired", "The API key has expired.")


def test_without_the_scope_a_key_manages_no_keys(api: RunningApi, account: Account) -> None:
    made = api.api_key(account)

    for method, path in [("POST", ""), ("GET", ""), ("GET", f"/{made['id']}"), ("DELETE", f"/{made['id']}")]:
        body = {"name": "more"} if method == "POST" else None
        answer = api.request(method, f"/v1/api-keys{path}", body, token=made["key"])
        assert (answer.status, answer.code) == (403, "insufficient_scope")


def test_a_key_grants_no_more_than_its_maker_has(api: RunningApi, account: Account) -> None:
    maker = api.api_key(account, scopes=["api_keys", "bots:read"])

    assert make(api, maker["key"]).json["scopes"] == ["bots:read"]
    assert make(api, maker["key"], scopes=["api_keys"]).status == 201
    refused = make(api, maker["key"], scopes=["bots:read", "bots:write"])
    assert (refused.status, refused.code) == (403, "forbidden")
    assert "bots:write" in refused.json["detail"]


def test_a_key_does_not_outlive_its_maker(api: RunningApi, account: Account) -> None:
    maker = api.api_key(account, scopes=["api_keys", "chat"], expires_at=in_days(api, 7))

    assert make(api, maker["key"]).json["expires_at"] == maker["expires_at"]
    assert make(api, maker["key"], expires_at=in_days(api, 6)).status == 201
    refused = make(api, maker["key"], expires_at=in_days(api, 8))
    assert (refused.status, refused.code) == (403, "forbidden")


def test_a_key_can_be_limited_to_bots_of_the_organization(api: RunningApi, account: Account) -> None:
    bot = api.bot(account)

    assert api.api_key(account, bot_ids=[bot["id"]])["bot_ids"] == [bot["id"]]
    refused = make(api, account.access_token, bot_ids=[bot["id"], str(uuid4())])
    assert (refused.status, [error["code"] for error in refused.json["errors"]]) == (422, ["unknown_bot"])


def test_a_bot_that_is_being_deleted_cannot_be_named(api: RunningApi, account: Account) -> None:
    bot = api.bot(account)
    api.request("DELETE", f"/v1/bots/{bot['id']}", token=account.access_token)

    assert make(api, account.access_token, bot_ids=[bot["id"]]).status == 422


def test_a_key_limited_to_bots_cannot_manage_keys(api: RunningApi, account: Account) -> None:
    bot = api.bot(account)

    assert make(api, account.access_token, bot_ids=[bot["id"]], scopes=["api_keys"]).status == 422


@pytest.mark.parametrize(
    "fields",
    [
        {"name": ""},
        {"name": "  "},
        {"name": "x" * 201},
        {"name": "a\x00b"},
        {"name": None},
        {"scopes": []},
        {"scopes": ["everything"]},
        {"scopes": "chat"},
        {"bot_ids": []},
        {"bot_ids": ["x"]},
        {"bot_ids": [str(uuid4()) for _ in range(101)]},
        {"expires_at": "2020-01-01T00:00:00Z"},
        {"expires_at": "2030-01-01T00:00:00"},
        {"expires_at": "9999-12-31T23:59:59-23:00"},
        {"expires_at": 1e300},
        {"expires_at": "soon"},
        {"organization_id": str(uuid4())},
    ],
)
def test_a_bad_key_is_not_made(api: RunningApi, account: Account, fields: dict[str, Any]) -> None:
    answer = make(api, account.access_token, **fields)

    assert (answer.status, answer.code) == (422, "invalid_request")


def test_keys_are_paged_newest_first(api: RunningApi, account: Account) -> None:
    made = [api.api_key(account, name=str(number))["name"] for number in range(5)]

    seen, cursor = [], None
    while cursor != "end":
        query = {"limit": ["2"]} | ({"cursor": [cursor]} if cursor else {})
        page = api.request("GET", "/v1/api-keys", token=account.access_token, query=query).json
        assert page["has_more"] == (page["next_cursor"] is not None)
        seen.append([key["name"] for key in page["data"]])
        cursor = page["next_cursor"] or "end"

    assert seen == [["4", "3"], ["2", "1"], ["0"]]
    assert sorted(made) == ["0", "1", "2", "3", "4"]


def test_the_last_use_is_noted_at_most_once_a_minute(api: RunningApi, account: Account) -> None:
    made = api.api_key(account)

    def used_after(**time: float) -> datetime:
        api.clock.advance(**time)
        api.request("GET", "/v1/bots", token=made["key"])
        shown = api.request("GET", f"/v1/api-keys/{made['id']}", token=account.access_token).json
        return datetime.fromisoformat(shown["last_used_at"]).astimezone(UTC)

    first = used_after(seconds=0)
    assert first == api.clock.moment
    assert used_after(seconds=59) == first
    assert used_after(seconds=1) == first + timedelta(minutes=1)
