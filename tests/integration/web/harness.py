"""Web sources in one process: the real steps, adapter and database, a site on loopback, and the rest of ingestion."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from chatsphere.adapters.web import WebPages
from chatsphere.db.database import Connection
from chatsphere.knowledge.documents import Document
from chatsphere.knowledge.ingestion.messages import PurgeMessage
from chatsphere.knowledge.web.hosts import Hosts
from chatsphere.knowledge.web.messages import FetchMessage
from chatsphere.knowledge.web.page_documents import PageDocuments
from chatsphere.knowledge.web.pages import Pages
from chatsphere.knowledge.web.reviving import SourceReviver
from chatsphere.knowledge.web.sources import Source, SourcePage, get_source, web_pages
from chatsphere.knowledge.web.submitting import NewSource, Outcome, Sources
from chatsphere.knowledge.web.syncing import Synchroniser
from chatsphere.knowledge.web.urls import WebUrl
from chatsphere.ports.web import PageFetcher
from chatsphere.queue_batches import Delivery
from chatsphere.settings import WebSettings
from tests.fakes import InMemoryQueue
from tests.integration.ingestion.pipeline import Pipeline
from tests.loopback.web_site import Site

MAX_STEPS = 500


@dataclass
class WebIngestion:
    """One tenant's sources. Time passes only where a step waits for it."""

    pipeline: Pipeline
    site: Site
    settings: WebSettings
    fetch_queue: Any
    fetcher: PageFetcher

    @classmethod
    def of(cls, pipeline: Pipeline, site: Site, **settings: Any) -> "WebIngestion":
        chosen = WebSettings(
            web_private_hosts=site.authority,
            web_requests_per_second=settings.pop("web_requests_per_second", 50),
            web_total_seconds=settings.pop("web_total_seconds", 5),
            **settings,
        )
        return cls(pipeline, site, chosen, InMemoryQueue(), WebPages(chosen))

    @property
    def sources(self) -> Sources:
        p = self.pipeline
        return Sources(p.database, self.fetch_queue, p.clock, p.ids, p.namespace, p.tenant.user_id)

    @property
    def synchroniser(self) -> Synchroniser:
        p = self.pipeline
        documents = PageDocuments(p.database, p.objects, p.registrar, p.clock, p.ids)
        hosts = Hosts(p.database, self.fetcher, p.clock, self.settings, self.let_pass)
        return Synchroniser(
            p.database, Pages(hosts, documents), self.fetch_queue, p.purge_queue, p.clock, p.ids, lambda: 0.5
        )

    def let_pass(self, seconds: float) -> None:
        self.pipeline.clock.advance(timedelta(seconds=seconds))

    # ------------------------------------------------------------------------------------------- what people do

    def url(self, path: str) -> WebUrl:
        return WebUrl.parse(self.site.url(path), self.settings.private_hosts)

    def add(self, kind: str, path: str, **options: Any) -> Source:
        options.setdefault("max_pages", 1 if kind == "page" else 50)
        options.setdefault("max_depth", 3 if kind == "crawl" else 0)
        return self.sources.add(NewSource(kind, self.url(path), **options), lambda *_: None)

    def add_page(self, path: str, **options: Any) -> tuple[Document, Outcome]:
        kept: list[tuple[Document, Outcome]] = []

        def keep(_: Connection, document: Document, outcome: Outcome) -> None:
            kept.append((document, outcome))

        self.sources.add_page(NewSource("page", self.url(path), **options), keep)
        return kept[0]

    def delete_document(self, name: str) -> None:
        p = self.pipeline
        (document_id,) = [row["id"] for row in p.documents() if row["name"] == name]
        message = PurgeMessage(
            organization_id=p.tenant.organization_id, bot_id=p.tenant.bot_id, document_id=document_id
        )
        p.eraser.delete(message, p.purge_queue)

    # ----------------------------------------------------------------------------------------------- the stages

    def step(self, delivery: Delivery) -> None:
        self.synchroniser.step(FetchMessage.parse(delivery.body))

    def reap(self) -> None:
        """Look across tenants; what is sent for other tests' sources is for nobody."""
        p, everyones = self.pipeline, InMemoryQueue()
        SourceReviver(p.reaper_database, p.database, everyones, p.clock, p.ids).revive()
        for message, delay in zip(everyones.messages, everyones.delays, strict=True):
            if message["organization_id"] == str(p.tenant.organization_id):
                self.fetch_queue.send([message], group=str(p.tenant.bot_id), delay_seconds=delay)

    def step_once(self) -> None:
        """Make the next step when its message may be delivered."""
        message, delay = self.fetch_queue.messages.popleft(), self.fetch_queue.delays.pop(0)
        self.let_pass(delay)
        self.step(Delivery(message, 1))

    def run(self) -> int:
        """Make every step that is to be made, waiting where one has to; return how many there were."""
        steps = 0
        while self.fetch_queue.messages:
            steps += 1
            assert steps < MAX_STEPS, "a synchronisation does not end"
            self.step_once()
        return steps

    def ingest(self) -> None:
        """Synchronise, and let the rest of ingestion follow."""
        self.run()
        self.pipeline.run()

    # ----------------------------------------------------------------------------------------------- the outcome

    def source(self, source_id: UUID) -> Source:
        with self.pipeline.connection() as connection:
            return get_source(connection, self.pipeline.tenant.bot_id, source_id)

    def pages(self, source_id: UUID) -> dict[str, SourcePage]:
        """Pages by path."""
        with self.pipeline.connection() as connection:
            found = web_pages(connection, self.pipeline.tenant.bot_id, source_id, status=None, after=None, limit=1000)
        return {page.url.removeprefix(self.site.url("")): page for page in found}

    def statuses(self, source_id: UUID) -> dict[str, str]:
        return {path: page.error_code or page.status for path, page in self.pages(source_id).items()}

    def documents(self) -> dict[str, str]:
        """Stage of each document, by the path in its name; of those being deleted none is there any more."""
        prefix = f"http:{self.site.authority}"
        found = [row for row in self.pipeline.documents() if row["status"] != "deleting"]
        return {row["name"].removeprefix(prefix): row["stage"] for row in found}

    def names(self) -> set[str]:
        return set(self.documents())
