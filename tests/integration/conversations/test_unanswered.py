"""Questions without an answer: grouped, reviewed, and open again when they are asked again."""

from typing import Any

import pytest

from tests.integration.conversations.talking import Talk

LIST = "/v1/bots/{bot}/unanswered-questions"


def review(talk: Talk, question: str, **body: Any) -> Any:
    answer = talk.request("PATCH", f"{LIST}/{question}", body)
    assert answer.status == 200, answer.text
    return answer.json


def test_the_same_question_is_one_however_it_is_written(talk: Talk) -> None:
    asked = [talk.ask(text, answered=False) for text in ("Who sings?", "who  SINGS", "Who dances?", "Who sings!")]
    talk.ask("What does it cost?")
    sings, dances = talk.get(LIST)["data"]
    assert (sings["question"], sings["asked_count"], sings["conversations"]) == ("Who sings!", 3, 3)
    assert (dances["question"], dances["asked_count"]) == ("Who dances?", 1)
    assert (sings["status"], sings["reason"], sings["best_confidence"]) == ("open", "no_documents", 0.9)
    assert sings["first_asked_at"] < dances["first_asked_at"] < sings["last_asked_at"]
    questions = [
        talk.get(f"/v1/conversations/{answer['conversation_id']}/messages")["data"][0]["id"] for answer in asked
    ]
    assert sings["messages"] == [questions[3], questions[1], questions[0]]


def test_a_resolved_question_that_is_asked_again_in_vain_is_open_and_an_ignored_one_is_not(talk: Talk) -> None:
    for text in ("Who sings?", "Who dances?"):
        talk.ask(text, answered=False)
    dances, sings = (question["id"] for question in talk.get(LIST)["data"])
    done = review(talk, sings, status="resolved", note="Added singers.md")
    assert (done["status"], done["note"]) == ("resolved", "Added singers.md")
    assert done["reviewed_at"] is not None
    review(talk, dances, status="ignored")
    assert [question["id"] for question in talk.get(LIST, status="open")["data"]] == []
    for text in ("Who sings?", "Who dances?"):
        talk.ask(text, answered=False)
    assert [question["id"] for question in talk.get(LIST, status="open")["data"]] == [sings]
    again = talk.get(LIST, status="open")["data"][0]
    assert (again["note"], again["asked_count"]) == ("Added singers.md", 2)


def test_a_version_that_is_asked_to_compare_it_leaves_no_question_unanswered(talk: Talk) -> None:
    talk.ask("Who sings?", answered=False, bot_version=1)
    assert talk.get(LIST)["data"] == []


def test_the_list_goes_page_by_page(talk: Talk) -> None:
    for n in range(3):
        talk.ask(f"Question {n}", answered=False)
    pages = talk.pages(LIST, 2)
    assert [[one["question"] for one in page] for page in pages] == [["Question 2", "Question 1"], ["Question 0"]]


def test_of_another_bot_it_is_not_found(talk: Talk) -> None:
    talk.ask("Who sings?", answered=False)
    question = talk.get(LIST)["data"][0]["id"]
    other = talk.api.bot(talk.account)["id"]
    answer = talk.request("PATCH", f"/v1/bots/{other}/unanswered-questions/{question}", {"status": "ignored"})
    assert (answer.status, answer.code) == (404, "not_found")


def test_a_review_is_in_the_audit_log_without_its_note(talk: Talk) -> None:
    talk.ask("Who sings?", answered=False)
    question = talk.get(LIST)["data"][0]["id"]
    review(talk, question, status="ignored", note="Falcon asked")
    talk.ask("Who sings?", answered=False)
    entries = [e for e in talk.get("/v1/audit-log")["data"] if e["object_type"] == "unanswered_question"]
    assert [(e["action"], e["object_id"]) for e in entries] == [("unanswered_question.updated", question)]
    assert "Falcon" not in str(entries)


@pytest.mark.parametrize("body", [{"status": "done"}, {"status": None}, {"note": "x" * 2001}, {"question": "x"}])
def test_what_is_not_valid_is_refused(any_talk: Talk, body: dict[str, Any]) -> None:
    any_talk.ask("Who sings?", answered=False)
    question = any_talk.get(LIST)["data"][0]["id"]
    answer = any_talk.request("PATCH", f"{LIST}/{question}", body)
    assert (answer.status, answer.code) == (422, "invalid_request"), answer.text


@pytest.mark.parametrize("query", [{"status": "done"}, {"limit": "0"}, {"cursor": "x"}])
def test_a_list_that_is_asked_for_wrongly_is_refused(any_talk: Talk, query: dict[str, str]) -> None:
    answer = any_talk.request("GET", LIST, **query)
    assert (answer.status, answer.code) == (422, "invalid_request")
