"""A legal hold stops retention and every other deletion, and comes before a deletion or after it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from chatsphere.chat.conversations import delete_conversation
from chatsphere.db.database import Database
from chatsphere.errors import LegalHoldError, NotFoundError
from chatsphere.ports.system import Ids
from tests.builders.running_api import PASSWORD, Account, RunningApi
from tests.integration.retention.driving import Retention
from tests.integration.retention.policy_model import Conversation, History, Hold, Message
from tests.integration.retention.test_against_the_model import everything
from tests.postgres import DatabaseUrls
from tests.racing import race


def conversation_of(api: RunningApi, owner: Account, bot: str, *, days_ago: int = 0) -> str:
    conversation, now = uuid4(), api.clock.now() - timedelta(days=days_ago)
    with api.container.database.transaction(UUID(owner.organization_id)) as connection:
        connection.execute(
            "INSERT INTO conversations (id, organization_id, bot_id, end_user_id, created_at, updated_at)"
            " VALUES (%s, %s, %s, 'ann', %s, %s)",
            (conversation, owner.organization_id, bot, now, now),
        )
    return str(conversation)


def document_of(api: RunningApi, owner: Account, bot: str) -> str:
    document = uuid4()
    with api.container.database.transaction(UUID(owner.organization_id)) as connection:
        connection.execute(
            "INSERT INTO documents (id, organization_id, bot_id, name, source) VALUES (%s, %s, %s, 'a.txt', 'text')",
            (document, owner.organization_id, bot),
        )
    return str(document)


HELD = (409, "legal_hold")


def test_what_is_held_is_not_deleted_until_its_hold_is_released(
    api: RunningApi, owner: Account, ask: Callable[..., Any]
) -> None:
    # Given a bot with a conversation of an end user, and another bot
    bot, other = api.bot(owner)["id"], api.bot(owner)["id"]
    conversation = conversation_of(api, owner, bot)
    document_path = f"/v1/bots/{bot}/documents/{document_of(api, owner, bot)}"
    held_by = {
        f"/v1/conversations/{conversation}": ("conversation", "end_user", "bot", "organization"),
        document_path: ("bot", "organization"),
        f"/v1/bots/{bot}": ("conversation", "end_user", "bot", "organization"),
    }
    subjects: dict[str, dict[str, str]] = {
        "conversation": {"conversation_id": conversation},
        "end_user": {"bot_id": bot, "end_user_id": "ann"},
        "bot": {"bot_id": bot},
        "organization": {},
    }
    for subject, named in subjects.items():
        # When
        hold = ask("POST", "/v1/legal-holds", {"reason": "Case 7", **named})
        # Then
        assert hold["subject"] == subject
        for path, those in held_by.items():
            if subject in those:
                assert ask("DELETE", path) == HELD, (subject, path)
        assert ask("DELETE", f"/v1/legal-holds/{hold['id']}") is None
    released = ask("GET", "/v1/legal-holds", bot_id=bot, active="false")["data"]
    assert [each["subject"] for each in released] == ["bot", "end_user", "conversation"]
    assert {each["released_by"] for each in released} == {owner.user_id}
    # And what is not held goes, and released holds hold nothing
    ask("POST", "/v1/legal-holds", {"reason": "Case 8", "bot_id": other})
    assert ask("DELETE", f"/v1/conversations/{conversation}") is None
    assert ask("DELETE", f"/v1/bots/{bot}")["deletion"]["status"] == "running"
    assert ask("DELETE", f"/v1/bots/{other}") == HELD


def test_what_was_said_of_an_answer_is_held_with_its_conversation(
    api: RunningApi, owner: Account, ask: Callable[..., Any]
) -> None:
    # Given an answer that an end user rated
    bot = api.bot(owner)["id"]
    conversation, message = conversation_of(api, owner, bot), api.container.ids.new()
    with api.container.database.transaction(UUID(owner.organization_id)) as connection:
        connection.execute(
            "INSERT INTO messages (id, organization_id, bot_id, conversation_id, role, content, created_at)"
            " VALUES (%s, %s, %s, %s, 'assistant', 'It is.', %s)",
            (message, owner.organization_id, bot, conversation, api.clock.now()),
        )
    path = f"/v1/messages/{message}/feedback"
    assert ask("PUT", path, {"rating": 1, "text": "It is not."})["rating"] == 1
    # When
    hold = ask("POST", "/v1/legal-holds", {"reason": "Case 7", "conversation_id": conversation})
    # Then
    assert ask("DELETE", path) == HELD
    assert ask("DELETE", f"/v1/legal-holds/{hold['id']}") is None
    assert ask("DELETE", path) is None


def test_neither_an_organization_nor_its_only_member_goes_while_something_of_it_is_held(
    api: RunningApi, owner: Account, ask: Callable[..., Any]
) -> None:
    bot = api.bot(owner)["id"]
    hold = ask("POST", "/v1/legal-holds", {"reason": "Case 7", "bot_id": bot, "end_user_id": "ann"})
    confirmed = {"password": PASSWORD}
    assert ask("DELETE", f"/v1/organizations/{owner.organization_id}", confirmed) == HELD
    assert ask("DELETE", "/v1/me", confirmed) == HELD
    assert ask("DELETE", f"/v1/legal-holds/{hold['id']}") is None
    assert isinstance(ask("DELETE", "/v1/me", confirmed), dict)


def test_a_hold_names_one_thing_that_is_there_and_is_released_once(
    api: RunningApi, owner: Account, ask: Callable[..., Any]
) -> None:
    bot = api.bot(owner)["id"]
    conversation = conversation_of(api, owner, bot)
    path, reason = "/v1/legal-holds", {"reason": "Case 7"}
    assert ask("POST", path, {"reason": ""})[0] == 422
    assert ask("POST", path, {"reason": " "})[0] == 422
    assert ask("POST", path, reason | {"end_user_id": "ann"})[0] == 422
    assert ask("POST", path, reason | {"bot_id": bot, "conversation_id": conversation})[0] == 422
    assert ask("POST", path, reason | {"bot_id": str(uuid4())}) == (404, "not_found")
    assert ask("POST", path, reason | {"conversation_id": str(uuid4())}) == (404, "not_found")
    hold = ask("POST", path, reason)
    assert ask("GET", f"{path}/{hold['id']}") == hold
    assert ask("DELETE", f"{path}/{hold['id']}") is None
    assert ask("DELETE", f"{path}/{hold['id']}") == (409, "conflict")
    assert ask("GET", f"{path}/{uuid4()}") == (404, "not_found")


def one_old_conversation(retention: Retention) -> Conversation:
    at = retention.clock.now() - timedelta(days=100)
    return Conversation(
        retention.ids.new(), retention.tenant.bot_id, "ann", at, at, [Message(retention.ids.new(), "user", at)]
    )


def test_a_hold_that_is_made_while_its_rows_are_being_archived_keeps_them(retention: Retention) -> None:
    # Given a run that has uploaded what is due, and deleted nothing yet
    history = History([retention.tenant.bot_id], conversations=[one_old_conversation(retention)])
    retention.put(history)
    download = retention.store.download

    def held_meanwhile(*arguments: Any, **named: Any) -> None:
        retention.store.download = download  # type: ignore[method-assign]
        retention.hold(Hold("end_user", retention.tenant.bot_id, end_user_id="ann"))
        download(*arguments, **named)

    retention.store.download = held_meanwhile  # type: ignore[assignment, method-assign]
    # When
    run = retention.run()
    # Then
    assert run["status"] == "done"
    assert run["report"]["removed"] == {}
    assert [item["status"] for item in run["report"]["items"]] == ["skipped"]
    conversation = history.conversations[0]
    assert everything(retention) == (
        ({conversation.id}, {conversation.messages[0].id}, set(), set()),
        (set(), set()),
    )
    # And nothing of the try is left in the bucket
    assert not any(key.endswith(".parquet") for key in retention.store.keys("archive/"))


def test_a_policy_that_is_changed_during_a_run_is_the_one_that_counts(retention: Retention) -> None:
    # Given
    history = History([retention.tenant.bot_id], conversations=[one_old_conversation(retention)])
    retention.put(history)
    download = retention.store.download

    def kept_from_now_on(*arguments: Any, **named: Any) -> None:
        retention.store.download = download  # type: ignore[method-assign]
        retention.put(History([], rules={"inactive_conversation_days": None, "message_action": "delete"}))
        download(*arguments, **named)

    retention.store.download = kept_from_now_on  # type: ignore[assignment, method-assign]
    # When
    run = retention.run()
    # Then
    assert run["report"]["removed"] == {"messages": 1}
    assert (retention.count("conversations"), retention.count("messages")) == (1, 0)
    assert retention.archived("messages") == set()


def test_of_a_hold_and_a_deletion_at_once_one_comes_first(
    database_urls: DatabaseUrls, make_retention: Callable[[], Retention], ids: Ids
) -> None:
    outcomes = set()
    for _ in range(6):
        # Given
        retention = make_retention()
        conversation = one_old_conversation(retention)
        retention.put(History([retention.tenant.bot_id], conversations=[conversation]))

        # When
        def work(
            database: Database, number: int, retention: Retention = retention, old: Conversation = conversation
        ) -> str:
            tenant, now = retention.tenant.organization_id, retention.clock.now()
            if number:
                Retention(retention.tenant, database, ids, retention.clock).hold(Hold("conversation", None, old.id))
                return "held"
            with database.transaction(tenant) as connection:
                delete_conversation(connection, tenant, old.id, ids.new(), now)
            return "deleted"

        deleted, held = race(database_urls.app, 2, work)
        # Then
        if deleted == "deleted":
            assert isinstance(held, NotFoundError)
        else:
            assert (isinstance(deleted, LegalHoldError), held) == (True, "held")
        assert retention.count("conversations") == (0 if deleted == "deleted" else 1)
        outcomes.add(deleted == "deleted")
    assert outcomes


def test_two_workers_on_one_run_do_no_more_than_one(
    database_urls: DatabaseUrls, make_retention: Callable[[], Retention], ids: Ids
) -> None:
    # Given
    retention = make_retention()
    history = History([retention.tenant.bot_id], conversations=[one_old_conversation(retention) for _ in range(5)])
    retention.put(history)
    run_id = retention.begin()
    message = dict(retention.jobs.messages.popleft())

    # When
    def work(database: Database, _: int) -> None:
        mine = Retention(retention.tenant, database, ids, retention.clock)
        mine.store = retention.store
        mine.__post_init__()
        mine.store = retention.store
        mine.archive = type(mine.archive)(database, retention.store, mine.archive.files, mine.clock, ids)
        mine.jobs.messages.append(message)
        mine.work()

    assert race(database_urls.app, 2, work) == [None, None]
    # Then
    row = retention.row(run_id)
    assert (row["status"], row["report"]["removed"]) == ("done", {"conversations": 5, "messages": 5})
    assert retention.archived("conversations") == {each.id for each in history.conversations}
