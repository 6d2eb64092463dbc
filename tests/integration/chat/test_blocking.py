from uuid import UUID, uuid4

import pytest

from chatsphere.db.database import Database
from chatsphere.errors import UnavailableError
from chatsphere.knowledge.retrieval.filters import DocumentFilter
from chatsphere.knowledge.retrieval.models import Passage
from chatsphere.ports.answers import AnswerCitation, AnswerDelta, AnswerEnd
from tests.conftest import Tenant
from tests.fakes_chat import FakeRetriever, ScriptedModel, Step, says
from tests.integration.chat.client import ChatClient, Rows

QUOTE = "It costs 49 EUR a month."
ANSWER: list[Step] = [
    AnswerDelta("It costs "),
    AnswerDelta("49 EUR."),
    AnswerCitation(1, QUOTE, 0, 16),
    AnswerEnd("stop", 30, 5, 7),
]


def test_an_answer_comes_with_checked_citations(client: ChatClient, model: ScriptedModel, source: Passage) -> None:
    model.script = ANSWER

    response = client.chat()

    body = response.json()
    assert response.status_code == 200
    assert response.headers["x-request-id"] == "request-1"
    assert body["answer"] == "It costs 49 EUR."
    assert (body["answerable"], body["reason"], body["finish_reason"]) == (True, None, "stop")
    assert body["citations"] == [
        {
            "number": 1,
            "document_id": str(source.document_id),
            "document_name": "plans.md",
            "chunk_id": str(source.pieces[0].chunk_id),
            "heading": "Plans",
            "page": 2,
            "quote": QUOTE,
            "char_start": 130,
            "char_end": 154,
            "answer_start": 0,
            "answer_end": 16,
        }
    ]
    assert body["usage"] == {"prompt_tokens": 30, "completion_tokens": 5, "embedding_tokens": 0, "cost_microdollars": 7}
    assert body["model"] == "scripted"
    assert [s["content"] for s in body["sources"]] == [source.content]
    assert {"load", "retrieve", "model", "persist", "total"} <= body["latency_ms"].keys()
    assert body["latency_ms"]["total"] >= body["latency_ms"]["model"]


def test_the_turn_is_kept(
    client: ChatClient, model: ScriptedModel, tenant: Tenant, rows: Rows, source: Passage
) -> None:
    model.script = ANSWER

    body = client.chat("  What does\nit cost?", user="ada", metadata={"page": "/pricing", "n": 1}).json()

    (conversation,) = rows(tenant, "conversations")
    question, answer = rows(tenant, "messages")
    assert str(conversation["id"]) == body["conversation_id"]
    assert (conversation["title"], conversation["end_user_id"]) == ("What does it cost?", "ada")
    assert conversation["metadata"] == question["metadata"] == {"page": "/pricing", "n": 1}
    assert (question["role"], question["content"]) == ("user", "  What does\nit cost?")
    assert str(answer["id"]) == body["message_id"]
    assert (answer["role"], answer["content"], answer["answerable"]) == ("assistant", "It costs 49 EUR.", True)
    assert answer["citations"] == body["citations"]
    assert [s["document_id"] for s in answer["sources"]] == [str(source.document_id)]
    assert (answer["prompt_tokens"], answer["completion_tokens"], answer["cost_microdollars"]) == (30, 5, 7)
    assert conversation["created_at"] <= question["created_at"] < answer["created_at"] <= conversation["updated_at"]


def test_usage_and_source_statistics_are_counted(
    client: ChatClient, model: ScriptedModel, tenant: Tenant, rows: Rows, source: Passage
) -> None:
    model.script = ANSWER
    client.chat()
    model.script = says("No claim.")
    client.chat()

    first, second = rows(tenant, "usage_events")
    (statistics,) = rows(tenant, "source_stats")
    assert (first["metric"], first["bot_id"], first["user_id"]) == ("chat.answer", tenant.bot_id, tenant.user_id)
    assert (first["prompt_tokens"], first["cost_microdollars"]) == (30, 7)
    assert (first["answerable"], second["answerable"]) == (True, False)
    assert statistics["document_id"] == source.document_id
    assert (statistics["retrieval_count"], statistics["citation_count"]) == (2, 1)


def test_without_evidence_it_refuses_and_asks_no_model(
    client: ChatClient, model: ScriptedModel, retriever: FakeRetriever, tenant: Tenant, rows: Rows
) -> None:
    retriever.confidence = 0.49

    body = client.chat().json()

    assert (body["answerable"], body["reason"], body["finish_reason"]) == (False, "no_relevant_passage", "refused")
    assert body["answer"].startswith("I don't know")
    assert (body["citations"], body["sources"]) == ([], [])
    assert body["usage"] == {"prompt_tokens": 0, "completion_tokens": 0, "embedding_tokens": 0, "cost_microdollars": 0}
    assert model.requests == []
    assert rows(tenant, "messages")[1]["content"] == body["answer"]


def test_a_bot_has_its_own_threshold_and_words(
    client: ChatClient, database: Database, model: ScriptedModel, tenant: Tenant
) -> None:
    with database.transaction(tenant.organization_id) as connection:
        connection.execute(
            """UPDATE bots SET configuration = '{"threshold": 0.95, "fallback_text": "Pas d''idée.", "top_k": 3}'"""
        )
    body = client.chat().json()
    assert (body["answerable"], body["answer"]) == (False, "Pas d'idée.")
    assert model.requests == []


def test_a_bot_without_documents_says_so(client: ChatClient, retriever: FakeRetriever, database: Database) -> None:
    retriever.passages = ()
    with database.transaction(client.tenant.organization_id) as connection:
        connection.execute("UPDATE documents SET live_generation = NULL")
    assert client.chat().json()["reason"] == "no_documents"


def test_an_answer_that_rests_on_nothing_is_no_answer(
    client: ChatClient, model: ScriptedModel, tenant: Tenant, rows: Rows
) -> None:
    model.script = [
        AnswerDelta("It is free."),
        AnswerCitation(1, "It is free.", 0, 11),
        AnswerCitation(7, QUOTE, 0, 11),
        AnswerEnd("stop", 1, 1, 0),
    ]
    body = client.chat().json()
    assert (body["answerable"], body["reason"], body["citations"]) == (False, "unsupported", [])
    assert body["answer"] == "It is free."
    assert rows(tenant, "messages")[1]["metadata"]["dropped_citations"] == 2


def test_a_model_that_says_nothing_is_covered_by_the_bots_own_words(client: ChatClient, model: ScriptedModel) -> None:
    model.script = [AnswerEnd("stop", 1, 0, 0)]
    body = client.chat().json()
    assert (body["answerable"], body["reason"]) == (False, "unsupported")
    assert body["answer"].startswith("I don't know")


def test_the_model_is_given_what_the_bot_is_set_to(
    client: ChatClient, model: ScriptedModel, retriever: FakeRetriever, database: Database, source: Passage
) -> None:
    with database.transaction(client.tenant.organization_id) as connection:
        connection.execute(
            "UPDATE bots SET system_prompt = 'Be brief.', temperature = 0.5,"
            """ configuration = '{"max_output_tokens": 77, "top_k": 3}'"""
        )
    model.script = ANSWER
    document = uuid4()
    client.chat("Price?", filter={"document_ids": [str(document)]})
    (request,) = model.requests
    assert (request.question, request.system_prompt, request.temperature) == ("Price?", "Be brief.", 0.5)
    assert request.max_output_tokens == 77
    (passage,) = request.passages
    assert (passage.number, passage.document_name, passage.content) == (1, "plans.md", source.content)
    assert retriever.queries[-1][3:] == (3, DocumentFilter(document_ids=frozenset({document})), "fused")


def test_a_follow_up_is_understood_from_the_conversation(
    client: ChatClient, model: ScriptedModel, retriever: FakeRetriever, tenant: Tenant, rows: Rows
) -> None:
    model.script = ANSWER
    first = client.chat("What is the Falcon plan?").json()
    second = client.chat("and its price?", conversation_id=first["conversation_id"]).json()

    assert second["conversation_id"] == first["conversation_id"]
    assert retriever.queries[-1][2] == "What is the Falcon plan? and its price?"
    assert [(turn.role, turn.content) for turn in model.requests[-1].history] == [
        ("user", "What is the Falcon plan?"),
        ("assistant", "It costs 49 EUR."),
    ]
    assert model.requests[-1].question == "and its price?"
    assert len(rows(tenant, "conversations")) == 1
    assert [m["role"] for m in rows(tenant, "messages")] == ["user", "assistant"] * 2
    assert rows(tenant, "messages")[3]["metadata"]["standalone_question"].endswith("and its price?")


def test_history_is_bounded(client: ChatClient, model: ScriptedModel) -> None:
    model.script = ANSWER
    conversation = client.chat("Question 0").json()["conversation_id"]
    for number in range(1, 9):
        client.chat(f"Question {number}", conversation_id=conversation)
    history = model.requests[-1].history
    assert len(history) == 12
    assert history[-2].content == "Question 7"


def test_a_failure_midway_keeps_what_there_is(
    client: ChatClient, model: ScriptedModel, tenant: Tenant, rows: Rows
) -> None:
    model.script = [AnswerDelta("It costs "), UnavailableError("The model does not answer.")]

    response = client.chat()

    assert response.status_code == 503
    assert response.json()["code"] == "unavailable"
    assert response.headers["retry-after"]
    question, answer = rows(tenant, "messages")
    assert question["content"] == "What does it cost?"
    assert (answer["content"], answer["finish_reason"], answer["reason"]) == ("It costs ", "error", "unavailable")
    (logged,) = rows(tenant, "error_logs")
    assert (logged["error_type"], logged["bot_id"]) == ("unavailable", tenant.bot_id)
    assert model.closed == 1


@pytest.mark.parametrize("failure", ["model", "retrieval", "cut off"])
def test_no_words_of_a_vendor_leave(
    client: ChatClient, model: ScriptedModel, retriever: FakeRetriever, failure: str
) -> None:
    secret = RuntimeError("vendor: key sk-123 rejected by 10.0.0.7")
    if failure == "model":
        model.script = [secret]
    if failure == "retrieval":
        retriever.error = secret
    response = client.chat()
    assert response.status_code == (503 if failure == "cut off" else 500)
    assert response.headers["content-type"] == "application/problem+json"
    assert "vendor" not in response.text
    assert "sk-123" not in response.text


@pytest.mark.parametrize("table", ["bots", "conversations"])
def test_what_is_deleted_during_the_answer_is_not_brought_back(
    client: ChatClient, model: ScriptedModel, database: Database, tenant: Tenant, rows: Rows, table: str
) -> None:
    model.script = ANSWER
    conversation = client.chat().json()["conversation_id"]

    def delete() -> None:
        with database.transaction(tenant.organization_id) as connection:
            connection.execute(f"DELETE FROM {table}")

    model.script = [delete, *ANSWER]
    response = client.chat(conversation_id=conversation)
    assert response.status_code == 404
    assert rows(tenant, "messages") == []


def test_a_document_that_is_deleted_during_the_answer_does_not_cost_the_answer(
    client: ChatClient, model: ScriptedModel, database: Database, tenant: Tenant, rows: Rows
) -> None:
    def delete() -> None:
        with database.transaction(tenant.organization_id) as connection:
            connection.execute("DELETE FROM documents")

    model.script = [delete, *ANSWER]
    assert client.chat().status_code == 200
    assert len(rows(tenant, "messages")) == 2
    assert rows(tenant, "source_stats") == []


def test_an_inactive_bot_does_not_chat(client: ChatClient, database: Database) -> None:
    with database.transaction(client.tenant.organization_id) as connection:
        connection.execute("UPDATE bots SET is_active = false")
    for stream in (False, True):
        response = client.chat(stream=stream)
        assert (response.status_code, response.json()["code"]) == (409, "bot_inactive")
    assert client.search().status_code == 200


def test_message_ids_and_times_are_ordered(
    client: ChatClient, model: ScriptedModel, tenant: Tenant, rows: Rows
) -> None:
    model.script = ANSWER
    conversation = client.chat().json()["conversation_id"]
    client.chat(conversation_id=conversation)
    messages = rows(tenant, "messages")
    assert all(isinstance(m["id"], UUID) and m["id"].version == 7 for m in messages)
    assert [m["created_at"] for m in messages] == sorted(m["created_at"] for m in messages)
