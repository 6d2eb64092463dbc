"""What is said of a document, and the way to its source."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest

from chatsphere.adapters.system import UuidV7Ids
from chatsphere.db.database import Database
from chatsphere.ports.uploads import ScanVerdict
from tests.builders.running_api import RunningApi, running_api
from tests.integration.ingestion.test_documents_api import STORAGE, Client, make_client
from tests.postgres import DatabaseUrls


@pytest.fixture(scope="module")
def api(database_urls: DatabaseUrls) -> Iterator[RunningApi]:
    with running_api(database_urls, **STORAGE) as api:
        yield api


@pytest.fixture
def client(api: RunningApi, database: Database, reaper_database: Database, ids: UuidV7Ids) -> Client:
    client = make_client(api, database, reaper_database, ids)
    vars(api.container)["malware_scanner"] = None
    return client


@pytest.fixture
def ready(client: Client) -> dict[str, Any]:
    """A document that readers see."""
    document = client.upload("folder/notes 1.html", b"<h1>One</h1><p>Two words.</p>")
    client.pipeline.run()
    return client.get(document["id"])


def source(client: Client, document: dict[str, Any], query: dict[str, list[str]] | None = None) -> Any:
    return client.ask("GET", f"/{document['id']}/source", query=query or {})


@dataclass
class Scanner:
    """`MalwareScanner` that knows what a test tells it."""

    verdict_of_all: ScanVerdict | None
    asked: list[tuple[str, str | None]] = field(default_factory=list)

    def verdict(self, key: str, version_id: str | None) -> ScanVerdict | None:
        self.asked.append((key, version_id))
        return self.verdict_of_all


# ------------------------------------------------------------------------------------------------- what is said of it


def test_what_is_given_replaces_and_what_is_left_out_stays(client: Client, ready: dict[str, Any]) -> None:
    path = f"/{ready['id']}"
    first = client.ask("PATCH", path, {"tags": ["a", "a", "b"], "metadata": {"year": 2026}})
    second = client.ask("PATCH", path, {"name": "The notes"})
    third = client.ask("PATCH", path, {"metadata": {}})
    assert (first.json["tags"], first.json["metadata"], first.json["name"]) == (
        ["a", "b"],
        {"year": 2026},
        ready["name"],
    )
    assert (second.json["tags"], second.json["metadata"], second.json["name"]) == (
        ["a", "b"],
        {"year": 2026},
        "The notes",
    )
    assert (third.json["tags"], third.json["metadata"], third.json["name"]) == (["a", "b"], {}, "The notes")
    assert client.get(ready["id"]) == third.json
    assert third.json["status"] == "ready"


def test_each_change_is_in_the_audit_log(client: Client, ready: dict[str, Any], database: Database) -> None:
    for change in (
        {"tags": ["a"]},
        {"name": "Other"},
        {"metadata": {"n": 1}},
        {"name": "X", "tags": []},
        {"name": "X"},
    ):
        assert client.ask("PATCH", f"/{ready['id']}", change).status == 200
    with database.transaction(UUID(client.account.organization_id)) as connection:
        (count,) = connection.execute(
            "SELECT count(*) AS n FROM audit_log WHERE action = 'document.updated' AND object_id = %s"
            " AND actor_user_id = %s",
            (ready["id"], client.account.user_id),
        ).fetchall()
    assert count["n"] == 4


@pytest.mark.parametrize(
    "body",
    [
        {"name": ""},
        {"name": "  "},
        {"name": None},
        {"name": "a\nb"},
        {"name": "x" * 1025},
        {"tags": None},
        {"tags": [""]},
        {"tags": [str(number) for number in range(33)]},
        {"metadata": None},
        {"metadata": {"nested": {}}},
        {"metadata": {"text": "x" * 3000}},
        {"status": "ready"},
        [],
    ],
)
def test_what_nobody_may_say_of_a_document_is_refused(client: Client, ready: dict[str, Any], body: Any) -> None:
    assert client.ask("PATCH", f"/{ready['id']}", body).status == 422
    assert client.get(ready["id"]) == ready


def test_a_renamed_document_is_read_again_as_what_its_file_is(client: Client, ready: dict[str, Any]) -> None:
    assert client.ask("PATCH", f"/{ready['id']}", {"name": "The notes.pdf"}).status == 200
    assert client.ask("POST", f"/{ready['id']}/reprocess").status == 202
    client.pipeline.run()
    again = client.get(ready["id"])
    assert (again["status"], again["name"], again["content_type"]) == ("ready", "The notes.pdf", ready["content_type"])


# ---------------------------------------------------------------------------------------------------------- its source


@pytest.mark.parametrize(
    "read_as", ["text/html", "image/svg+xml", "application/xhtml+xml", "application/x.y+xml", None]
)
def test_a_file_is_saved_under_its_name_and_never_shown_as_a_page(
    client: Client, ready: dict[str, Any], database: Database, read_as: str | None
) -> None:
    was_read_as(database, client, ready, read_as)
    answer = source(client, ready)
    told = parse_qs(urlsplit(answer.json["url"]).query)
    assert answer.status == 200
    assert told["type"] == ["application/octet-stream"] == [answer.json["content_type"]]
    assert (told["name"], told["inline"], told["expires"]) == (["notes 1.html"], ["False"], ["300"])
    assert answer.json["name"] == "folder/notes 1.html"
    assert answer.headers["Cache-Control"] == "no-store"


def was_read_as(database: Database, client: Client, document: dict[str, Any], content_type: str | None) -> None:
    with database.transaction(UUID(client.account.organization_id)) as connection:
        connection.execute("UPDATE documents SET content_type = %s WHERE id = %s", (content_type, document["id"]))


def test_a_pdf_is_shown_at_its_page(client: Client, ready: dict[str, Any], database: Database) -> None:
    was_read_as(database, client, ready, "application/pdf")
    answer = source(client, ready, {"page": ["2"]})
    assert answer.json["content_type"] == "application/pdf"
    assert answer.json["url"].endswith("#page=2")
    assert "inline=True" in answer.json["url"]


@pytest.mark.parametrize("page", ["0", "-1", "x", "1000001"])
def test_a_page_is_a_number(client: Client, ready: dict[str, Any], page: str) -> None:
    assert source(client, ready, {"page": [page]}).status == 422


def test_while_a_document_is_replaced_the_version_that_readers_see_is_opened(
    client: Client, ready: dict[str, Any]
) -> None:
    # Given
    before = parse_qs(urlsplit(source(client, ready).json["url"]).query)["version"]
    # When
    client.upload("folder/notes 1.html", b"<p>Something else.</p>")
    # Then
    assert parse_qs(urlsplit(source(client, ready).json["url"]).query)["version"] == before
    client.pipeline.run()
    assert parse_qs(urlsplit(source(client, ready).json["url"]).query)["version"] != before


def test_what_was_never_read_cannot_be_opened(client: Client) -> None:
    assert source(client, client.upload("new.txt", b"One.")).status == 404


def test_what_is_deleted_cannot_be_opened(client: Client, ready: dict[str, Any]) -> None:
    assert client.ask("DELETE", f"/{ready['id']}").status == 202
    assert source(client, ready).status == 404


def test_what_is_not_stored_any_more_cannot_be_opened(client: Client, ready: dict[str, Any]) -> None:
    client.pipeline.objects.delete(f"{client.account.organization_id}/{client.bot_id}/{ready['name']}")
    assert source(client, ready).status == 404


@pytest.mark.parametrize(
    ("verdict", "status"),
    [(ScanVerdict.CLEAN, 200), (ScanVerdict.INFECTED, 404), (ScanVerdict.NOT_SCANNED, 404), (None, 404)],
)
def test_where_files_are_scanned_only_a_clean_one_is_opened(
    client: Client, api: RunningApi, ready: dict[str, Any], verdict: ScanVerdict | None, status: int
) -> None:
    scanner = Scanner(verdict)
    vars(api.container)["malware_scanner"] = scanner
    assert source(client, ready).status == status
    assert [version is not None for _, version in scanner.asked] == [True]


def test_a_page_of_the_web_is_opened_where_it_is(client: Client, ready: dict[str, Any], database: Database) -> None:
    with database.transaction(UUID(client.account.organization_id)) as connection:
        connection.execute(
            "UPDATE documents SET source = 'url', url = 'https://example.com/a' WHERE id = %s", (ready["id"],)
        )
    answer = source(client, ready, {"page": ["2"]})
    assert (answer.json["url"], answer.json["expires_at"]) == ("https://example.com/a", None)
