"""What a fetched page is worth: whether it becomes a document, and where it leads."""

import hashlib
from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import Final

from chatsphere.errors import WebError
from chatsphere.knowledge.web.errors import DuplicatePageError, NoIndexError, NotReadableError
from chatsphere.knowledge.web.links import PageFacts, read_page
from chatsphere.knowledge.web.robots import page_rules
from chatsphere.knowledge.web.sitemaps import read_sitemap
from chatsphere.knowledge.web.urls import WebUrl
from chatsphere.knowledge.web.visiting import Visit

MAX_KEPT_LINKS: Final = 32 * 1024
"""Characters of links that are remembered of a page; one with more is fetched anew each time."""

_HTML: Final = frozenset({"text/html", "application/xhtml+xml"})
_NOT_TEXT: Final = ("image/", "audio/", "video/", "font/")
_NOT_READ: Final = frozenset(
    {
        "text/css",
        "text/javascript",
        "application/javascript",
        "application/x-javascript",
        "application/zip",
        "application/gzip",
        "application/x-gzip",
        "application/x-tar",
        "application/wasm",
        "application/vnd.ms-fontobject",
        "application/rss+xml",
        "application/atom+xml",
    }
)


@dataclass(frozen=True, slots=True)
class Reading:
    """`skip` says why the page becomes no document; `links` are where it leads; `twin` is what it is a copy of."""

    links: Sequence[WebUrl] = ()
    sitemaps: Sequence[WebUrl] = ()
    twin: WebUrl | None = None
    skip: WebError | None = None
    sha256: str = ""


def read(visit: Visit, asked: WebUrl, *, alone: bool, private_hosts: Set[str]) -> Reading:
    """Judge a page that was asked for as `asked`. `alone`: it is the only one of its source, and thus wanted."""
    facts = _facts(visit, private_hosts)
    rules = facts.rules & page_rules(visit.answer.robots)
    links = tuple(facts.links) if rules.follow else ()
    sha256 = hashlib.sha256(visit.answer.body).hexdigest()
    if not rules.index:
        return Reading(links, skip=NoIndexError(), sha256=sha256)
    if not alone:
        twin = facts.canonical if facts.canonical not in (None, asked) else None
        if visit.url != asked:
            twin = visit.url
        if twin is not None:
            return Reading(links, twin=twin, skip=DuplicatePageError(), sha256=sha256)
        if not _is_readable(visit):
            return Reading(skip=NotReadableError(), sha256=sha256)
    return Reading(links, sha256=sha256)


def read_list(visit: Visit, private_hosts: Set[str]) -> Reading:
    """Read a sitemap.

    Raises:
        NotASitemapError: it is none.
    """
    found = read_sitemap(visit.answer.body, visit.url, private_hosts)
    return Reading(tuple(found.pages), tuple(found.sitemaps))


def are_kept(links: Sequence[WebUrl]) -> bool:
    """Return whether a page's links are few enough to be remembered."""
    return sum(len(str(link)) for link in links) <= MAX_KEPT_LINKS


def is_html(visit: Visit) -> bool:
    """Return whether the server says that it is a web page."""
    return _media_type(visit) in _HTML


def _media_type(visit: Visit) -> str:
    """Return the declared type without its parameters; empty where none was declared."""
    return (visit.answer.content_type or "").partition(";")[0].strip().lower()


def _facts(visit: Visit, private_hosts: Set[str]) -> PageFacts:
    declared = _media_type(visit)
    if is_html(visit) or (not declared and visit.answer.body.lstrip()[:1] == b"<"):
        return read_page(visit.answer.body, visit.url, private_hosts)
    return PageFacts()


def _is_readable(visit: Visit) -> bool:
    declared = _media_type(visit)
    return bool(visit.answer.body.strip()) and not declared.startswith(_NOT_TEXT) and declared not in _NOT_READ
