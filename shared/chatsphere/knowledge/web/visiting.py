"""Fetching one page: its host's rules first, then the request, and one redirect after the other."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from chatsphere.errors import UrlNotAllowedError
from chatsphere.knowledge.web.errors import (
    RedirectError,
    RobotsDisallowedError,
    UrlFailedError,
    UrlNotFoundError,
    UrlRefusedError,
)
from chatsphere.knowledge.web.hosts import REDIRECTS, Budget, Hosts
from chatsphere.knowledge.web.urls import WebUrl
from chatsphere.ports.web import WebAnswer

NOT_MODIFIED: Final = 304


@dataclass(frozen=True, slots=True)
class Validators:
    """What a server gave with a page, so that one may ask whether it has changed."""

    etag: str | None = None
    last_modified: str | None = None


NOTHING_KNOWN: Final = Validators()


@dataclass(frozen=True, slots=True)
class Visit:
    """A page that was fetched (2xx), or has not changed: then the answer has no body. `url` is where it was found."""

    url: WebUrl
    answer: WebAnswer

    @property
    def is_unchanged(self) -> bool:
        """Whether the page is as it was."""
        return self.answer.status == NOT_MODIFIED


def visit(
    hosts: Hosts, organization_id: UUID, start: WebUrl, known: Validators, *, leaves_host: bool, budget: Budget
) -> Visit:
    """Fetch a page. `leaves_host`: redirects are followed to other hosts, too.

    Raises:
        NotItsTurnError: the host is to be left alone for a while.
        WebError: there is no such page (`UrlNotFoundError`), or it cannot be fetched, for good or for now.
    """
    url, seen = start, {start}
    private = hosts.settings.private_hosts
    for _ in range(hosts.settings.web_max_redirects + 1):
        robots = hosts.robots(organization_id, url, budget)
        if not robots.permits(url):
            raise RobotsDisallowedError
        asked = known if url == start else NOTHING_KNOWN
        answer = hosts.get(
            organization_id, url, budget, delay=robots.delay, etag=asked.etag, last_modified=asked.last_modified
        )
        if answer.status not in REDIRECTS:
            _require_page(answer, asked)
            return Visit(url, answer)
        target = url.join(answer.location, private) if answer.location else None
        if target is None:
            raise UrlNotAllowedError("The URL redirects to where nothing may be fetched.")
        if target in seen or not (leaves_host or target.is_near(start)):
            raise RedirectError
        seen.add(target)
        url = target
    raise RedirectError


def _require_page(answer: WebAnswer, asked: Validators) -> None:
    if 200 <= answer.status < 300 or (answer.status == NOT_MODIFIED and asked != NOTHING_KNOWN):
        return
    if answer.status in (404, 410):
        raise UrlNotFoundError
    if 400 <= answer.status < 500 and answer.status not in (408, 425, 429):
        raise UrlRefusedError
    raise UrlFailedError
