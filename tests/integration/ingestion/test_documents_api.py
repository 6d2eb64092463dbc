"""The documents' routes, with ingestion running behind them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest

from chatsphere.adapters.system import UuidV7Ids
from chatsphere.db.database import Database
from chatsphere.knowledge import documents_queries
from chatsphere.knowledge.ingestion import deletion_queries, register_queries
from chatsphere.knowledge.retrieval.lexical import analyse
from chatsphere.ports.objects import PresignedPost
from tests.builders.running_api import Account, Answer, RunningApi, running_api
from tests.conftest import Tenant
from tests.fakes import FixedClock
from tests.integration.ingestion.pipeline import MAX_BYTES, Pipeline
from tests.postgres import DatabaseUrls


@dataclass
class Client:
    """One account with one bot, and the ingestion of what it sends."""

    api: RunningApi
    account: Account
    bot_id: str
    pipeline: Pipeline

    def ask(self, method: str, path: str = "", body: Any = None, **named: Any) -> Answer:
        token = named.pop("token", self.account.access_token)
        return self.api.request(method, f"/v1/bots/{self.bot_id}/documents{path}", body, token=token, **named)

    def upload(self, name: str, body: bytes, size: int | None = None) -> dict[str, Any]:
        """Announce a file and send it; return the document as it was answered."""
        answer = self.ask(
            "POST", body={"name": name, "content_type": "text/plain", "size": len(body) if size is None else size}
        )
        assert answer.status == 201, answer.text
        form = answer.json["upload"]
        self.pipeline.objects.upload(PresignedPost(form["url"], form["fields"]), body)
        document: dict[str, Any] = answer.json["document"]
        return document

    def text(self, name: str, text: str, **fields: Any) -> Answer:
        return self.ask("POST", body={"name": name, "text": text, **fields})

    def get(self, document_id: str) -> dict[str, Any]:
        answer = self.ask("GET", f"/{document_id}")
        assert answer.status == 200, answer.text
        document: dict[str, Any] = answer.json
        return document


STORAGE = {"UPLOADS_BUCKET": "uploads", "MAX_UPLOAD_BYTES": str(MAX_BYTES)}
FILTER = re.compile(r"(\w+\.)?organization_id = app\.current_organization\(\)")


@pytest.fixture
def api(database_urls: DatabaseUrls) -> Iterator[RunningApi]:
    with running_api(database_urls, **STORAGE) as api:
        yield api


@pytest.fixture(params=["both guards", "row policies alone", "query filters alone"])
def guarded_api(
    request: pytest.FixtureRequest, database_urls: DatabaseUrls, monkeypatch: pytest.MonkeyPatch
) -> Iterator[RunningApi]:
    """The API under both guards of tenancy, and under each of them alone: the superuser is subject to no policy."""
    variables = dict(STORAGE)
    if request.param == "row policies alone":
        for module in (documents_queries, register_queries, deletion_queries):
            for name, query in vars(module).copy().items():
                if isinstance(query, str) and FILTER.search(query):
                    monkeypatch.setattr(module, name, FILTER.sub("TRUE", query))
    if request.param == "query filters alone":
        variables["DATABASE_URL"] = database_urls.admin
    with running_api(database_urls, **variables) as api:
        yield api


@pytest.fixture
def client(api: RunningApi, database: Database, reaper_database: Database, ids: UuidV7Ids) -> Client:
    return make_client(api, database, reaper_database, ids)


def make_client(api: RunningApi, database: Database, reaper_database: Database, ids: UuidV7Ids) -> Client:
    account = api.register()
    bot_id = api.bot(account)["id"]
    tenant = Tenant(UUID(account.organization_id), UUID(account.user_id), UUID(bot_id))
    pipeline = Pipeline(tenant, database, reaper_database, ids, clock=FixedClock(api.clock.now()))
    vars(api.container).update(
        object_store=pipeline.objects,
        vector_store=pipeline.vectors,
        extract_queue=pipeline.extract_queue,
        purge_queue=pipeline.purge_queue,
        clock=pipeline.clock,
    )
    return Client(api, account, bot_id, pipeline)


def test_a_file_is_announced_uploaded_and_ready(client: Client) -> None:
    # When
    document = client.upload("folder/notes 1.txt", b"One.\nTwo.")
    # Then
    assert {**document, "id": "", "created_at": "", "updated_at": ""} == {
        "id": "",
        "bot_id": client.bot_id,
        "name": "folder/notes 1.txt",
        "source": "upload",
        "url": None,
        "status": "registered",
        "stage": "upload",
        "error_code": None,
        "error_message": None,
        "retryable": None,
        "attempts": 0,
        "page_count": None,
        "unread_page_count": None,
        "chunk_count": None,
        "token_count": None,
        "size": None,
        "sha256": None,
        "content_type": "text/plain",
        "generation": 0,
        "language": None,
        "tags": [],
        "metadata": {},
        "created_at": "",
        "updated_at": "",
        "ready_at": None,
    }
    client.pipeline.run()
    client.pipeline.assert_ready(["One.", "Two."], document_id=UUID(document["id"]))
    ready = client.get(document["id"])
    assert (ready["status"], ready["chunk_count"], ready["size"], ready["source"]) == ("ready", 2, 9, "upload")


def test_the_form_permits_what_was_announced(client: Client) -> None:
    answer = client.ask("POST", body={"name": "a.txt", "content_type": "text/plain", "size": 7})
    assert answer.json["outcome"] == "created"
    fields = answer.json["upload"]["fields"]
    assert fields["key"] == f"{client.account.organization_id}/{client.bot_id}/a.txt"
    assert (fields["max"], fields["x-amz-meta-declared-size"]) == ("7", "7")


def test_a_file_larger_than_announced_fails(client: Client) -> None:
    # When
    document = client.upload("a.txt", b"More than two bytes.", size=2)
    client.pipeline.run()
    # Then
    failed = client.get(document["id"])
    assert (failed["status"], failed["error_code"], failed["retryable"]) == ("failed", "size_mismatch", False)
    assert client.pipeline.objects.count_versions("") == 0


def test_a_file_of_the_same_name_replaces_the_document(client: Client) -> None:
    # Given
    first = client.upload("a.txt", b"One.")
    client.pipeline.run()
    # When
    second = client.upload("a.txt", b"Two.")
    # Then
    assert second["id"] == first["id"]
    assert [chunk["content"] for chunk in client.ask("GET", f"/{first['id']}/chunks").json["data"]] == ["One."]
    client.pipeline.run()
    client.pipeline.assert_ready(["Two."])


def test_announcing_again_does_not_disturb_work_under_way(client: Client) -> None:
    # Given
    client.upload("a.txt", b"One.")
    client.pipeline.deliver_events()
    # When
    answer = client.ask("POST", body={"name": "a.txt", "content_type": "text/plain", "size": 7})
    # Then
    assert (answer.json["outcome"], answer.json["document"]["stage"]) == ("replaced", "extract")
    client.pipeline.run()
    client.pipeline.assert_ready(["One."])


def test_a_text_is_accepted_and_ready(client: Client) -> None:
    # When
    answer = client.text("note.md", "# Title\nÜber alles.", content_type="text/markdown", metadata={"a": 1})
    # Then
    assert answer.status == 202, answer.text
    document = answer.json["document"]
    assert "upload" not in answer.json or answer.json["upload"] is None
    assert (document["status"], document["stage"], document["source"]) == ("registered", "extract", "text")
    # Its event, which comes later, finds nothing to do
    client.pipeline.run()
    ready = client.get(document["id"])
    assert (ready["status"], ready["generation"], ready["metadata"]) == ("ready", 1, {"a": 1})
    assert client.pipeline.chunks() == ["# Title", "Über alles."]


def test_tags_and_metadata_are_kept_until_others_are_given(client: Client) -> None:
    client.text("a.txt", "One.", tags=[" law ", "2024", "law"], metadata={"year": 2024})
    client.pipeline.run()

    assert client.text("a.txt", "One.", tags=["law", "2024"]).json["outcome"] == "unchanged"
    kept = client.text("a.txt", "Two.").json["document"]
    upload = {"name": "a.txt", "content_type": "text/plain", "size": 3, "tags": []}
    announced = client.ask("POST", body=upload).json["document"]

    assert (kept["tags"], kept["metadata"]) == (["law", "2024"], {"year": 2024})
    assert (announced["tags"], announced["metadata"]) == ([], {"year": 2024})


def test_the_language_of_a_text_is_found_and_its_words_stemmed_by_it(client: Client) -> None:
    german = client.text("a.md", "Die Kündigungsfristen betragen drei Monate zum Ende des Jahres.").json["document"]
    table = client.text("b.md", "a=1; b=2").json["document"]
    client.pipeline.run()

    assert client.get(german["id"])["language"] == "de"
    assert client.get(table["id"])["language"] is None
    with client.pipeline.database.transaction(client.pipeline.tenant.organization_id) as connection:
        question = analyse(connection, client.pipeline.tenant.bot_id, "Kündigungsfrist")
    assert question.configurations == ("english", "german")
    assert [term.document_frequency for term in question.terms] == [1]


def test_the_same_text_again_is_unchanged(client: Client) -> None:
    client.text("a.txt", "One.")
    client.pipeline.run()
    assert client.text("a.txt", "One.").json["outcome"] == "unchanged"
    answer = client.text("a.txt", "Two.")
    assert (answer.status, answer.json["outcome"]) == (202, "replaced")
    client.pipeline.run()
    client.pipeline.assert_ready(["Two."])


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 422, "invalid_request"),
        ({"name": "a.txt"}, 422, "invalid_request"),
        ({"text": "no name"}, 422, "invalid_request"),
        ({"name": "a.txt", "text": ""}, 422, "invalid_request"),
        ({"name": "a.txt", "text": "x", "size": 3, "content_type": "text/plain"}, 422, "invalid_request"),
        ({"name": "a.txt", "text": "x", "content_type": "application/pdf"}, 422, "invalid_request"),
        ({"name": "a.txt", "size": 3}, 422, "invalid_request"),
        ({"name": "a.txt", "size": 0, "content_type": "text/plain"}, 422, "invalid_request"),
        ({"name": "a.txt", "size": -1, "content_type": "text/plain"}, 422, "invalid_request"),
        ({"name": "a.txt", "size": "many", "content_type": "text/plain"}, 422, "invalid_request"),
        ({"name": "a.txt", "size": 3, "content_type": "nonsense"}, 422, "invalid_request"),
        ({"name": "a.txt", "size": 3, "content_type": "text/plain\r\nX: y"}, 422, "invalid_request"),
        ({"name": "a.txt", "text": "x", "more": 1}, 422, "invalid_request"),
        ({"name": "a.txt", "text": "x", "metadata": {"a": {}}}, 422, "invalid_request"),
        ({"name": "a.txt", "text": "x", "metadata": {"a": "x" * 2048}}, 422, "invalid_request"),
        ({"name": "a.txt", "text": "x", "tags": "law"}, 422, "invalid_request"),
        ({"name": "a.txt", "text": "x", "tags": [" "]}, 422, "invalid_request"),
        ({"name": "a.txt", "text": "x", "tags": ["x" * 65]}, 422, "invalid_request"),
        ({"name": "a.txt", "text": "x", "tags": [str(n) for n in range(33)]}, 422, "invalid_request"),
        ({"name": "a.txt", "text": "x", "tags": ["a\x00"]}, 422, "invalid_request"),
        ({"name": "a\x00.txt", "text": "x"}, 422, "invalid_request"),
        ({"name": "../a.txt", "text": "x"}, 422, "invalid_name"),
        ({"name": "a\nb", "size": 3, "content_type": "text/plain"}, 422, "invalid_name"),
        ({"name": "${filename}", "size": 3, "content_type": "text/plain"}, 422, "invalid_name"),
        ({"name": "ä" * 600, "text": "x"}, 422, "invalid_name"),
        ({"url": "http://169.254.169.254/latest/meta-data/"}, 422, "url_not_allowed"),
        ({"url": "https://example.com:22/"}, 422, "url_not_allowed"),
        ({"name": "../a.pdf", "url": "https://example.com/a.pdf"}, 422, "invalid_name"),
        ({"text": "x", "name": "a.txt", "url": "https://example.com/a.pdf"}, 422, "invalid_request"),
        ({"name": "a.txt", "size": MAX_BYTES + 1, "content_type": "text/plain"}, 413, "payload_too_large"),
        ({"name": "a.txt", "size": 10**30, "content_type": "text/plain"}, 413, "payload_too_large"),
        ({"name": "a.txt", "text": "x" * (4 * 1024 * 1024 + 1)}, 413, "payload_too_large"),
    ],
)
def test_a_request_that_cannot_be_is_refused(client: Client, body: dict[str, Any], status: int, code: str) -> None:
    answer = client.ask("POST", body=body)
    assert (answer.status, answer.code) == (status, code)
    assert client.pipeline.documents() == []


def test_documents_are_listed_newest_first_by_pages(client: Client) -> None:
    # Given
    ids = [client.text(f"{n}.txt", f"Text {n}.").json["document"]["id"] for n in range(5)]
    client.pipeline.run()
    # When
    first = client.ask("GET", query={"limit": ["3"]}).json
    second = client.ask("GET", query={"limit": ["3"], "cursor": [first["next_cursor"]]}).json
    # Then
    assert [document["id"] for document in first["data"] + second["data"]] == ids[::-1]
    assert (first["has_more"], second["has_more"], second["next_cursor"]) == (True, False, None)


def test_documents_are_listed_by_status(client: Client) -> None:
    client.text("good.txt", "Good.")
    client.text("bad.txt", "   ")
    client.pipeline.run()
    client.text("new.txt", "New.")
    for status, names in (("ready", ["good.txt"]), ("failed", ["bad.txt"]), ("registered", ["new.txt"])):
        listed = client.ask("GET", query={"status": [status]}).json["data"]
        assert [document["name"] for document in listed] == names
    assert client.ask("GET", query={"status": ["deleting"]}).code == "invalid_request"
    assert client.ask("GET", query={"cursor": ["nonsense"]}).code == "invalid_request"


def test_chunks_are_listed_in_the_order_of_the_text(client: Client) -> None:
    # Given
    lines = [f"Line {number}." for number in range(70)]
    document_id = client.text("a.txt", "\n".join(lines)).json["document"]["id"]
    assert client.ask("GET", f"/{document_id}/chunks").json == {"data": [], "next_cursor": None, "has_more": False}
    client.pipeline.run()
    # When
    listed, cursor = [], None
    while True:
        query = {"limit": ["30"]} | ({"cursor": [cursor]} if cursor else {})
        page = client.ask("GET", f"/{document_id}/chunks", query=query).json
        listed += page["data"]
        cursor = page["next_cursor"]
        if not page["has_more"]:
            break
    # Then
    assert [chunk["content"] for chunk in listed] == lines
    assert {**listed[1], "id": ""} == {
        "id": "",
        "ordinal": 1,
        "content": "Line 1.",
        "heading_path": [],
        "page_start": 1,
        "page_end": 1,
        "char_start": 9,
        "char_end": 16,
        "token_count": 2,
    }


def test_a_cursor_of_another_list_is_an_empty_page(client: Client) -> None:
    document_id = client.text("a.txt", "One.").json["document"]["id"]
    client.pipeline.run()
    cursor = "_____________________w"
    assert client.ask("GET", f"/{document_id}/chunks", query={"cursor": [cursor]}).json["data"] == []


def test_a_deleted_document_is_gone(client: Client) -> None:
    # Given
    document_id = client.text("a.txt", "One.").json["document"]["id"]
    client.pipeline.run()
    # When
    answer = client.ask("DELETE", f"/{document_id}")
    # Then
    deletion = answer.json["deletion"]
    assert (answer.status, answer.headers["Location"]) == (202, f"/v1/deletions/{deletion['id']}")
    assert (deletion["status"], deletion["document_id"], deletion["reason"]) == ("done", document_id, "api")
    assert deletion["removed"] == {
        "documents": 1,
        "chunks": 1,
        "lexical_entries": 1,
        "vectors": 1,
        "object_versions": 1,
    }
    assert not any(deletion["left_over"].values())
    token = client.account.access_token
    assert client.api.request("GET", answer.headers["Location"], token=token).json == deletion
    assert client.pipeline.documents() == []
    assert client.pipeline.objects.count_versions("") == 0
    for method, path in (("GET", ""), ("GET", "/chunks"), ("DELETE", ""), ("POST", "/reprocess")):
        assert client.ask(method, f"/{document_id}{path}").code == "not_found"


def test_a_document_whose_deletion_is_held_up_is_gone_for_readers(client: Client) -> None:
    # Given
    document_id = client.text("a.txt", "One.").json["document"]["id"]
    client.pipeline.run()
    client.pipeline.vectors.failures = 1
    # When
    deletion = client.ask("DELETE", f"/{document_id}").json["deletion"]
    # Then
    assert (deletion["status"], deletion["finished_at"], deletion["left_over"]) == ("running", None, None)
    assert client.ask("GET", f"/{document_id}").code == "not_found"
    assert client.ask("GET").json["data"] == []
    # And its name is free
    assert client.text("a.txt", "Two.").json["outcome"] == "created"
    client.pipeline.run()
    client.pipeline.assert_ready(["Two."])
    path, token = f"/v1/deletions/{deletion['id']}", client.account.access_token
    assert client.api.request("GET", path, token=token).json["status"] == "done"


def test_a_document_is_processed_again(client: Client) -> None:
    # Given
    document_id = client.text("a.txt", "One.").json["document"]["id"]
    client.pipeline.run()
    # When
    answer = client.ask("POST", f"/{document_id}/reprocess")
    # Then
    assert (answer.status, answer.json["document"]["status"]) == (202, "registered")
    assert client.ask("POST", f"/{document_id}/reprocess").status == 409
    assert client.pipeline.chunks() == ["One."]
    client.pipeline.run()
    client.pipeline.assert_ready(["One."])
    assert client.pipeline.document()["live_generation"] == 2
    # And from now on the same bytes are unchanged again
    client.pipeline.drop("a.txt", "One.")
    client.pipeline.run()
    assert client.pipeline.document()["generation"] == 2


def test_what_was_never_uploaded_cannot_be_processed_again(client: Client) -> None:
    answer = client.ask("POST", body={"name": "a.txt", "content_type": "text/plain", "size": 7})
    answer = client.ask("POST", f"/{answer.json['document']['id']}/reprocess")
    assert (answer.status, answer.code) == (409, "document_in_progress")


def test_another_tenants_documents_are_not_there(
    guarded_api: RunningApi, database: Database, reaper_database: Database, ids: UuidV7Ids
) -> None:
    # Given
    client = make_client(guarded_api, database, reaper_database, ids)
    document_id = client.text("a.txt", "One.").json["document"]["id"]
    client.pipeline.run()
    stranger = guarded_api.register()
    # Then
    missing = client.ask("GET", f"/{uuid4()}").json | {"request_id": ""}
    for method, path, body in (
        ("GET", f"/{document_id}", None),
        ("GET", f"/{document_id}/chunks", None),
        ("DELETE", f"/{document_id}", None),
        ("POST", f"/{document_id}/reprocess", None),
        ("GET", "", None),
        ("POST", "", {"name": "b.txt", "text": "Planted."}),
        ("POST", "", {"name": "a.txt", "content_type": "text/plain", "size": 3}),
    ):
        answer = client.ask(method, path, body, token=stranger.access_token)
        assert (answer.status, answer.code) == (404, "not_found")
        assert answer.json.keys() == missing.keys()
    client.pipeline.assert_ready(["One."])


def test_a_document_of_another_bot_of_the_tenant_is_not_there(client: Client) -> None:
    document_id = client.text("a.txt", "One.").json["document"]["id"]
    client.pipeline.run()
    client.bot_id = client.api.bot(client.account)["id"]
    for method, path in (("GET", ""), ("GET", "/chunks"), ("DELETE", ""), ("POST", "/reprocess")):
        assert client.ask(method, f"/{document_id}{path}").code == "not_found"


def test_documents_of_a_bot_that_is_being_deleted_are_not_there(client: Client) -> None:
    document_id = client.text("a.txt", "One.").json["document"]["id"]
    client.api.request("DELETE", f"/v1/bots/{client.bot_id}", token=client.account.access_token)
    for method, path, body in (
        ("GET", f"/{document_id}", None),
        ("DELETE", f"/{document_id}", None),
        ("GET", "", None),
        ("POST", "", {"name": "b.txt", "text": "x"}),
    ):
        assert client.ask(method, path, body).code == "not_found"
    client.pipeline.run()
    assert client.pipeline.bot_status() is None


def test_an_archived_bot_takes_no_documents_and_shows_those_it_has(client: Client) -> None:
    known = client.text("known.txt", "Some text.").json["document"]
    client.pipeline.run()
    bot = f"/v1/bots/{client.bot_id}"
    assert client.api.request("POST", f"{bot}/archive", token=client.account.access_token).status == 200

    refused = [
        client.text("known.txt", "Some text."),
        client.text("new.txt", "Other text."),
        client.ask("POST", body={"name": "new.txt", "content_type": "text/plain", "size": 3}),
        client.ask("POST", f"/{known['id']}/reprocess"),
        client.api.request("POST", f"{bot}/upload-credentials", token=client.account.access_token),
    ]

    assert [(answer.status, answer.code) for answer in refused] == [(409, "bot_archived")] * 5
    assert [document["id"] for document in client.ask("GET").json["data"]] == [known["id"]]
    assert client.api.request("POST", f"{bot}/restore", token=client.account.access_token).json["status"] == "trained"
    assert client.text("new.txt", "Other text.").status == 202


def test_a_key_needs_the_scope_and_the_bot(client: Client) -> None:
    # Given
    reader = client.api.api_key(client.account, scopes=["documents:read"])["key"]
    elsewhere = client.api.api_key(
        client.account, scopes=["documents:read", "documents:write"], bot_ids=[client.api.bot(client.account)["id"]]
    )["key"]
    # Then
    assert client.ask("GET", token=reader).status == 200
    assert client.ask("POST", body={"name": "a", "text": "x"}, token=reader).code == "insufficient_scope"
    assert client.ask("DELETE", f"/{uuid4()}", token=reader).code == "insufficient_scope"
    assert client.ask("GET", token=elsewhere).code == "not_found"
    assert client.ask("POST", body={"name": "a", "text": "x"}, token=elsewhere).code == "not_found"
