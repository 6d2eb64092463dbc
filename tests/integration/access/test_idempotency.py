"""A write that is repeated with its Idempotency-Key is answered again and not done again."""

import json
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

import pytest

from chatsphere.access.permissions import Role
from chatsphere.access.principal import Principal
from chatsphere.db.database import Database
from chatsphere.http import idempotency_store
from functions.manage_bots.handler import handler
from tests.builders.rest_api import proxy_event
from tests.builders.running_api import Account, Answer, RunningApi
from tests.postgres import DatabaseUrls

KEY = "4f5a7a2e-7f3d-4f43-8f9b-6f3a0b8f7c11"


def ask(
    api: RunningApi,
    account: Account,
    method: str = "POST",
    path: str = "/v1/bots",
    body: Any = None,
    *,
    key: str = KEY,
    query: Mapping[str, list[str]] | None = None,
    token: str | None = None,
) -> Answer:
    headers = {"Idempotency-Key": key}
    sent = {"name": "Bot"} if body is None and method == "POST" else body
    return api.request(method, path, sent, token=token or account.access_token, headers=headers, query=query)


def bots(api: RunningApi, account: Account) -> list[str]:
    listed = api.request("GET", "/v1/bots", token=account.access_token, query={"limit": ["100"]}).json
    return [bot["id"] for bot in listed["data"]]


def rows(database_urls: DatabaseUrls, account: Account) -> list[dict[str, Any]]:
    administrator = Database(database_urls.admin)
    with administrator.transaction(None) as connection:
        found = connection.execute(
            "SELECT * FROM idempotency_keys WHERE organization_id = %s", (account.organization_id,)
        ).fetchall()
    administrator.close()
    return found


def assert_replays(first: Answer, second: Answer) -> None:
    assert (second.status, second.text) == (first.status, first.text)
    assert second.headers.get("Content-Type") == first.headers.get("Content-Type")
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert second.headers["X-Request-Id"] != first.headers["X-Request-Id"]


def test_a_repeated_request_gets_the_first_answer(api: RunningApi, account: Account) -> None:
    first, second = ask(api, account), ask(api, account)

    assert first.status == 201
    assert_replays(first, second)
    assert bots(api, account) == [first.json["id"]]


def test_without_a_key_each_request_is_another(api: RunningApi, account: Account) -> None:
    assert api.bot(account)["id"] != api.bot(account)["id"]


def test_an_answer_without_content_is_repeated_too(api: RunningApi, account: Account) -> None:
    path = f"/v1/bots/{api.bot(account)['id']}"

    first = ask(api, account, "PATCH", path, {"name": "New"}, key="change")
    assert_replays(first, ask(api, account, "PATCH", path, {"name": "New"}, key="change"))
    assert first.status == 200
    key = api.api_key(account)["id"]
    first = ask(api, account, "DELETE", f"/v1/api-keys/{key}", key="revoke")
    assert_replays(first, ask(api, account, "DELETE", f"/v1/api-keys/{key}", key="revoke"))
    assert (first.status, first.text) == (204, "")


def test_an_error_of_the_clients_is_repeated_even_when_it_would_pass_now(api: RunningApi, account: Account) -> None:
    first = ask(api, account, body={"name": ""})

    assert first.code == "invalid_request"
    assert_replays(first, ask(api, account, body={"name": ""}))


@pytest.mark.parametrize(
    "other",
    [
        lambda api, account: ask(api, account, body={"name": "Other"}),
        lambda api, account: ask(api, account, body={"name": "Bot", "description": ""}),
        lambda api, account: ask(api, account, path="/v1/api-keys"),
        lambda api, account: ask(api, account, "PATCH", "/v1/me", {"name": "Bot"}),
        lambda api, account: ask(api, account, query={"a": ["b"]}),
    ],
    ids=["other body", "more in the body", "other path", "other method", "other query"],
)
def test_a_key_belongs_to_one_request(
    api: RunningApi, account: Account, other: Callable[[RunningApi, Account], Answer]
) -> None:
    first = ask(api, account)

    answer = other(api, account)

    assert (answer.status, answer.code) == (422, "idempotency_key_reused")
    assert_replays(first, ask(api, account))


def test_a_key_belongs_to_one_principal(api: RunningApi, account: Account) -> None:
    program = api.api_key(account, scopes=["bots:read", "bots:write"])["key"]
    stranger = api.register()

    answers = [ask(api, account), ask(api, account, token=program), ask(api, stranger)]

    assert len({answer.json["id"] for answer in answers}) == 3
    assert set(bots(api, account)) == {answer.json["id"] for answer in answers[:2]}


def test_it_is_kept_for_a_day(api: RunningApi, account: Account, database_urls: DatabaseUrls) -> None:
    token = api.api_key(account, scopes=["bots:read", "bots:write"])["key"]
    first = ask(api, account, token=token)
    api.clock.advance(hours=23, minutes=59)
    assert_replays(first, ask(api, account, token=token))

    api.clock.advance(minutes=2)

    assert ask(api, account, body={"name": "Another"}, token=token).status == 201
    ask(api, account, key="to see who is left", body={"name": "Third"}, token=token)
    assert len(rows(database_urls, account)) == 2


def test_expired_keys_are_deleted_by_the_next_ones_some_at_a_time(
    api: RunningApi, account: Account, database_urls: DatabaseUrls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency_store, "EXPIRED_AT_ONCE", 2)
    token = api.api_key(account)["key"]
    for number in range(3):
        ask(api, account, body={"name": ""}, key=f"old {number}", token=token)
    api.clock.advance(hours=25)

    ask(api, account, body={"name": ""}, key="new", token=token)

    assert len(rows(database_urls, account)) == 2


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "schlüssel", "a\x01b", "a\x7fb", "a\nb"])
def test_a_key_is_printable_and_not_too_long(api: RunningApi, account: Account, key: str) -> None:
    answer = ask(api, account, key=key)

    assert (answer.status, answer.code) == (422, "invalid_request")
    assert [error["pointer"] for error in answer.json["errors"]] == ["Idempotency-Key"]
    assert bots(api, account) == []


def test_of_two_keys_none_is_chosen(api: RunningApi, account: Account, database_urls: DatabaseUrls) -> None:
    event = proxy_event("POST", "/v1/bots", "/v1/bots", {}, {"Idempotency-Key": "second"}, {})
    event["multiValueHeaders"]["Idempotency-Key"] = ["first", "second"]
    caller = Principal(UUID(account.organization_id), UUID(account.user_id), Role.OWNER)
    event["requestContext"]["authorizer"] = caller.to_context()

    answer = handler(event | {"body": '{"name": "Bot"}'}, None)

    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (422, "invalid_request")
    assert bots(api, account) == []
    assert rows(database_urls, account) == []


@pytest.mark.parametrize("key", ["x", "x" * 255, "a b", '"quoted"', "~!@#$%^&*()"])
def test_any_printable_key_will_do(api: RunningApi, account: Account, key: str) -> None:
    assert_replays(ask(api, account, key=key), ask(api, account, key=key))


def test_reading_ignores_the_key(api: RunningApi, account: Account, database_urls: DatabaseUrls) -> None:
    assert "Idempotency-Replayed" not in ask(api, account, "GET").headers
    assert "Idempotency-Replayed" not in ask(api, account, "GET").headers
    assert rows(database_urls, account) == []


def test_who_is_not_let_in_leaves_nothing_behind(
    api: RunningApi, account: Account, database_urls: DatabaseUrls
) -> None:
    token = api.api_key(account, scopes=["bots:read"])["key"]

    assert ask(api, account, token=token).code == "insufficient_scope"
    assert ask(api, account, "PATCH", f"/v1/bots/{UUID(int=5)}", {"name": "x"}).code == "not_found"
    assert rows(database_urls, account) == []


def test_what_is_stored_tells_neither_key_nor_request_nor_answer(
    api: RunningApi, account: Account, database_urls: DatabaseUrls
) -> None:
    body = {"name": "a name that is nowhere else", "scopes": ["chat"]}
    answer = ask(api, account, path="/v1/api-keys", body=body)
    assert answer.status == 201

    [row] = rows(database_urls, account)

    stored = " ".join(bytes(v).hex() if isinstance(v, bytes | memoryview) else str(v) for v in row.values())
    for secret in (KEY, answer.json["key"], body["name"]):
        assert str(secret) not in stored
        assert str(secret).encode().hex() not in stored
    assert_replays(answer, ask(api, account, path="/v1/api-keys", body=body))


def test_a_page_of_another_origin_may_read_what_it_needs(
    api: RunningApi, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = "https://console.example.com"
    monkeypatch.setenv("CONSOLE_ORIGINS", page)
    vars(api.container).pop("browser_settings", None)

    answer = api.request("GET", "/v1/bots", token=account.access_token, headers={"Origin": page})

    exposed = answer.headers["Access-Control-Expose-Headers"].split(", ")
    assert {"RateLimit", "RateLimit-Policy", "Retry-After", "Idempotency-Replayed"} <= set(exposed)
