"""Chat as one machine runs it: the real embedder, retrieval over PostgreSQL, and the extractive model."""

from uuid import UUID

import pytest

from chatsphere.adapters.extractive import ExtractiveAnswerModel
from chatsphere.adapters.minilm import MiniLmEmbedder
from chatsphere.adapters.pgvector import PgVectorStore
from chatsphere.adapters.system import UuidV7Ids
from chatsphere.chat.asgi import chat_app
from chatsphere.chat.retrieving import BotRetriever
from chatsphere.chat.services import Services
from chatsphere.db.database import Database
from chatsphere.knowledge.retrieval.lexical_index import index_document
from chatsphere.ports.vectors import Namespace, VectorRecord
from tests.conftest import Tenant
from tests.fakes_chat import SteppingClock
from tests.integration.chat.client import ChatClient

PLANS = {
    "Eagle": "The Eagle plan is made for large enterprises. The Eagle plan costs 199 EUR per month.",
    "Falcon": "The Falcon plan is made for small teams. The Falcon plan costs 49 EUR per month.",
    "Hawk": "The Hawk plan is made for schools. The Hawk plan costs 19 EUR per month.",
    "Condor": "The Condor plan is made for hospitals. The Condor plan costs 349 EUR per month.",
}


@pytest.fixture(scope="module")
def embedder() -> MiniLmEmbedder:
    return MiniLmEmbedder()


@pytest.fixture
def client(database: Database, ids: UuidV7Ids, tenant: Tenant, embedder: MiniLmEmbedder) -> ChatClient:
    vectors = PgVectorStore(database)
    for name, text in PLANS.items():
        add_document(database, vectors, embedder, ids, tenant, f"{name}.md", text)
    retriever = BotRetriever(database, lambda _: embedder, vectors)
    services = Services(database, retriever, ExtractiveAnswerModel(embedder), SteppingClock(), ids)
    return ChatClient(chat_app(lambda: services), tenant)


def add_document(
    database: Database,
    vectors: PgVectorStore,
    embedder: MiniLmEmbedder,
    ids: UuidV7Ids,
    tenant: Tenant,
    name: str,
    text: str,
) -> UUID:
    """Add a document of one chunk, ready to be found."""
    document, chunk = ids.new(), ids.new()
    vector_id = f"{document}:1:0"
    with database.transaction(tenant.organization_id) as connection:
        connection.execute(
            "INSERT INTO documents (id, organization_id, bot_id, name, source, status, generation, live_generation)"
            " VALUES (%s, %s, %s, %s, 'text', 'ready', 1, 1)",
            (document, tenant.organization_id, tenant.bot_id, name),
        )
        connection.execute(
            "INSERT INTO chunks (id, organization_id, bot_id, document_id, generation, batch, ordinal, content,"
            " char_start, char_end, token_count, vector_id) VALUES (%s, %s, %s, %s, 1, 0, 0, %s, 0, %s, 30, %s)",
            (chunk, tenant.organization_id, tenant.bot_id, document, text, len(text), vector_id),
        )
        index_document(connection, tenant.bot_id, document, 1)
    record = VectorRecord(vector_id, embedder.embed_documents([text])[0], document, 1, chunk)
    vectors.upsert(Namespace(tenant.organization_id, tenant.bot_id), [record])
    return document


@pytest.mark.parametrize(("plan", "price"), [("Falcon", "49 EUR"), ("Condor", "349 EUR"), ("Hawk", "19 EUR")])
def test_a_follow_up_is_answered_for_what_was_asked_about(client: ChatClient, plan: str, price: str) -> None:
    first = client.chat(f"What is the {plan} plan?").json()
    assert first["citations"][0]["document_name"] == f"{plan}.md"
    second = client.chat("and how much does it cost?", conversation_id=first["conversation_id"]).json()
    assert second["answerable"] is True
    assert price in second["answer"]
    assert {citation["document_name"] for citation in second["citations"][:1]} == {f"{plan}.md"}


def test_every_word_of_the_answer_is_cited(client: ChatClient) -> None:
    events = client.stream("How much is the Falcon plan per month?")
    answer = "".join(event.data["text"] for event in events if event.name == "delta")
    citations = [event.data for event in events if event.name == "citation"]
    assert len([event for event in events if event.name == "delta"]) > 1
    rest = answer
    for citation in citations:
        assert answer[citation["answer_start"] : citation["answer_end"]] == citation["quote"]
        name = citation["document_name"].removesuffix(".md")
        assert PLANS[name][citation["char_start"] : citation["char_end"]] == citation["quote"]
        rest = rest.replace(citation["quote"], "", 1)
    assert rest.strip() == ""


def test_usage_is_counted_in_the_embedders_tokens(client: ChatClient, embedder: MiniLmEmbedder) -> None:
    body = client.chat("How much is the Falcon plan per month?").json()
    assert body["usage"]["completion_tokens"] == embedder.count_tokens(body["answer"])
    assert body["usage"]["prompt_tokens"] > sum(embedder.count_tokens(s["content"]) for s in body["sources"])
    assert body["usage"]["cost_microdollars"] == 0
    assert body["model"] == "extractive-1"


@pytest.mark.parametrize("question", ["Who won the world cup in 1998?", "How do I bake sourdough bread?"])
def test_what_no_document_says_is_refused(client: ChatClient, question: str) -> None:
    body = client.chat(question).json()
    assert (body["answerable"], body["reason"], body["citations"]) == (False, "no_relevant_passage", [])


def test_search_shows_each_stage(client: ChatClient) -> None:
    hits = client.search("price of the Falcon plan").json()["data"]
    assert hits[0]["document_name"] == "Falcon.md"
    assert None not in hits[0]["scores"].values()


def test_a_filter_limits_what_is_answered_from(client: ChatClient) -> None:
    hits = client.search("plan").json()["data"]
    hawk = next(hit["document_id"] for hit in hits if hit["document_name"] == "Hawk.md")
    body = client.chat("How much does the plan cost per month?", filter={"document_ids": [hawk]}).json()
    assert {source["document_id"] for source in body["sources"]} == {hawk}
