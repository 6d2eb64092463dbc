from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest

from chatsphere.access.permissions import BotLevel
from chatsphere.bots import bots
from chatsphere.bots.author import Author
from chatsphere.bots.changing import BotChange, change_bot
from chatsphere.bots.configuration import BotConfiguration
from chatsphere.db.database import Database
from chatsphere.errors import NotFoundError, UnavailableError
from tests.builders.running_api import Account, Answer, RunningApi
from tests.postgres import DatabaseUrls
from tests.waiting import wait_for

DEFAULTS = BotConfiguration().model_dump()


@pytest.fixture
def account(api: RunningApi) -> Account:
    return api.register()


def ask(api: RunningApi, account: Account, method: str, bot_id: Any = "", body: Any = None) -> Answer:
    return api.request(method, f"/v1/bots/{bot_id}".rstrip("/"), body, token=account.access_token)


def test_a_bot_needs_nothing_but_a_name(api: RunningApi, account: Account) -> None:
    answer = ask(api, account, "POST", body={"name": " Helper "})

    assert answer.status == 201
    bot = answer.json
    assert bot == ask(api, account, "GET", bot["id"]).json
    moment = api.clock.moment.isoformat().replace("+00:00", "Z")
    assert {**bot, "id": "", "organization_id": ""} == {
        "id": "",
        "organization_id": "",
        "name": "Helper",
        "slug": "helper",
        "description": "",
        "avatar": None,
        "welcome_message": "Hi! How can I help you today?",
        "system_prompt": "",
        "model": None,
        "embedding_model": None,
        "temperature": 0.2,
        "visibility": "organization",
        "configuration": DEFAULTS,
        "is_active": True,
        "status": "draft",
        "version": 1,
        "permission": "manage",
        "created_at": moment,
        "updated_at": moment,
    }
    assert bot["organization_id"] == account.organization_id


def test_a_temperature_is_kept_to_four_decimal_places(api: RunningApi, account: Account) -> None:
    bot = ask(api, account, "POST", body={"name": "x", "temperature": 3.8e-160}).json

    assert bot["temperature"] == 0
    assert ask(api, account, "PATCH", bot["id"], {"temperature": 0.123456}).json["temperature"] == 0.1235


def test_a_bot_is_what_it_was_made_with(api: RunningApi, account: Account) -> None:
    given = {
        "name": "Bücherwurm 🚀",
        "slug": "book-worm-2",
        "description": "Reads.",
        "avatar": "https://example.com/a.png",
        "welcome_message": "",
        "system_prompt": "You are kind.",
        "model": "extractive",
        "temperature": 0.7,
        "visibility": "private",
        "configuration": {"top_k": 3, "threshold": 0.25, "fallback_text": "No idea."},
    }

    bot = api.bot(account, **given)

    assert {name: bot[name] for name in given} == {**given, "configuration": {**DEFAULTS, **given["configuration"]}}  # type: ignore[dict-item]


@pytest.mark.parametrize(
    "fields",
    [
        {"name": ""},
        {"name": "   "},
        {"name": "x" * 201},
        {"name": None},
        {"name": 5},
        {"name": "a\x00b"},
        {"description": "\ud800"},
        {"temperature": -0.1},
        {"temperature": 2.1},
        {"temperature": "hot"},
        {"temperature": None},
        {"visibility": "secret"},
        {"system_prompt": "x" * 20_001},
        {"welcome_message": None},
        {"status": "trained"},
        {"organization_id": str(uuid4())},
        {"id": str(uuid4())},
        {"is_active": False},
        {"slug": ""},
        {"slug": "Helper"},
        {"slug": "-helper"},
        {"slug": "x" * 64},
        {"slug": str(uuid4())},
        {"slug": uuid4().hex},
        {"configuration": None},
        {"configuration": []},
        {"configuration": {"top_k": 0}},
        {"configuration": {"top_k": 51}},
        {"configuration": {"top_k": 1.5}},
        {"configuration": {"threshold": 1.1}},
        {"configuration": {"unknown": 1}},
        {"configuration": {"fallback_text": ""}},
        {"configuration": {"fallback_text": "\x00"}},
        {"configuration": {"max_output_tokens": 10**30}},
        {"configuration": {"lexical_weight": -0.1}},
        {"configuration": {"candidates": 9}},
        {"configuration": {"neighbours": 6}},
        {"configuration": {"deduplicate": "perhaps"}},
    ],
)
def test_a_bad_bot_is_neither_made_nor_changed(api: RunningApi, account: Account, fields: dict[str, Any]) -> None:
    bot = api.bot(account)

    answers = [ask(api, account, "POST", body={"name": "Bot", **fields})]
    if fields != {"is_active": False}:
        answers.append(ask(api, account, "PATCH", bot["id"], fields))

    assert [(answer.status, answer.code) for answer in answers] == [(422, "invalid_request")] * len(answers)
    assert ask(api, account, "GET").json["data"] == [bot]


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"name": "Other"},
        {"description": "x", "system_prompt": "y", "welcome_message": "z"},
        {"avatar": "https://example.com/b.png", "model": "other"},
        {"avatar": None, "model": None},
        {"temperature": 0},
        {"visibility": "public", "is_active": False},
    ],
)
def test_a_change_touches_what_it_names_and_nothing_else(
    api: RunningApi, account: Account, change: dict[str, Any]
) -> None:
    bot = api.bot(account, avatar="https://example.com/a.png", model="extractive")
    api.clock.advance(seconds=5)

    answer = ask(api, account, "PATCH", bot["id"], change)

    assert answer.status == 200
    assert answer.json == ask(api, account, "GET", bot["id"]).json
    assert answer.json["updated_at"] > bot["updated_at"]
    version = bot["version"] + bool(change.keys() - {"visibility", "is_active"})
    assert {**answer.json, "updated_at": ""} == {**bot, **change, "version": version, "updated_at": ""}


def test_settings_are_changed_one_by_one(api: RunningApi, account: Account) -> None:
    bot = api.bot(account, configuration={"top_k": 3, "threshold": 0.5})

    answer = ask(api, account, "PATCH", bot["id"], {"configuration": {"threshold": None, "token_budget": 500}})

    assert answer.json["configuration"] == {**DEFAULTS, "top_k": 3, "threshold": None, "token_budget": 500}


def test_bots_are_paged_newest_first(api: RunningApi, account: Account) -> None:
    made = [api.bot(account, name=str(number))["id"] for number in range(5)]

    first = api.request("GET", "/v1/bots", token=account.access_token, query={"limit": ["3"]}).json
    query = {"limit": ["3"], "cursor": [first["next_cursor"]]}
    rest = api.request("GET", "/v1/bots", token=account.access_token, query=query).json

    assert [bot["id"] for bot in first["data"] + rest["data"]] == made[::-1]
    assert (first["has_more"], rest["has_more"], rest["next_cursor"]) == (True, False, None)


def test_a_deleted_bot_is_gone_at_once_and_its_remains_are_handed_on(api: RunningApi, account: Account) -> None:
    bot, other = api.bot(account), api.bot(account)

    answer = ask(api, account, "DELETE", bot["id"])

    deletion = answer.json["deletion"]
    assert (answer.status, deletion["bot_id"], deletion["status"]) == (202, bot["id"], "running")
    for method, body in (("GET", None), ("PATCH", {"name": "x"}), ("DELETE", None)):
        assert ask(api, account, method, bot["id"], body).code == "not_found"
    assert [shown["id"] for shown in ask(api, account, "GET").json["data"]] == [other["id"]]
    message = {"organization_id": account.organization_id, "bot_id": bot["id"]}
    assert api.purge_queue.sent == [(message, account.organization_id)]


def test_a_deletion_that_cannot_be_handed_on_is_left_to_the_reaper(api: RunningApi, account: Account) -> None:
    class Broken:
        def send(self, *_: Any, **__: Any) -> None:
            raise UnavailableError("The queue does not answer.")

    bot = api.bot(account)
    vars(api.container)["purge_queue"] = Broken()

    assert ask(api, account, "DELETE", bot["id"]).status == 202
    assert ask(api, account, "GET", bot["id"]).code == "not_found"
    with api.container.database.transaction(UUID(account.organization_id)) as connection:
        row = connection.execute("SELECT status FROM bots WHERE id = %s", (bot["id"],)).fetchone()
    assert row == {"status": "deleting"}


def test_of_two_changes_at_once_neither_undoes_the_other(
    api: RunningApi, account: Account, database_urls: DatabaseUrls
) -> None:
    bot_id, organization_id = UUID(api.bot(account)["id"]), UUID(account.organization_id)
    author = Author(UUID(account.user_id), BotLevel.MANAGE, must_be_verified=False)
    first, second, observer = Database(database_urls.app), Database(database_urls.app), Database(database_urls.admin)

    def describe() -> None:
        with second.transaction(organization_id) as connection:
            change_bot(connection, bot_id, BotChange({"description": "second"}), author=author, now=api.clock.now())

    def somebody_waits() -> bool:
        with observer.transaction(None) as connection:
            return bool(connection.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchall())

    with ThreadPoolExecutor(1) as thread:
        with first.transaction(organization_id) as connection:
            change_bot(connection, bot_id, BotChange({"name": "first"}), author=author, now=api.clock.now())
            waiting = thread.submit(describe)
            wait_for(somebody_waits, what="the second change to meet the first's lock")
        waiting.result(timeout=60)

    bot = ask(api, account, "GET", str(bot_id)).json
    assert (bot["name"], bot["description"]) == ("first", "second")
    for database in (first, second, observer):
        database.close()


@pytest.mark.parametrize("bot_id", ["01970000-0000-7000-8000-0000000000ff", "x", "%00", "'; DROP TABLE bots; --"])
@pytest.mark.parametrize(("method", "body"), [("GET", None), ("PATCH", {"name": "x"}), ("DELETE", None)])
def test_a_missing_bot_has_one_answer(api: RunningApi, account: Account, method: str, body: Any, bot_id: str) -> None:
    answer = ask(api, account, method, bot_id, body)

    assert (answer.status, answer.code, answer.json["detail"]) == (404, "not_found", "There is no such bot.")


@pytest.mark.parametrize(
    ("scopes", "readable", "writable"),
    [(["bots:read"], True, False), (["bots:write"], False, True), (["chat", "documents:read"], False, False)],
)
def test_each_scope_opens_its_own_routes(
    api: RunningApi, account: Account, scopes: list[str], readable: bool, writable: bool
) -> None:
    bot = api.bot(account)
    key = api.api_key(account, scopes=scopes)["key"]

    def answers(method: str, path: str, body: Any = None) -> Answer:
        return api.request(method, path, body, token=key)

    one = f"/v1/bots/{bot['id']}"
    reads = [answers("GET", "/v1/bots"), answers("GET", one)]
    writes = [answers("POST", "/v1/bots", {"name": "x"}), answers("PATCH", one, {}), answers("DELETE", one)]
    for allowed, group in ((readable, reads), (writable, writes)):
        for answer in group:
            assert answer.status < 300 if allowed else (answer.status, answer.code) == (403, "insufficient_scope")


def test_a_key_limited_to_a_bot_sees_and_changes_no_other(api: RunningApi, account: Account) -> None:
    own, other = api.bot(account), api.bot(account)
    key = api.api_key(account, bot_ids=[own["id"]])["key"]

    assert [bot["id"] for bot in api.request("GET", "/v1/bots", token=key).json["data"]] == [own["id"]]
    assert api.request("PATCH", f"/v1/bots/{own['id']}", {"name": "Mine"}, token=key).status == 200
    for method, body in (("GET", None), ("PATCH", {"name": "x"}), ("DELETE", None)):
        answer = api.request(method, f"/v1/bots/{other['id']}", body, token=key)
        assert (answer.code, answer.json["detail"]) == ("not_found", "There is no such bot.")
    refused = api.request("POST", "/v1/bots", {"name": "More"}, token=key)
    assert (refused.status, refused.code) == (403, "forbidden")


def test_settings_of_another_version_do_not_break_a_bot(api: RunningApi, account: Account) -> None:
    bot = api.bot(account)
    with api.container.database.transaction(UUID(account.organization_id)) as connection:
        connection.execute(
            """UPDATE bots SET configuration = '{"top_k": 5, "threshold": 7, "abolished": true}' WHERE id = %s""",
            (bot["id"],),
        )

    assert ask(api, account, "GET", bot["id"]).json["configuration"] == {**DEFAULTS, "top_k": 5}


def test_other_areas_find_a_bot_within_their_own_transaction(api: RunningApi, account: Account) -> None:
    bot = api.bot(account, configuration={"top_k": 3})

    with api.container.database.transaction(UUID(account.organization_id)) as connection:
        assert bots.get_bot(connection, UUID(bot["id"])).configuration.top_k == 3
        with pytest.raises(NotFoundError, match=r"There is no such bot\."):
            bots.get_bot(connection, uuid4())
