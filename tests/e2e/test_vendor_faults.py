"""The vendors refuse, break off and lag behind: what the developer of a bot sees of it."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.builders.pdf import make_pdf
from tests.e2e.client import TERMINAL, Client
from tests.e2e.handbook import PAGES, QUESTIONS, UNANSWERABLE
from tests.e2e.vendors import Vendors
from tests.loopback.gemini_faults import BlocksPrompt, Cuts, Refuses
from tests.loopback.scripted_http import Fault
from tests.waiting import wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]

PDF = "application/pdf"


@pytest.fixture
def healthy(vendors: Vendors) -> Iterator[Vendors]:
    """The vendors without faults, and again without any afterwards."""
    yield vendors
    vendors.gemini.every_nth = None
    vendors.gemini.faults.clear()
    vendors.pinecone.faults.stop()
    vendors.pinecone.staleness.searches = vendors.pinecone.staleness.listings = 0


@pytest.fixture
def developer(vendor_endpoints: dict[str, Any]) -> Client:
    """A developer of an organization of their own."""
    return Client.registered(vendor_endpoints["api"])


def _ingested(client: Client, bot_id: str) -> str:
    document_id = client.upload(bot_id, "handbook.pdf", make_pdf(PAGES), PDF)

    def terminal() -> dict[str, Any] | None:
        document = client.document(bot_id, document_id)
        return document if document["status"] in TERMINAL else None

    document = wait_for(terminal, what="the document to end")
    assert document is not None
    assert document["status"] == "ready", document
    return document_id


def _ask_everything(client: Client, bot_id: str) -> None:
    for question, page, expected in QUESTIONS:
        answer = client.chat(bot_id, question)
        assert expected in answer["answer"]
        assert answer["citations"][0]["page"] == page
    for question in UNANSWERABLE:
        assert client.chat(bot_id, question)["answerable"] is False


def _vectors(vendors: Vendors, client: Client, bot_id: str) -> set[str]:
    """Return the ids of the bot's vectors at Pinecone, whether reads show them yet or not."""
    (index,) = vendors.pinecone.indexes.values()
    assert index.data.dimension == 768
    return index.data.written(f"{client.organization_id}.{bot_id}")


def test_what_is_stored_and_said_comes_from_the_vendors(healthy: Vendors, developer: Client) -> None:
    bot_id = developer.bot()["id"]
    document_id = _ingested(developer, bot_id)

    answer = developer.chat(bot_id, QUESTIONS[0][0])

    chunks = developer.document(bot_id, document_id)["chunk_count"]
    assert len(_vectors(healthy, developer, bot_id)) == chunks
    assert answer["usage"]["prompt_tokens"] > 0
    assert answer["usage"]["cost_microdollars"] > 0


def test_a_vendor_that_refuses_every_third_call_is_not_noticed(healthy: Vendors, developer: Client) -> None:
    healthy.gemini.every_nth = 3
    healthy.pinecone.faults.every(3, Fault.OVERLOADED)
    bot_id = developer.bot()["id"]

    _ingested(developer, bot_id)

    _ask_everything(developer, bot_id)


def test_an_answer_that_is_cut_off_ends_with_an_error_and_is_kept_as_far_as_it_came(
    healthy: Vendors, developer: Client
) -> None:
    bot_id = developer.bot(configuration={"cache": False})["id"]
    _ingested(developer, bot_id)
    whole = developer.chat(bot_id, QUESTIONS[0][0])["answer"]
    healthy.gemini.faults.append(Cuts(events=2))

    events = list(developer.stream(bot_id, QUESTIONS[0][0]))

    said = "".join(event.data["text"] for event in events if event.name == "delta")
    assert said
    assert whole.startswith(said)
    assert said != whole
    assert events[-1].name == "error"
    assert (events[-1].data["code"], events[-1].data["status"]) == ("unavailable", 503)
    conversation_id = events[0].data["conversation_id"]
    kept = developer.http.get(f"/v1/conversations/{conversation_id}/messages").json()["data"]
    assert [message["role"] for message in kept] == ["user", "assistant"]
    assert (kept[1]["content"], kept[1]["finish_reason"]) == (said, "error")
    assert developer.chat(bot_id, QUESTIONS[0][0])["answer"] == whole


def test_a_blocked_question_has_an_error_of_its_own(healthy: Vendors, developer: Client) -> None:
    bot_id = developer.bot()["id"]
    _ingested(developer, bot_id)
    healthy.gemini.faults.append(BlocksPrompt())

    answer = developer.http.post(f"/v1/bots/{bot_id}/chat", json={"message": QUESTIONS[0][0]})

    assert (answer.status_code, answer.json()["code"]) == (502, "answer_blocked")


def test_words_that_are_not_visible_yet_are_waited_for(healthy: Vendors, developer: Client) -> None:
    healthy.pinecone.staleness.searches = healthy.pinecone.staleness.listings = 3
    bot_id = developer.bot()["id"]

    _ingested(developer, bot_id)

    hits = developer.http.post(f"/v1/bots/{bot_id}/search", json={"query": QUESTIONS[0][0]}).json()["data"]
    assert hits[0]["scores"]["dense"] > 0
    _ask_everything(developer, bot_id)


def test_a_deletion_is_verified_although_reads_are_stale(healthy: Vendors, developer: Client) -> None:
    bot_id = developer.bot()["id"]
    document_id = _ingested(developer, bot_id)
    healthy.pinecone.staleness.searches = healthy.pinecone.staleness.listings = 3

    assert developer.http.delete(f"/v1/bots/{bot_id}/documents/{document_id}").status_code == 202

    wait_for(lambda: not _vectors(healthy, developer, bot_id), what="the vectors to be deleted")
    assert developer.http.post(f"/v1/bots/{bot_id}/search", json={"query": "Falcon"}).json()["data"] == []


def test_a_document_waits_for_a_vendor_that_is_down(healthy: Vendors, developer: Client) -> None:
    bot_id = developer.bot()["id"]
    healthy.gemini.faults.extend([Refuses(503)] * 6)

    _ingested(developer, bot_id)

    _ask_everything(developer, bot_id)
