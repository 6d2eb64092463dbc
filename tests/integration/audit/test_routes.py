"""Reading and exporting the audit log."""

import json
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

import chatsphere.audit.exporting as exporting
from tests.builders.running_api import Account, Answer, RunningApi

LOG, EXPORT = "/v1/audit-log", "/v1/audit-log/export"


def get(api: RunningApi, account: Account, path: str = LOG, **query: object) -> Answer:
    asked = {name: [str(value)] for name, value in query.items()}
    answer = api.request("GET", path, token=account.access_token, query=asked)
    assert answer.status == 200, answer.text
    return answer


def lines(answer: Answer) -> list[dict[str, object]]:
    return [json.loads(line) for line in answer.text.splitlines()]


@pytest.fixture
def account(api: RunningApi) -> Account:
    account = api.register()
    for number in range(5):
        api.bot(account, name=f"Bot {number}")
    return account


def test_pages_are_newest_first_and_hold_each_entry_once(api: RunningApi, account: Account) -> None:
    # Given
    whole = get(api, account, limit=100).json["data"]
    # When
    seen, cursor = [], None
    while True:
        page = get(api, account, limit=3, **({"cursor": cursor} if cursor else {})).json
        seen += page["data"]
        cursor = page["next_cursor"]
        if not page["has_more"]:
            break
    # Then
    assert seen == whole
    assert len(whole) == 13
    assert [entry["id"] for entry in whole] == sorted((entry["id"] for entry in whole), reverse=True)


def test_filters_narrow_the_log(api: RunningApi, account: Account) -> None:
    other = api.register()
    made = get(api, account, action="bot.created").json["data"]
    assert [entry["after"]["name"] for entry in made] == [f"Bot {number}" for number in (4, 3, 2, 1, 0)]
    (one,) = get(api, account, object_type="bot", object_id=made[2]["object_id"]).json["data"]
    assert one == made[2]
    everything = get(api, account, limit=100).json["data"]
    assert get(api, account, limit=100, actor_user_id=account.user_id).json["data"] == everything
    assert get(api, account, actor_user_id=other.user_id).json["data"] == []
    assert get(api, account, actor_api_key_id=account.user_id).json["data"] == []
    assert get(api, account, limit=100, since=one["created_at"], until=made[0]["created_at"]).json["data"]
    assert get(api, account, since=(datetime.now(UTC) + timedelta(days=1)).isoformat()).json["data"] == []


@pytest.mark.parametrize(
    "query",
    [
        {"since": "yesterday"}, {"since": "2026-01-01T00:00:00"}, {"action": "bots"}, {"object_id": "\x00"},
        {"object_type": "Bot'--"}, {"actor_user_id": "me"}, {"limit": "0"}, {"cursor": "!"},
    ],
)  # fmt: skip
def test_a_filter_that_is_none_is_refused(api: RunningApi, account: Account, query: dict[str, str]) -> None:
    asked = {name: [value] for name, value in query.items()}
    for path in (LOG, EXPORT):
        answer = api.request("GET", path, token=account.access_token, query=asked)
        assert (answer.status, answer.code) == (422, "invalid_request")


def test_only_administrators_and_keys_with_the_scope_read_it(api: RunningApi, account: Account) -> None:
    # Given
    reader = api.api_key(account, scopes=["audit:read"])
    writer = api.api_key(account, scopes=["bots:write"])
    for path in (LOG, EXPORT):
        # Then
        assert api.request("GET", path, token=reader["key"]).status == 200
        assert api.request("GET", path, token=writer["key"]).code == "insufficient_scope"
        assert api.request("GET", path).status == 401


def test_an_export_comes_in_parts_that_follow_each_other_and_is_noted(api: RunningApi, account: Account) -> None:
    # Given
    made = get(api, account, action="bot.created").json["data"]
    # When
    first = get(api, account, EXPORT, limit=2, action="bot.created")
    parts, answer = [first], first
    while "Link" in answer.headers:
        target, relation = answer.headers["Link"].split("; ")
        assert relation == 'rel="next"'
        url = urlsplit(target.strip("<>"))
        assert url.path == EXPORT
        answer = api.request("GET", EXPORT, token=account.access_token, query=parse_qs(url.query))
        parts.append(answer)
    # Then
    assert [len(lines(part)) for part in parts] == [2, 2, 1]
    assert [line for part in parts for line in lines(part)] == made
    assert first.headers["Content-Type"] == "application/x-ndjson"
    noted = get(api, account, action="audit_log.exported").json["data"]
    assert [entry["after"] for entry in noted][::-1] == [
        {"action": "bot.created", "entries": number} for number in (2, 2, 1)
    ]


def test_a_part_is_no_larger_than_an_answer_may_be(
    api: RunningApi, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given that an answer holds the first line and half of the second
    full = get(api, account, EXPORT).text.splitlines()
    monkeypatch.setattr(exporting, "MAX_BYTES", len(full[0]) + 400)
    # When
    part = get(api, account, EXPORT, limit=1000)
    # Then
    assert len(part.text) <= len(full[0]) + 400
    assert lines(part)
    assert "Link" in part.headers
    # And a line that alone is too long comes alone
    monkeypatch.setattr(exporting, "MAX_BYTES", 1)
    assert len(lines(get(api, account, EXPORT, limit=1000))) == 1
