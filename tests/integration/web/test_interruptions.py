"""Messages that come twice or never, workers that die, hosts that want to be left alone."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from chatsphere.errors import UnavailableError
from chatsphere.knowledge.web.times import STEP_LEASE
from chatsphere.ports.web import PageFetcher, WebAnswer
from chatsphere.queue_batches import Delivery, NotNowError
from tests.integration.ingestion.pipeline import WorkerKilled
from tests.integration.web.harness import WebIngestion
from tests.loopback.web_site import Site, SitePage


class DyingFetcher:
    """Kills its worker instead of asking."""

    def fetch(self, url: str, **_: Any) -> WebAnswer:
        raise WorkerKilled


@dataclass
class Interrupted:
    """Has something happen when the page `/a` was fetched, and nothing of it is kept yet."""

    fetcher: PageFetcher
    happens: Callable[[], object]

    def fetch(self, url: str, **named: Any) -> WebAnswer:
        answer = self.fetcher.fetch(url, **named)
        if url.endswith("/a"):
            self.happens()
        return answer


def small_site(site: Site) -> None:
    site.html("/", "Home.", "/a")
    site.html("/a", "Page A.")


def test_messages_that_come_twice_ask_for_nothing_twice(web: WebIngestion, site: Site) -> None:
    small_site(site)
    web.add("crawl", "/")

    while web.fetch_queue.messages:
        message = web.fetch_queue.messages[0]
        web.step_once()
        web.step(Delivery(message, 2))

    assert web.names() == {"/(index)", "/a"}
    assert [path for path, _ in site.requests] == ["/robots.txt", "/", "/a"]


def test_a_lost_message_is_sent_again(web: WebIngestion, site: Site) -> None:
    small_site(site)
    web.add("crawl", "/")
    web.step_once()
    web.fetch_queue.messages.clear()
    web.fetch_queue.delays.clear()

    web.reap()
    assert not web.fetch_queue.messages
    web.let_pass(200)
    web.reap()
    web.run()

    assert web.names() == {"/(index)", "/a"}


def test_a_message_that_was_never_accepted_is_sent_again(web: WebIngestion, site: Site) -> None:
    small_site(site)
    web.fetch_queue.failures = 1
    web.add("crawl", "/")
    assert not web.fetch_queue.messages

    web.let_pass(200)
    web.reap()
    web.run()

    assert web.names() == {"/(index)", "/a"}


def test_a_worker_that_died_is_replaced_by_its_own_message(web: WebIngestion, site: Site) -> None:
    small_site(site)
    web.add("crawl", "/")
    message = Delivery(web.fetch_queue.messages[0], 1)
    with pytest.raises(WorkerKilled):
        replace(web, fetcher=DyingFetcher()).step_once()

    with pytest.raises(NotNowError):
        web.step(message)
    web.pipeline.clock.advance(STEP_LEASE)
    web.step(message)
    web.run()

    assert web.names() == {"/(index)", "/a"}


def test_a_worker_that_died_with_its_message_is_replaced_by_the_reaper(web: WebIngestion, site: Site) -> None:
    small_site(site)
    web.add("crawl", "/")
    with pytest.raises(WorkerKilled):
        replace(web, fetcher=DyingFetcher()).step_once()

    web.let_pass(200)
    web.reap()
    web.run()

    assert web.names() == {"/(index)", "/a"}


@pytest.mark.parametrize("queue", ["extract_queue", "fetch_queue"])
def test_an_outage_of_our_own_is_made_up_for_by_the_same_message(web: WebIngestion, site: Site, queue: str) -> None:
    small_site(site)
    web.add("crawl", "/")
    message = Delivery(web.fetch_queue.messages[0], 1)
    failing = web.fetch_queue if queue == "fetch_queue" else web.pipeline.extract_queue
    failing.failures = 1

    with pytest.raises(UnavailableError):
        web.step_once()
    web.step(message)
    web.run()

    assert web.names() == {"/(index)", "/a"}
    assert all(row["status"] == "registered" for row in web.pipeline.documents())


def test_a_page_that_kills_every_worker_is_given_up(web: WebIngestion, site: Site) -> None:
    small_site(site)
    source = web.add("crawl", "/")
    dying = replace(web, fetcher=DyingFetcher())
    for _ in range(5):
        with pytest.raises(WorkerKilled):
            dying.step_once()
        web.let_pass(200)
        web.reap()

    web.run()

    assert (web.source(source.id).status, web.source(source.id).error_code) == ("failed", "internal_error")


def test_requests_to_a_host_keep_their_distance_across_sources(make_web: Any, site: Site) -> None:
    web = make_web(web_requests_per_second=0.5)
    small_site(site)
    site.html("/b", "Page B.")
    web.add("crawl", "/")
    web.add("crawl", "/b")
    start = web.pipeline.clock.now()

    web.run()

    asked = [path for path, _ in site.requests]
    assert sorted(asked) == ["/", "/a", "/b", "/robots.txt"]
    assert web.pipeline.clock.now() - start >= timedelta(seconds=(len(asked) - 1) * 2)


def test_retry_after_is_waited_for(web: WebIngestion, site: Site) -> None:
    site.html("/", "Home.")
    answers = iter([SitePage(status=429, headers={"Retry-After": "600"}), site.pages.pop("/")])
    site.generate = lambda path: next(answers) if path == "/" else None
    source = web.add("crawl", "/")
    start = web.pipeline.clock.now()

    web.run()

    assert web.names() == {"/(index)"}
    assert web.source(source.id).status == "synced"
    assert timedelta(seconds=600) <= web.pipeline.clock.now() - start < timedelta(seconds=700)


def test_a_host_that_goes_down_is_not_asked_for_every_page(web: WebIngestion, site: Site) -> None:
    site.html("/", "Home.", *(f"/{number}" for number in range(40)))
    site.generate = lambda path: None if path == "/robots.txt" else SitePage(status=500)
    source = web.add("crawl", "/")

    web.run()

    assert len(site.requests) < 15
    assert (web.source(source.id).status, web.source(source.id).error_code) == ("failed", "url_unreachable")
    assert not web.source(source.id).is_complete


def test_a_page_deleted_while_it_is_fetched_stays_deleted(web: WebIngestion, site: Site) -> None:
    site.html("/a", "Page A.")
    web.add_page("/a")
    web.step_once()
    web.delete_document(f"http:{site.authority}/a")

    web.run()
    web.pipeline.run()

    assert web.names() == set()


def test_a_page_fetched_while_its_document_is_deleted_makes_no_other(web: WebIngestion, site: Site) -> None:
    site.html("/a", "Page A.")
    document, _ = web.add_page("/a")
    web.fetcher = Interrupted(web.fetcher, lambda: web.delete_document(document.name))

    with pytest.raises(NotNowError):
        web.run()

    assert web.run() == 0
    web.pipeline.run()
    assert web.names() == set()


def test_a_page_stored_while_its_document_is_deleted_is_taken_back(web: WebIngestion, site: Site) -> None:
    site.html("/a", "Page A.")
    document, _ = web.add_page("/a")
    put = web.pipeline.objects.put

    def deleted_meanwhile(*arguments: Any, **named: Any) -> Any:
        web.delete_document(document.name)
        return put(*arguments, **named)

    web.pipeline.objects.put = deleted_meanwhile

    with pytest.raises(NotNowError):
        web.run()

    web.pipeline.run()
    assert web.names() == set()
    assert web.pipeline.objects.versions(web.pipeline.key(document.name)) == []


def test_a_page_fetched_while_its_source_is_deleted_leaves_no_document(web: WebIngestion, site: Site) -> None:
    small_site(site)
    source = web.add("crawl", "/")
    web.fetcher = Interrupted(web.fetcher, lambda: web.sources.delete(source.id))

    with pytest.raises(NotNowError):
        web.run()

    web.ingest()
    assert web.names() == set()
