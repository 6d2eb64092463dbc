"""One page of a synchronisation: fetched, judged, and its document kept in step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from chatsphere.errors import DocumentError, WebError
from chatsphere.knowledge.ingestion.messages import PurgeMessage
from chatsphere.knowledge.ingestion.object_keys import ObjectKey
from chatsphere.knowledge.web.errors import UrlNotFoundError
from chatsphere.knowledge.web.hosts import Budget, Hosts
from chatsphere.knowledge.web.leases import Step
from chatsphere.knowledge.web.names import document_name
from chatsphere.knowledge.web.page_documents import Content, PageDocuments
from chatsphere.knowledge.web.reading import Reading, are_kept, is_html, read, read_list
from chatsphere.knowledge.web.urls import WebUrl
from chatsphere.knowledge.web.visiting import NOTHING_KNOWN, Validators, Visit, visit


@dataclass(frozen=True, slots=True)
class ListedPage:
    """A row of `NEXT_PAGE`."""

    id: UUID
    kind: str
    url: str
    depth: int
    status: str
    is_excluded: bool
    attempts: int
    not_before: datetime | None
    document_id: UUID | None
    etag: str | None
    last_modified: str | None
    sha256: str | None
    links: Sequence[str]

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """Read the row."""
        return cls(**row)


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of a page. `pages` and `sitemaps` were found on it, `twins` are what it is a copy of."""

    status: str
    document_id: UUID | None = None
    error: DocumentError | None = None
    validators: Validators = NOTHING_KNOWN
    sha256: str | None = None
    links: Sequence[str] = ()
    pages: Sequence[WebUrl] = ()
    sitemaps: Sequence[WebUrl] = ()
    twins: Sequence[WebUrl] = ()
    purge: PurgeMessage | None = None


@dataclass(frozen=True, slots=True)
class Pages:
    """Brings pages to an end, one at a time."""

    hosts: Hosts
    documents: PageDocuments

    def fetch(self, step: Step, page: ListedPage) -> Ended:
        """Fetch a page or sitemap and let its document follow.

        Raises:
            WebError: it cannot be fetched, for now or for good; its document stays as it is.
            NotItsTurnError: its host is to be left alone for a while.
            NotNowError, UnavailableError: something of our own does not answer.
        """
        organization_id = step.message.organization_id
        private = self.hosts.settings.private_hosts
        start = WebUrl.parse(page.url, private)
        budget = Budget.of(self.hosts.settings.web_total_seconds)
        visited = visit(
            self.hosts,
            organization_id,
            start,
            self._validators(organization_id, page),
            leaves_host=step.is_one_page,
            budget=budget,
        )
        if visited.is_unchanged:
            return self._unchanged(step, page)
        if page.kind == "sitemap":
            found = read_list(visited, private)
            return Ended("fetched", pages=found.links, sitemaps=found.sitemaps)
        reading = read(visited, start, alone=step.is_one_page, private_hosts=private)
        if reading.twin is not None and self.documents.is_copy(step, str(reading.twin)):
            # Two pages that name each other: the second one stays, or neither would.
            reading = replace(reading, twin=None, skip=None)
        return self._changed(step, start, page, visited, reading)

    def gone(self, step: Step, page: ListedPage, error: WebError) -> Ended:
        """There is no such page (any more), or it wants to be no document: what was made of it goes."""
        status = "gone" if isinstance(error, UrlNotFoundError) else "skipped"
        return self._without_document(step, page, Ended(status, error=error))

    def failed(self, step: Step, page: ListedPage, error: DocumentError) -> Ended:
        """The page could not be fetched: what was fetched before stays."""
        if page.document_id is not None:
            self.documents.fail_unfetched(step.message.organization_id, page.document_id, error)
        known = Validators(page.etag, page.last_modified)
        return Ended("failed", page.document_id, error, known, page.sha256, page.links)

    def _changed(self, step: Step, start: WebUrl, page: ListedPage, visited: Visit, reading: Reading) -> Ended:
        follows = page.depth < step.depth_followed
        links = reading.links if follows else ()
        if reading.skip is not None or page.is_excluded:
            twins = (reading.twin,) if reading.twin is not None and not page.is_excluded else ()
            skipped = Ended("skipped", error=reading.skip, pages=links, twins=twins)
            return self._without_document(step, page, skipped)
        name = step.name or document_name(start)
        key = ObjectKey(step.message.organization_id, step.message.bot_id, name)
        content = Content(
            visited.url,
            visited.answer.content_type or "",
            visited.answer.body,
            reading.sha256,
            is_html=is_html(visited),
            was_fetched_before=page.sha256 == reading.sha256,
        )
        document_id = self.documents.keep(step, page.id, key, content)
        kept = are_kept(links)
        return Ended(
            "fetched",
            document_id,
            validators=Validators(visited.answer.etag, visited.answer.last_modified) if kept else NOTHING_KNOWN,
            sha256=reading.sha256,
            links=[str(link) for link in links] if kept else (),
            pages=links,
        )

    def _unchanged(self, step: Step, page: ListedPage) -> Ended:
        private = self.hosts.settings.private_hosts
        links = [WebUrl.parse(link, private) for link in page.links] if page.depth < step.depth_followed else []
        known = Validators(page.etag, page.last_modified)
        return Ended("fetched", page.document_id, None, known, page.sha256, page.links, links)

    def _without_document(self, step: Step, page: ListedPage, ended: Ended) -> Ended:
        if page.document_id is None:
            return ended
        if step.is_one_page and ended.error is not None:
            organization_id = step.message.organization_id
            if self.documents.fail_unfetched(organization_id, page.document_id, ended.error):
                return replace(ended, document_id=page.document_id)
        purge = self.documents.remove(step.message.namespace, page.id, page.document_id)
        return replace(ended, purge=purge)

    def _validators(self, organization_id: UUID, page: ListedPage) -> Validators:
        if page.status == "fetched" and self.documents.is_kept(organization_id, page.document_id):
            return Validators(page.etag, page.last_modified)
        return NOTHING_KNOWN
