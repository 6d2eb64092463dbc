"""Sitemaps (sitemaps.org): lists of pages, lists of such lists, plain text, all of them packed or not."""

import io
import re
import zlib
from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from typing import Final

from chatsphere.errors import CorruptDocumentError
from chatsphere.knowledge.extraction.xml import discard, iterate, local
from chatsphere.knowledge.web.errors import NotASitemapError
from chatsphere.knowledge.web.urls import WebUrl

MAX_ENTRIES: Final = 50_000
"""The protocol permits no more in one file."""

MAX_ELEMENTS: Final = 20 * MAX_ENTRIES
"""Of an XML file; far more than entries with dates and pictures have."""

MAX_BYTES: Final = 50 * 1024 * 1024
"""The same, unpacked."""

_ENTRIES: Final = ("url", "sitemap")
_OVERLONG: Final = re.compile(rb"<[^<]{65536}")
"""A tag that takes far more memory than its bytes, or a text that no entry has."""

_ANY_ZLIB: Final = 32 + zlib.MAX_WBITS


@dataclass(slots=True)
class Sitemap:
    """The pages and further sitemaps on the sitemap's own host, in their order, each once."""

    pages: list[WebUrl] = field(default_factory=list)
    sitemaps: list[WebUrl] = field(default_factory=list)


def read_sitemap(body: bytes, url: WebUrl, private_hosts: Set[str]) -> Sitemap:
    """Read the sitemap that was found at `url`.

    Raises:
        NotASitemapError: it is none, is damaged, or holds what attacks need and sitemaps do not: a document type.
    """
    if body.startswith(b"\x1f\x8b"):
        body = _unpacked(body)
    found, seen = Sitemap(), {url}
    entries = _xml_entries(body) if body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") else _text_entries(body)
    for number, (parent, text) in enumerate(entries):
        if number >= MAX_ENTRIES:
            break
        target = url.join(text, private_hosts)
        if target is None or target in seen or not target.is_near(url):
            continue
        seen.add(target)
        (found.sitemaps if parent == "sitemap" else found.pages).append(target)
    return found


def _xml_entries(body: bytes) -> Iterator[tuple[str, str]]:
    if _OVERLONG.search(body):
        raise NotASitemapError
    try:
        for number, element in enumerate(iterate(io.BytesIO(body), encoding="utf-8")):
            name = local(element)
            parent = element.getparent()
            if number >= MAX_ELEMENTS or (parent is None and name not in ("urlset", "sitemapindex")):
                raise NotASitemapError
            if name == "loc" and parent is not None and local(parent) in _ENTRIES:
                yield local(parent), element.text or ""
            discard(element)
    except CorruptDocumentError:
        raise NotASitemapError from None


def _text_entries(body: bytes) -> Iterator[tuple[str, str]]:
    lines = body.decode("utf-8-sig", "replace").split()
    if not lines or not all(line.startswith(("http://", "https://")) for line in lines[:10]):
        raise NotASitemapError
    for line in lines:
        yield "url", line


def _unpacked(packed: bytes) -> bytes:
    unpacker = zlib.decompressobj(_ANY_ZLIB)
    try:
        body = unpacker.decompress(packed, MAX_BYTES + 1)
    except zlib.error:
        raise NotASitemapError from None
    if len(body) > MAX_BYTES or not unpacker.eof:
        raise NotASitemapError
    return body
