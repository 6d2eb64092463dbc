"""The container of an EPUB: which pages it has, in which order, and how its table of contents names them."""

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

from chatsphere.errors import (
    CorruptDocumentError,
    DocumentError,
    DocumentTooLargeError,
    EncryptedDocumentError,
    TypeMismatchError,
)
from chatsphere.knowledge.extraction.limits import ExtractionLimits
from chatsphere.knowledge.extraction.source import Source
from chatsphere.knowledge.extraction.xml import Element, local
from chatsphere.knowledge.extraction.zip_archive import Archive

_PAGE_TYPES: Final = frozenset(
    {"application/xhtml+xml", "text/html", "application/x-dtbook+xml", "text/x-oeb1-document"}
)
# Fonts are obfuscated by these; everything else that is encrypted is so for the right to read it.
_FONT_ALGORITHMS: Final = frozenset({"http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC"})
_GUIDE_PAGES: Final = frozenset({"toc", "cover", "title-page-image", "loi", "lot"})


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the table of contents; level 1 is the outermost."""

    title: str
    level: int


class EpubPackage(Archive):
    """An open EPUB. `pages` are the names of its parts in reading order."""

    def __init__(self, source: Source, limits: ExtractionLimits) -> None:
        super().__init__(source, limits)
        self._opf_name, self._opf = self._find_opf()
        self._items = {item.get("id"): item for item in self._opf.iterfind("{*}manifest/{*}item")}
        self.pages = self._find_pages()
        self._refuse(limits)

    @property
    def title(self) -> str | None:
        """The book's title."""
        found = self._opf.findtext("{*}metadata/{*}title") or self._opf.findtext("{*}metadata/{*}dc-metadata/{*}Title")
        return None if found is None else str(found)

    def listings(self) -> set[str]:
        """The pages that the book calls its cover, its table of contents or a list of figures."""
        references = self._opf.iterfind("{*}guide/{*}reference")
        return {
            self.resolve(self._opf_name, one.get("href"))
            for one in references
            if (one.get("type") or "").lower() in _GUIDE_PAGES
        }

    def contents(self) -> dict[str, Entry]:
        """The first line of the table of contents for each page; empty where the table is missing or broken."""
        try:
            found = list(self._navigation()) or list(self._ncx())
        except DocumentError:
            return {}
        return dict(reversed(found))

    def resolve(self, base: str, href: str | None) -> str:
        """The name of the part that a reference in another part leads to; empty where it leads outside."""
        parts = urlsplit(href or "")
        name = posixpath.normpath(posixpath.join(posixpath.dirname(base), unquote(parts.path)))
        outside = parts.scheme or parts.netloc or not parts.path or name.startswith("..")
        return "" if outside else name.lstrip("/").lower()

    def _find_opf(self) -> tuple[str, Element]:
        container = self.xml("META-INF/container.xml")
        if container is None:
            raise TypeMismatchError
        for rootfile in container.iter("{*}rootfile"):
            name = rootfile.get("full-path") or ""
            opf = self.xml(name, doctype=True)
            if opf is not None:
                return name, opf
        raise CorruptDocumentError

    def _find_pages(self) -> list[str]:
        """The spine's pages that exist; where there is no spine, those of the manifest."""
        spine = [self._items.get(item.get("idref")) for item in self._opf.iterfind("{*}spine/{*}itemref")]
        listed = [item for item in (spine or self._items.values()) if item is not None and _is_page(item)]
        names = [self.resolve(self._opf_name, item.get("href")) for item in listed if not _is_navigation(item)]
        pages = list(dict.fromkeys(name for name in names if name and name in self))
        if not pages:
            raise CorruptDocumentError
        return pages

    def _refuse(self, limits: ExtractionLimits) -> None:
        """Refuse a book whose pages are encrypted, or too large together."""
        encryption = self.xml("META-INF/encryption.xml")
        if encryption is not None:
            encrypted = set(_encrypted_parts(encryption))
            if not encrypted.isdisjoint(self.pages):
                raise EncryptedDocumentError
        if sum(map(self.size, self.pages)) > limits.max_unpacked_bytes:
            raise DocumentTooLargeError

    def _navigation(self) -> Iterator[tuple[str, Entry]]:
        """The table of contents of EPUB 3."""
        item = next(filter(_is_navigation, self._items.values()), None)
        if item is None:
            return
        name = self.resolve(self._opf_name, item.get("href"))
        page = self.xml(name, doctype=True)
        for nav in () if page is None else page.iter("{*}nav"):
            if "toc" in (nav.get("{http://www.idpf.org/2007/ops}type") or "").split():
                for link in nav.iter("{*}a"):
                    level = sum(local(above) == "ol" for above in link.iterancestors())
                    yield self.resolve(name, link.get("href")), Entry(" ".join("".join(link.itertext()).split()), level)

    def _ncx(self) -> Iterator[tuple[str, Entry]]:
        """The table of contents of EPUB 2."""
        for item in self._items.values():
            if item.get("media-type") == "application/x-dtbncx+xml":
                name = self.resolve(self._opf_name, item.get("href"))
                ncx = self.xml(name, doctype=True)
                for point in () if ncx is None else ncx.iter("{*}navPoint"):
                    level = sum(local(above) == "navPoint" for above in point.iterancestors()) + 1
                    target, title = point.find("{*}content"), point.findtext("{*}navLabel/{*}text") or ""
                    if target is not None:
                        yield self.resolve(name, target.get("src")), Entry(" ".join(title.split()), level)


def _is_page(item: Element) -> bool:
    return (item.get("media-type") or "").strip().lower() in _PAGE_TYPES


def _is_navigation(item: Element) -> bool:
    return "nav" in (item.get("properties") or "").split()


def _encrypted_parts(encryption: Element) -> Iterator[str]:
    """The parts that need a key; the file's addresses start at the root of the container."""
    for data in encryption.iter("{*}EncryptedData"):
        method, reference = data.find("{*}EncryptionMethod"), data.find(".//{*}CipherReference")
        algorithm = None if method is None else method.get("Algorithm")
        if reference is not None and algorithm not in _FONT_ALGORITHMS:
            yield posixpath.normpath(unquote(reference.get("URI") or "")).lstrip("/").lower()
