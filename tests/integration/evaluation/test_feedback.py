"""Rated answers as cases of an evaluation set."""

from typing import Any

import psycopg
import pytest

from tests.builders.running_api import Account, RunningApi
from tests.fakes_chat import FakeRetriever
from tests.integration.chat.client import ChatClient
from tests.integration.evaluation.conftest import Ask
from tests.postgres import DatabaseUrls


@pytest.fixture
def path(ask: Ask, bot: str) -> str:
    return f"/bots/{bot}/evaluation-sets/{ask('POST', f'/bots/{bot}/evaluation-sets', {'name': 'Rated'}).json['id']}"


@pytest.fixture
def asked(api: RunningApi, client: ChatClient) -> Any:
    """Return a function that asks the bot, and returns its answer."""

    def chat(message: str, **fields: Any) -> Any:
        api.clock.advance(seconds=1)
        return client.chat(message, **fields).json()

    return chat


@pytest.fixture
def rated(database_urls: DatabaseUrls) -> Any:
    """Return a function that rates an answer."""

    def rate(answer: Any, rating: int, user: str | None = None) -> None:
        with psycopg.connect(database_urls.admin) as connection:
            connection.execute(
                "INSERT INTO conversation_feedback (id, organization_id, bot_id, conversation_id, message_id,"
                " message_created_at, end_user_id, rating, created_at, updated_at)"
                " SELECT gen_random_uuid(), organization_id, bot_id, conversation_id, id, created_at, %s, %s,"
                " now(), now()"
                " FROM messages WHERE id = %s",
                (user, rating, answer["message_id"]),
            )

    return rate


def cases(ask: Ask, path: str) -> list[Any]:
    """Return the cases, the oldest first."""
    listed: list[Any] = ask("GET", f"{path}/cases").json["data"]
    return listed[::-1]


def test_a_good_answer_is_expected_again(ask: Ask, path: str, asked: Any, rated: Any) -> None:
    first = asked("Is there a price?", user="ada")
    answer = asked("What is it?", conversation_id=first["conversation_id"], user="ada")
    rated(answer, 5)

    imported = ask("POST", f"{path}/import-feedback")

    assert imported.json == {"added": 1, "needs_review": 0, "known": 0, "more": False}
    [case] = cases(ask, path)
    assert case["question"] == "What is it?"
    assert [(said["role"], said["content"]) for said in case["history"]] == [
        ("user", "Is there a price?"),
        ("assistant", first["answer"]),
    ]
    assert case["expected_answers"] == [answer["answer"]]
    assert [one["quote"] for one in case["relevant_documents"]] == [answer["citations"][0]["quote"]]
    assert (case["source"], case["message_id"]) == ("feedback", answer["message_id"])


def test_a_bad_answer_is_to_be_looked_at_and_a_right_refusal_is_expected(
    ask: Ask, path: str, asked: Any, rated: Any, retriever: FakeRetriever
) -> None:
    rated(asked("Wrong?"), 1)
    rated(asked("So so?"), 3)
    retriever.passages = ()
    rated(asked("Unknown?"), 4)

    assert ask("POST", f"{path}/import-feedback").json["needs_review"] == 1

    wrong, refused = cases(ask, path)
    assert (wrong["question"], wrong["needs_review"], wrong["expected_answers"]) == ("Wrong?", True, [])
    assert (refused["question"], refused["needs_review"], refused["expect_refusal"]) == ("Unknown?", False, True)
    [flagged] = ask("GET", f"{path}/cases", query={"needs_review": ["true"]}).json["data"]
    looked_at = {"question": "Wrong?", "expected_answers": ["right"]}
    assert not ask("PUT", f"{path}/cases/{flagged['id']}", looked_at).json["needs_review"]
    assert ask("GET", f"{path}/cases", query={"needs_review": ["true"]}).json["data"] == []


def test_a_message_is_copied_once_however_often_it_was_rated(ask: Ask, path: str, asked: Any, rated: Any) -> None:
    answer = asked("Price?")
    rated(answer, 5, "ada")
    rated(answer, 4, "bob")
    ask("POST", f"{path}/import-feedback")
    later = asked("Later?")
    rated(later, 5)

    again = ask("POST", f"{path}/import-feedback").json

    assert (again["added"], again["known"]) == (1, 1)
    assert [case["question"] for case in cases(ask, path)] == ["Price?", "Later?"]
    assert ask("POST", f"{path}/import-feedback").json["added"] == 0


def test_what_was_copied_goes_with_its_conversation(
    ask: Ask, path: str, asked: Any, rated: Any, owner: Account, database_urls: DatabaseUrls
) -> None:
    kept, deleted = asked("Kept?"), asked("Deleted?")
    for answer in (kept, deleted):
        rated(answer, 5)
    ask("POST", f"{path}/import-feedback")
    ask("POST", f"{path}/cases", {"cases": [{"question": "By hand?", "expect_refusal": True}]})

    assert ask("DELETE", f"/conversations/{deleted['conversation_id']}").status in (202, 204)

    assert [case["question"] for case in cases(ask, path)] == ["Kept?", "By hand?"]
    with psycopg.connect(database_urls.admin) as connection:
        left = connection.execute(
            "SELECT count(*) FROM evaluation_cases c WHERE organization_id = %s AND c::text LIKE '%%Deleted?%%'",
            (owner.organization_id,),
        ).fetchone()
    assert left == (0,)
