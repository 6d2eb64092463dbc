"""Feedback: who may say what of which message, and what is shown of it."""

from typing import Any

import pytest

from chatsphere.chat.feedback.feedback import MOST_SHOWN
from tests.integration.conversations.talking import Talk

LIST = "/v1/bots/{bot}/feedback"


def rate(talk: Talk, message: str, rating: int, **fields: Any) -> Any:
    answer = talk.request("PUT", f"/v1/messages/{message}/feedback", {"rating": rating, **fields})
    assert answer.status == 200, answer.text
    return answer.json


def test_an_answer_is_rated_and_shown_with_what_was_said_of_it(talk: Talk) -> None:
    answer = talk.ask("What does it cost?", user="ada")
    message = answer["message_id"]
    given = rate(talk, message, 2, text="Too short")
    assert (given["user"], given["rating"], given["text"]) == ("ada", 2, "Too short")
    shown = talk.get(f"/v1/messages/{message}")["feedback"]
    assert shown == [{name: given[name] for name in ("user", "rating", "text", "created_at", "updated_at")}]
    question, kept = talk.get(f"/v1/conversations/{answer['conversation_id']}/messages")["data"]
    assert (question["feedback"], kept["feedback"]) == ([], shown)
    (rated,) = talk.get(LIST)["data"]
    assert (rated["question"], rated["answer"], rated["answerable"]) == ("What does it cost?", "49 EUR", True)
    assert rated["conversation_id"] == answer["conversation_id"]


def test_the_same_end_user_changes_their_mind_and_takes_it_back(talk: Talk) -> None:
    message = talk.ask(user="ada")["message_id"]
    first = rate(talk, message, 1, text="Bad")
    talk.api.clock.advance(seconds=60)
    second = rate(talk, message, 5, user="ada")
    assert (second["rating"], second["text"], second["created_at"]) == (5, None, first["created_at"])
    assert second["updated_at"] > first["updated_at"]
    assert len(talk.get(LIST)["data"]) == 1
    path = f"/v1/messages/{message}/feedback"
    assert [talk.request("DELETE", path).status for _ in range(2)] == [204, 404]
    assert talk.get(LIST)["data"] == []


def test_several_end_users_rate_in_a_conversation_that_is_nobodys(talk: Talk) -> None:
    message = talk.ask()["message_id"]
    rate(talk, message, 4)
    rate(talk, message, 1, user="ada")
    rate(talk, message, 2, user="bob")
    rate(talk, message, 3, user="ada")
    shown = talk.get(f"/v1/messages/{message}")["feedback"]
    assert [(said["user"], said["rating"]) for said in shown] == [(None, 4), ("ada", 3), ("bob", 2)]
    assert talk.request("DELETE", f"/v1/messages/{message}/feedback", user="ada").status == 204
    assert len(talk.get(LIST)["data"]) == 2


def test_of_many_ratings_a_message_shows_the_latest(talk: Talk) -> None:
    message = talk.ask()["message_id"]
    for number in range(MOST_SHOWN + 1):
        rate(talk, message, 3, user=f"user {number}")
    shown = talk.get(f"/v1/messages/{message}")["feedback"]
    assert [said["user"] for said in shown] == [f"user {number}" for number in range(1, MOST_SHOWN + 1)]
    assert len(talk.get(LIST)["data"]) == MOST_SHOWN + 1


def test_another_end_user_is_told_nothing(talk: Talk) -> None:
    message = talk.ask(user="ada")["message_id"]
    put = talk.request("PUT", f"/v1/messages/{message}/feedback", {"rating": 1, "user": "bob"})
    delete = talk.request("DELETE", f"/v1/messages/{message}/feedback", user="bob")
    assert [(answer.status, answer.code) for answer in (put, delete)] == [(404, "not_found")] * 2


def test_who_is_being_erased_rates_nothing(talk: Talk) -> None:
    adas, nobodys = (talk.ask(user=user)["message_id"] for user in ("ada", None))
    assert talk.request("POST", "/v1/erasures", {"kind": "end_user", "end_user_id": "ada"}).status == 202
    for message, who in ((adas, {}), (nobodys, {"user": "ada"})):
        answer = talk.request("PUT", f"/v1/messages/{message}/feedback", {"rating": 1, **who})
        assert (answer.status, answer.code) == (409, "end_user_erased"), answer.text
    rate(talk, nobodys, 5, user="bob")


def test_a_name_that_cannot_be_kept_is_refused(talk: Talk) -> None:
    message = talk.ask()["message_id"]
    answer = talk.request("DELETE", f"/v1/messages/{message}/feedback", user="a\0da")
    assert (answer.status, answer.code) == (422, "invalid_request")


def test_a_question_is_not_rated(talk: Talk) -> None:
    conversation = talk.ask()["conversation_id"]
    question = talk.get(f"/v1/conversations/{conversation}/messages")["data"][0]["id"]
    answer = talk.request("PUT", f"/v1/messages/{question}/feedback", {"rating": 5})
    assert (answer.status, answer.code) == (409, "not_rateable")


def test_the_list_is_filtered_and_goes_page_by_page(talk: Talk) -> None:
    for rating in (1, 5, 3, 1):
        rate(talk, talk.ask(user=f"u{rating}")["message_id"], rating)
    pages = talk.pages(LIST, 3)
    assert [[one["rating"] for one in page] for page in pages] == [[1, 3, 5], [1]]
    assert [one["rating"] for one in talk.get(LIST, max_rating="2")["data"]] == [1, 1]
    assert [one["rating"] for one in talk.get(LIST, min_rating="3", max_rating="4")["data"]] == [3]
    assert [one["rating"] for one in talk.get(LIST, user="u5")["data"]] == [5]
    newest = pages[0][0]["created_at"]
    assert [one["rating"] for one in talk.get(LIST, created_after=newest)["data"]] == [1]
    assert len(talk.get(LIST, created_before=newest)["data"]) == 3


def test_the_audit_log_tells_who_rated_and_not_what_was_said(talk: Talk) -> None:
    message = talk.ask(user="ada")["message_id"]
    rate(talk, message, 1, text="Falcon")
    rate(talk, message, 2, text="Falcon")
    talk.request("DELETE", f"/v1/messages/{message}/feedback")
    entries = [e for e in talk.get("/v1/audit-log")["data"] if e["object_type"] == "feedback"]
    assert [e["action"] for e in entries] == ["feedback.deleted", "feedback.updated", "feedback.created"]
    assert {e["object_id"] for e in entries} == {message}
    assert "Falcon" not in str(entries)
    assert "ada" not in str(entries)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"rating": 0},
        {"rating": 6},
        {"rating": 4.5},
        {"rating": "5"},
        {"rating": True},
        {"rating": 5, "text": ""},
        {"rating": 5, "text": "x" * 4001},
        {"rating": 5, "user": ""},
        {"rating": 5, "stars": 5},
    ],
)
def test_what_is_not_valid_is_refused(any_talk: Talk, body: dict[str, Any]) -> None:
    answer = any_talk.request("PUT", f"/v1/messages/{any_talk.ask()['message_id']}/feedback", body)
    assert (answer.status, answer.code) == (422, "invalid_request"), answer.text


@pytest.mark.parametrize("query", [{"min_rating": "0"}, {"max_rating": "6"}, {"created_after": "x"}, {"cursor": "x"}])
def test_a_list_that_is_asked_for_wrongly_is_refused(any_talk: Talk, query: dict[str, str]) -> None:
    answer = any_talk.request("GET", LIST, **query)
    assert (answer.status, answer.code) == (422, "invalid_request")
