"""Titles, metadata, and conversations that end, are put away, go on or are deleted."""

from typing import Any
from uuid import UUID

import pytest

from tests.integration.conversations.talking import Talk


def changed(talk: Talk, conversation: str, body: dict[str, Any]) -> Any:
    answer = talk.request("PATCH", f"/v1/conversations/{conversation}", body)
    assert answer.status == 200, answer.text
    return answer.json


def test_only_what_is_given_changes(talk: Talk) -> None:
    conversation = talk.ask("What does it cost?", metadata={"plan": "pro"})["conversation_id"]
    before = talk.get(f"/v1/conversations/{conversation}")
    after = changed(talk, conversation, {"title": "Prices"})
    assert after == before | {"title": "Prices"}
    assert changed(talk, conversation, {"metadata": {"plan": "free"}}) == after | {"metadata": {"plan": "free"}}
    assert changed(talk, conversation, {})["title"] == "Prices"


def test_an_ended_conversation_keeps_its_time_and_goes_on_when_asked_again(talk: Talk) -> None:
    conversation = talk.ask()["conversation_id"]
    ended = changed(talk, conversation, {"ended": True, "archived": True})
    talk.api.clock.advance(seconds=60)
    assert changed(talk, conversation, {"ended": True})["ended_at"] == ended["ended_at"] is not None
    assert changed(talk, conversation, {"ended": False})["ended_at"] is None
    changed(talk, conversation, {"ended": True})
    talk.ask("And now?", conversation_id=conversation)
    going_on = talk.get(f"/v1/conversations/{conversation}")
    assert (going_on["ended_at"], going_on["archived_at"], going_on["message_count"]) == (None, None, 4)


def test_the_audit_log_tells_of_a_change_and_not_what_was_said(talk: Talk) -> None:
    conversation = talk.ask("My secret is Falcon")["conversation_id"]
    changed(talk, conversation, {"title": "Falcon", "ended": True})
    entries = [e for e in talk.get("/v1/audit-log")["data"] if e["object_type"] == "conversation"]
    assert [(e["action"], e["object_id"]) for e in entries] == [("conversation.updated", conversation)]
    assert entries[0]["after"]["title"] == "[personal]"
    assert "Falcon" not in str(entries)


@pytest.mark.parametrize(
    "body",
    [
        {"title": ""},
        {"title": "  "},
        {"title": None},
        {"title": "x" * 201},
        {"metadata": None},
        {"metadata": {"deep": {"er": 1}}},
        {"metadata": {str(n): n for n in range(17)}},
        {"ended": "yes please"},
        {"archived": None},
        {"user": "eve"},
        {"title": "\x00"},
    ],
)
def test_what_is_not_valid_is_refused(any_talk: Talk, body: dict[str, Any]) -> None:
    conversation = any_talk.ask()["conversation_id"]
    answer = any_talk.request("PATCH", f"/v1/conversations/{conversation}", body)
    assert (answer.status, answer.code) == (422, "invalid_request"), answer.text


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PATCH", "/v1/conversations/{}"),
        ("GET", "/v1/messages/{}"),
        ("PUT", "/v1/messages/{}/feedback"),
        ("DELETE", "/v1/messages/{}/feedback"),
        ("PATCH", "/v1/bots/{{bot}}/unanswered-questions/{}"),
    ],
)
@pytest.mark.parametrize("missing", ["nonsense", "0199aa5c-6f00-7000-8000-000000000000"])
def test_what_is_not_there_is_not_found(any_talk: Talk, method: str, path: str, missing: str) -> None:
    body = {"PATCH": {}, "PUT": {"rating": 5}}.get(method)
    answer = any_talk.request(method, path.format(missing), body)
    assert (answer.status, answer.code) == (404, "not_found"), answer.text


def test_a_message_is_found_by_its_id(talk: Talk) -> None:
    answer = talk.ask("What does it cost?")
    messages = talk.get(f"/v1/conversations/{answer['conversation_id']}/messages")["data"]
    assert [talk.get(f"/v1/messages/{message['id']}") for message in messages] == messages
    assert {message["conversation_id"] for message in messages} == {answer["conversation_id"]}
    assert UUID(messages[1]["id"]) == UUID(answer["message_id"])


def test_nothing_is_left_of_a_deleted_conversation(talk: Talk) -> None:
    gone, other = (talk.ask("Who sings?", answered=False) for _ in range(2))
    for answer in (gone, other):
        talk.request("PUT", f"/v1/messages/{answer['message_id']}/feedback", {"rating": 1, "text": "Bad"})
    assert talk.request("DELETE", f"/v1/conversations/{gone['conversation_id']}").status == 204
    for table in ("messages", "conversation_feedback", "unanswered_messages"):
        left = {str(row["conversation_id"]) for row in talk.rows(table)}
        assert left == {other["conversation_id"]}, table
    (question,) = talk.get("/v1/bots/{bot}/unanswered-questions")["data"]
    assert question["asked_count"] == 1
    assert talk.request("DELETE", f"/v1/conversations/{other['conversation_id']}").status == 204
    for table in ("messages", "conversation_feedback", "unanswered_messages", "unanswered_questions"):
        assert talk.rows(table) == [], table
