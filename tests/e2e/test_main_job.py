"""The main job: drop a file, ask, get a cited answer, or hear that there is none."""

from typing import Any

import pytest

from tests.builders.pdf import make_pdf
from tests.e2e.client import Client, s3_client
from tests.e2e.handbook import PAGES, QUESTIONS, UNANSWERABLE
from tests.waiting import wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]

PDF = "application/pdf"


@pytest.fixture(scope="module", params=["endpoints", "vendor_endpoints"], ids=["local", "vendors"])
def endpoints(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The instance that uses nothing but this machine, then the one that uses Gemini and Pinecone."""
    found: dict[str, Any] = request.getfixturevalue(request.param)
    return found


def _ready(client: Client, bot_id: str, document_id: str) -> dict[str, Any]:
    def terminal() -> dict[str, Any] | None:
        document = client.document(bot_id, document_id)
        return document if document["status"] in ("ready", "failed") else None

    document = wait_for(terminal, what="the document to end")
    assert document is not None
    assert document["status"] == "ready", document
    return document


@pytest.fixture(scope="module")
def handbook(endpoints: dict[str, Any]) -> tuple[Client, str, str]:
    """A bot with the handbook ready: its developer, the bot's id, the document's id."""
    client = Client.registered(endpoints["api"])
    bot_id = client.bot()["id"]
    document_id = client.upload(bot_id, "handbook.pdf", make_pdf(PAGES), PDF)
    document = _ready(client, bot_id, document_id)
    assert document["page_count"] == len(PAGES)
    return client, bot_id, document_id


@pytest.mark.parametrize(("question", "page", "expected"), QUESTIONS)
def test_an_answer_cites_the_page_that_says_it(
    handbook: tuple[Client, str, str], question: str, page: int, expected: str
) -> None:
    client, bot_id, document_id = handbook
    answer = client.chat(bot_id, question)
    assert answer["answerable"], answer
    assert expected in answer["answer"]
    citation = answer["citations"][0]
    assert (citation["document_id"], citation["page"]) == (document_id, page)
    assert " ".join(citation["quote"].split()) in " ".join(PAGES[page - 1].split())
    assert answer["answer"][citation["answer_start"] : citation["answer_end"]] == citation["quote"]


@pytest.mark.parametrize("question", UNANSWERABLE)
def test_what_is_not_in_the_files_is_refused(handbook: tuple[Client, str, str], question: str) -> None:
    client, bot_id, _ = handbook
    answer = client.chat(bot_id, question)
    assert answer["answerable"] is False
    assert answer["reason"]
    assert answer["citations"] == []


def test_a_streamed_answer_is_the_blocking_one_in_pieces(handbook: tuple[Client, str, str]) -> None:
    client, bot_id, document_id = handbook
    events = list(client.stream(bot_id, QUESTIONS[0][0]))
    names = [event.name for event in events]
    assert names[:2] == ["meta", "sources"]
    assert names[-1] == "done"
    assert names.index("delta") < names.index("citation")
    text = "".join(event.data["text"] for event in events if event.name == "delta")
    assert QUESTIONS[0][2] in text
    citation = next(event.data for event in events if event.name == "citation")
    assert citation["document_id"] == document_id
    assert text[citation["answer_start"] : citation["answer_end"]] == citation["quote"]
    assert events[-1].data["answerable"] is True


def test_a_follow_up_is_understood_and_the_conversation_kept(handbook: tuple[Client, str, str]) -> None:
    client, bot_id, _ = handbook
    first = client.chat(bot_id, "How many users does the Heron plan include?")
    assert "100 users" in first["answer"]
    second = client.chat(bot_id, "And how much does it cost?", conversation_id=first["conversation_id"])
    assert "120 euros" in second["answer"]
    messages = client.http.get(f"/v1/conversations/{first['conversation_id']}/messages").json()["data"]
    assert [message["role"] for message in messages] == ["user", "assistant", "user", "assistant"]
    assert messages[3]["content"] == second["answer"]
    assert messages[3]["citations"] == second["citations"]


def test_search_shows_what_chat_retrieves(handbook: tuple[Client, str, str]) -> None:
    client, bot_id, document_id = handbook
    hits = client.http.post(f"/v1/bots/{bot_id}/search", json={"query": "nightly backup Porto"}).json()["data"]
    assert hits[0]["document_id"] == document_id
    assert hits[0]["page_start"] == 4
    assert set(hits[0]["scores"]) == {"dense", "lexical", "fused"}


def test_a_file_dropped_with_an_s3_client_is_ingested(endpoints: dict[str, Any], client: Client) -> None:
    bot_id = client.bot()["id"]
    key = f"{client.organization_id}/{bot_id}/folder/Handbuch für Kunden + mehr.pdf"
    s3_client(endpoints).put_object(Bucket=endpoints["uploads_bucket"], Key=key, Body=make_pdf(PAGES), ContentType=PDF)
    documents = wait_for(lambda: client.documents(bot_id), what="the dropped file to be registered")
    assert documents[0]["name"] == "folder/Handbuch für Kunden + mehr.pdf"
    _ready(client, bot_id, documents[0]["id"])
    assert client.chat(bot_id, QUESTIONS[2][0])["citations"][0]["page"] == QUESTIONS[2][1]


def test_replacing_a_file_replaces_what_is_answered(client: Client) -> None:
    bot_id = client.bot()["id"]
    first = client.text(bot_id, "price.txt", "The Falcon plan costs 49 euros a month.")
    _ready(client, bot_id, first)
    second = client.text(bot_id, "price.txt", "The Falcon plan costs 59 euros a month.")
    assert second == first

    def replaced() -> bool:
        return "59 euros" in client.chat(bot_id, "How much does the Falcon plan cost?")["answer"]

    wait_for(replaced, what="the new price")
    chunks = client.http.get(f"/v1/bots/{bot_id}/documents/{first}/chunks").json()["data"]
    assert len(chunks) == 1


def test_a_deleted_document_is_gone_everywhere(endpoints: dict[str, Any], client: Client) -> None:
    bot_id = client.bot()["id"]
    document_id = client.text(bot_id, "secret.txt", "The vault code of the Falcon building is 7731.")
    _ready(client, bot_id, document_id)
    answer = client.http.delete(f"/v1/bots/{bot_id}/documents/{document_id}")
    assert answer.status_code == 202
    _done(client, answer.headers["Location"])
    assert client.http.get(f"/v1/bots/{bot_id}/documents/{document_id}").status_code == 404
    assert client.chat(bot_id, "What is the vault code?")["answerable"] is False
    assert client.http.post(f"/v1/bots/{bot_id}/search", json={"query": "vault code"}).json()["data"] == []
    versions = s3_client(endpoints).list_object_versions(
        Bucket=endpoints["uploads_bucket"], Prefix=f"{client.organization_id}/{bot_id}/"
    )
    assert "Versions" not in versions
    assert "DeleteMarkers" not in versions


def test_a_deleted_bot_is_gone_everywhere(endpoints: dict[str, Any], client: Client) -> None:
    bot_id = client.bot()["id"]
    _ready(client, bot_id, client.text(bot_id, "a.txt", "The Falcon building has nine floors."))
    answer = client.http.delete(f"/v1/bots/{bot_id}")
    assert answer.status_code == 202
    assert client.http.get(f"/v1/bots/{bot_id}").status_code == 404
    assert client.http.post(f"/v1/bots/{bot_id}/chat", json={"message": "How many floors?"}).status_code == 404

    removed = _done(client, answer.headers["Location"])["removed"]
    assert (removed["bots"], removed["documents"], removed["object_versions"]) == (1, 1, 1)
    listing = s3_client(endpoints).list_object_versions(
        Bucket=endpoints["uploads_bucket"], Prefix=f"{client.organization_id}/{bot_id}/"
    )
    assert "Versions" not in listing
    assert "DeleteMarkers" not in listing


def _done(client: Client, location: str) -> dict[str, Any]:
    """Wait for a deletion's receipt; return it."""

    def receipt() -> dict[str, Any]:
        deletion: dict[str, Any] = client.http.get(location).json()
        return deletion if deletion["status"] == "done" else {}

    done = wait_for(receipt, what="the deletion's receipt")
    assert not any(done["left_over"].values())
    return done
