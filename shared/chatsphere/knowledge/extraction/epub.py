"""EPUB: the pages of the book in the order of its spine, as one text under one outline.

An e-book has no pages that stay the same, so a passage's place is its chapter: the headings it stands under.
"""

from collections.abc import Iterator

from chatsphere.errors import CorruptDocumentError
from chatsphere.knowledge.extraction.epub_package import Entry, EpubPackage
from chatsphere.knowledge.extraction.html import read_page
from chatsphere.knowledge.extraction.html_sections import blocks_of
from chatsphere.knowledge.extraction.html_text import Piece
from chatsphere.knowledge.extraction.limits import ExtractionLimits
from chatsphere.knowledge.extraction.parsed import Outline, Parsed
from chatsphere.knowledge.extraction.source import MemoryFile, Source
from chatsphere.knowledge.extraction.zip_archive import damage_reported
from chatsphere.knowledge.text import Block, BlockKind

_LISTING_SHARE = 0.6
"""A page that the book calls its table of contents is one if this much of its text is links."""


def parse(source: Source, limits: ExtractionLimits) -> Parsed:
    """Read an EPUB."""
    with EpubPackage(source, limits) as package:
        title = package.title
    return Parsed(_blocks(source, limits), title=title)


def _blocks(source: Source, limits: ExtractionLimits) -> Iterator[Block]:
    with EpubPackage(source, limits) as package:
        contents, listings, outline = package.contents(), package.listings(), Outline()
        broken = 0
        for name in package.pages:
            try:
                pieces = _pieces(package, name)
            except CorruptDocumentError:  # one damaged page leaves the others to be read
                broken += 1
                continue
            if not (name in listings and _is_listing(pieces)):
                yield from _page(pieces, contents.get(name), outline)
        if broken == len(package.pages):
            raise CorruptDocumentError


def _pieces(package: EpubPackage, name: str) -> list[Piece]:
    stream = package.open(name)
    if stream is None:
        raise CorruptDocumentError
    with damage_reported():
        return read_page(MemoryFile(stream.read())).text.pieces


def _page(pieces: list[Piece], entry: Entry | None, outline: Outline) -> Iterator[Block]:
    """Yield a page's blocks; where it has no heading, under the one that the table of contents gives it."""
    if entry and entry.title and pieces and not any(piece.kind is BlockKind.HEADING for piece in pieces):
        path = outline.enter(entry.level, entry.title)
        yield Block(path[-1], BlockKind.HEADING, heading_path=path)
        if " ".join(pieces[0].text.split()).casefold() == entry.title.casefold():
            pieces = pieces[1:]  # the heading, set as a paragraph
    yield from blocks_of(pieces, outline)


def _is_listing(pieces: list[Piece]) -> bool:
    whole = sum(len(piece.text) for piece in pieces)
    return sum(piece.linked for piece in pieces) >= _LISTING_SHARE * whole
