"""Search by its route: what chat retrieves, at the bot's settings, filtered, explained and counted."""

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from chatsphere.adapters.pgvector import PgVectorStore
from chatsphere.adapters.system import UuidV7Ids
from chatsphere.chat.asgi import chat_app
from chatsphere.chat.retrieving import BotRetriever
from chatsphere.chat.services import Services
from chatsphere.db.database import Database
from chatsphere.ports.vectors import Namespace
from tests.conftest import Tenant
from tests.fakes_chat import ScriptedModel, SteppingClock, says
from tests.integration.chat.client import ChatClient
from tests.integration.chat.elsewhere import QUICK
from tests.integration.retrieval.library import Library, WordEmbedder

SECTION = ("The contract begins in May.", "The notice period is three months.", "It ends by letter.")


@dataclass
class Desk:
    """A bot of three documents, and who asks it."""

    client: ChatClient
    library: Library
    model: ScriptedModel

    def add(self, *texts: str, **options: Any) -> UUID:
        document = self.library.add(*texts, **options)
        self.library.embed(PgVectorStore(self.library.database), document, texts)
        return document

    def configure(self, **configuration: Any) -> None:
        with self.library.transaction() as connection:
            connection.execute("UPDATE bots SET configuration = %s", (json.dumps(configuration),))


@pytest.fixture
def desk(database: Database, ids: UuidV7Ids, tenant: Tenant) -> Desk:
    library = Library(database, ids, Namespace(tenant.organization_id, tenant.bot_id))
    model = ScriptedModel(says("Three months."))
    retriever = BotRetriever(database, lambda _: WordEmbedder(), PgVectorStore(database))
    services = Services(database, retriever, model, SteppingClock(), ids, pace=QUICK)
    desk = Desk(ChatClient(chat_app(lambda: services), tenant), library, model)
    desk.add(*SECTION, name="contract", heading=("Terms",), tags=["law"], metadata='{"year": 2024}')
    desk.add("Notices hang in the hall.", name="hall", tags=["house"])
    return desk


def names(response: Any) -> set[str]:
    """Return the documents that were found."""
    assert response.status_code == 200, response.text
    return {hit["document_name"] for hit in response.json()["data"]}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {"contract", "hall"}),
        ({"tags": ["law", "nothing"]}, {"contract"}),
        ({"tags": []}, set()),
        ({"created_before": "2001-01-01T00:00:00Z"}, set()),
        ({"created_after": "2001-01-01T00:00:00+02:00"}, {"contract", "hall"}),
        ({"metadata": {"year": 2024}}, {"contract"}),
        ({"metadata": {"year": {"gte": 2024, "lte": 2024.5}}}, {"contract"}),
        ({"metadata": {"year": {"gte": "2024-01-01"}}}, set()),
        ({"document_ids": []}, set()),
    ],
)
def test_search_and_chat_are_filtered_alike(desk: Desk, given: dict[str, Any], expected: set[str]) -> None:
    desk.configure(threshold=0)

    found = names(desk.client.search("notice period notices", filter=given))
    answer = desk.client.chat("notice period notices", filter=given).json()

    assert found == expected
    assert {source["document_name"] for source in answer["sources"]} == expected


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"tags": "law"}, "tags"),
        ({"tags": ["x" * 65]}, "tags"),
        ({"tags": ["x"] * 33}, "tags"),
        ({"tags": ["\0"]}, "filter"),
        ({"created_after": "2024-01-01T00:00:00"}, "created_after"),
        ({"created_before": "yesterday"}, "created_before"),
        ({"metadata": {"year": {}}}, "metadata"),
        ({"metadata": {"year": {"gte": 1, "lte": "2024-01-01"}}}, "metadata"),
        ({"metadata": {"year": {"gte": "today"}}}, "metadata"),
        ({"metadata": {"year": {"gte": "2024-02-31"}}}, "metadata"),
        ({"metadata": {"year": {"gte": "2024-02-28T00:00+20:00"}}}, "metadata"),
        ({"metadata": {"year": {"gte": True}}}, "metadata"),
        ({"metadata": {"year": {"above": 1}}}, "metadata"),
        ({"metadata": {"year": [2024]}}, "metadata"),
        ({"metadata": {str(number): 1 for number in range(17)}}, "metadata"),
        ({"document_ids": ["no-uuid"]}, "document_ids"),
        ({"unknown": 1}, "unknown"),
    ],
)
def test_a_filter_that_says_nothing_sensible_is_refused(desk: Desk, given: dict[str, Any], field: str) -> None:
    for response in (desk.client.search(filter=given), desk.client.chat(filter=given)):
        assert (response.status_code, response.json()["code"]) == (422, "invalid_request")
        assert field in json.dumps(response.json()["errors"])


def test_search_finds_what_chat_finds_at_the_bots_settings(desk: Desk) -> None:
    desk.configure(top_k=1, threshold=0, lexical_weight=0, neighbours=1, candidates=10)

    response = desk.client.search("period is three", explain=True).json()
    answer = desk.client.chat("period is three").json()

    (hit,) = response["data"]
    explanation = response["explanation"]
    assert hit["content"] == SECTION[1]
    assert (explanation["lexical_weight"], explanation["candidates"]) == (0, 10)
    assert (explanation["threshold"], explanation["refused"]) == (0, False)
    (passage,) = explanation["passages"]
    (source,) = answer["sources"]
    assert (source["char_start"], source["char_end"]) == (passage["char_start"], passage["char_end"])
    assert source["content"] == "\n\n".join(SECTION)
    assert len(explanation["merged"]) == 2
    assert answer["confidence"] == response["confidence"] == explanation["confidence"]


def test_an_explanation_says_when_chat_would_refuse(desk: Desk) -> None:
    desk.configure(threshold=1)

    explanation = desk.client.search("period", explain=True).json()["explanation"]

    assert (explanation["refused"], explanation["passages"]) == (True, [])
    assert desk.client.chat("period").json()["reason"] == "no_relevant_passage"


def test_nothing_is_explained_unasked(desk: Desk) -> None:
    response = desk.client.search("period").json()

    assert response["explanation"] is None
    assert {hit["explanation"] for hit in response["data"]} == {None}


def test_the_same_passage_of_another_document_is_named_in_the_hit(desk: Desk) -> None:
    again = desk.add(*SECTION, name="copy")

    hit = desk.client.search("notice period three months").json()["data"][0]

    assert hit["content"] == SECTION[1]
    assert {hit["document_name"], hit["also_in"][0]["document_name"]} == {"contract", "copy"}
    assert str(again) in {hit["document_id"], hit["also_in"][0]["document_id"]}


def test_each_search_is_counted(desk: Desk, tenant: Tenant) -> None:
    desk.client.search("period")
    desk.client.search("period", mode="lexical")

    with desk.library.transaction() as connection:
        rows = connection.execute("SELECT bot_id, value, cost_microdollars FROM usage_events WHERE metric = 'search'")
        assert [tuple(row.values()) for row in rows] == [(tenant.bot_id, 1, 0)] * 2
