"""The routes of web sources, with the function that fetches behind them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from functions.fetch_pages.handler import handler
from tests.builders.running_api import Account, Answer, RunningApi, running_api
from tests.fakes import FixedClock, InMemoryObjectStore, InMemoryVectorStore
from tests.loopback.web_site import Site
from tests.postgres import DatabaseUrls


@dataclass
class Client:
    """One account with one bot."""

    api: RunningApi
    account: Account
    bot_id: str

    def ask(self, method: str, path: str, body: Any = None, **named: Any) -> Answer:
        return self.api.request(method, f"/v1/bots/{self.bot_id}{path}", body, token=self.account.access_token, **named)

    def fetch(self) -> None:
        """Deliver what was sent, and what that sends, until nothing is left."""
        sent = self.api.fetch_queue.sent
        while sent:
            message, _ = sent.pop(0)
            record = {"messageId": "m", "body": json.dumps(message), "attributes": {"ApproximateReceiveCount": "1"}}
            assert handler({"Records": [record]}, None) == {"batchItemFailures": []}


@pytest.fixture
def client(database_urls: DatabaseUrls, site: Site) -> Iterator[Client]:
    variables = {"UPLOADS_BUCKET": "uploads", "WEB_PRIVATE_HOSTS": site.authority, "WEB_REQUESTS_PER_SECOND": "50"}
    with running_api(database_urls, **variables) as api:
        vars(api.container).update(
            object_store=InMemoryObjectStore(FixedClock(api.clock.now())), vector_store=InMemoryVectorStore()
        )
        account = api.register()
        yield Client(api, account, api.bot(account)["id"])


def test_a_site_is_read_looked_at_and_deleted(client: Client, site: Site) -> None:
    site.html("/", "Home.", "/a", "/missing")
    site.html("/a", "Page A.")

    made = client.ask("POST", "/sources", {"kind": "crawl", "url": site.url("/#top"), "max_depth": 1})
    assert (made.status, made.json["source"]["status"]) == (202, "syncing")
    source = made.json["source"]
    client.fetch()

    path = f"/sources/{source['id']}"
    shown = client.ask("GET", path).json
    assert (shown["status"], shown["url"], shown["is_complete"]) == ("synced", site.url("/"), True)
    assert shown["pages"] == {"waiting": 0, "fetched": 2, "failed": 0, "skipped": 0, "gone": 1}
    assert client.ask("GET", "/sources").json["data"] == [shown]
    pages = client.ask("GET", f"{path}/pages", query={"status": ["gone"]}).json["data"]
    assert [(page["url"], page["error_code"]) for page in pages] == [(site.url("/missing"), "url_not_found")]
    documents = client.ask("GET", "/documents").json["data"]
    assert {document["url"] for document in documents} == {site.url("/"), site.url("/a")}

    changed = client.ask("PATCH", path, {"resync_minutes": 60, "max_pages": 7}).json
    assert (changed["max_pages"], changed["max_depth"], changed["next_sync_at"] is not None) == (7, 1, True)
    assert client.ask("PATCH", path, {"resync_minutes": None}).json["next_sync_at"] is None

    assert client.ask("POST", f"{path}/sync").status == 202
    assert client.ask("POST", f"{path}/sync").code == "source_in_progress"
    client.fetch()

    assert client.ask("DELETE", path).status == 204
    client.fetch()
    assert client.ask("GET", path).status == 404
    assert client.ask("GET", "/documents").json["data"] == []
    assert client.ask("DELETE", path).status == 404


def test_a_page_is_a_document_from_the_start(client: Client, site: Site) -> None:
    site.html("/plans", "Plans.")
    body = {"url": site.url("/plans"), "name": "plans.html", "metadata": {"team": "sales"}, "tags": ["web"]}

    accepted = client.ask("POST", "/documents", body)
    assert (accepted.status, accepted.json["outcome"]) == (202, "created")
    document = accepted.json["document"]
    assert (document["stage"], document["source"], document["url"]) == ("fetch", "url", site.url("/plans"))
    assert (document["metadata"], document["tags"]) == ({"team": "sales"}, ["web"])
    assert client.ask("GET", f"/documents/{document['id']}").json == document

    client.fetch()
    assert client.ask("GET", f"/documents/{document['id']}").json["stage"] == "extract"
    assert client.ask("POST", "/documents", body).json["outcome"] == "replaced"
    assert client.ask("POST", "/documents", {"url": site.url("/plans")}).code == "source_exists"
    assert client.ask("GET", "/sources").json["data"][0]["kind"] == "page"


def test_a_request_with_a_key_makes_one_source(client: Client, site: Site) -> None:
    body, headers = {"kind": "sitemap", "url": site.url("/sitemap.xml")}, {"Idempotency-Key": "once"}

    first, second = (client.ask("POST", "/sources", body, headers=headers) for _ in range(2))

    assert (first.status, first.json) == (second.status, second.json) == (202, first.json)
    assert client.ask("POST", "/sources", body).code == "source_exists"


NOT_VALID = [
    ({}, "invalid_request"),
    ({"kind": "page"}, "invalid_request"),
    ({"kind": "everything", "url": "https://example.com/"}, "invalid_request"),
    ({"kind": "page", "url": "https://example.com/", "max_pages": 2}, "invalid_request"),
    ({"kind": "sitemap", "url": "https://example.com/", "max_depth": 2}, "invalid_request"),
    ({"kind": "crawl", "url": "https://example.com/", "max_pages": 0}, "invalid_request"),
    ({"kind": "crawl", "url": "https://example.com/", "max_pages": 10**9}, "invalid_request"),
    ({"kind": "crawl", "url": "https://example.com/", "resync_minutes": 1}, "invalid_request"),
    ({"kind": "crawl", "url": "x" * 2001}, "invalid_request"),
    ({"kind": "crawl", "url": "not a url"}, "url_not_allowed"),
    ({"kind": "crawl", "url": "http://localhost:8000/"}, "url_not_allowed"),
    ({"kind": "page", "url": "http://[::ffff:169.254.169.254]/"}, "url_not_allowed"),
]


def test_a_request_that_cannot_be_is_refused(client: Client) -> None:
    for body, code in NOT_VALID:
        answer = client.ask("POST", "/sources", body)
        assert (answer.status, answer.code) == (422, code), body
    assert client.ask("GET", "/sources").json["data"] == []
    assert client.ask("GET", "/documents").json["data"] == []


def test_an_archived_bot_reads_nothing(client: Client, site: Site) -> None:
    source = client.ask("POST", "/sources", {"kind": "crawl", "url": site.url("/")}).json["source"]
    assert client.ask("POST", "/archive").status == 200
    client.fetch()

    for path, body in (
        ("/sources", {"kind": "page", "url": site.url("/a")}),
        ("/documents", {"url": site.url("/a")}),
        (f"/sources/{source['id']}/sync", None),
    ):
        assert client.ask("POST", path, body).code == "bot_archived"
    assert site.requests == []
