"""DOCX: an own reader of the document's XML, paragraph by paragraph.

The main part is streamed, so memory does not grow with the document. Page headers and footers, comments,
deletions and tables of contents are left out.
"""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import IO

from chatsphere.errors import CorruptDocumentError
from chatsphere.knowledge.extraction.docx_body import BodyReader
from chatsphere.knowledge.extraction.docx_numbering import Labels
from chatsphere.knowledge.extraction.docx_package import Package, damage_reported
from chatsphere.knowledge.extraction.docx_styles import Styles
from chatsphere.knowledge.extraction.limits import ExtractionLimits
from chatsphere.knowledge.extraction.parsed import Parsed
from chatsphere.knowledge.extraction.xml import Element, discard, iterate, local
from chatsphere.knowledge.text import Block, BlockKind

_LIST_CHARS = 8_000
_TRANSPARENT = frozenset(("sdtContent", "sdt", "customXml", "ins", "moveTo"))


def parse(path: Path, limits: ExtractionLimits) -> Parsed:
    """Read a DOCX."""
    with Package(path, limits) as package:
        properties = package.xml("docProps/core.xml")
        title = None if properties is None else properties.findtext("{*}title")
    return Parsed(_blocks(path, limits), title=title)


def _blocks(path: Path, limits: ExtractionLimits) -> Iterator[Block]:
    with Package(path, limits) as package:
        reader = BodyReader(
            styles=Styles.read(package.xml(package.beside_main("styles.xml"))),
            labels=Labels(package.xml(package.beside_main("numbering.xml"))),
            notes={
                "footnote": package.xml(package.beside_main("footnotes.xml")),
                "endnote": package.xml(package.beside_main("endnotes.xml")),
            },
        )
        stream = package.open(package.main)
        if stream is None:
            raise CorruptDocumentError
        with damage_reported():
            yield from _join_lists(_body(reader, stream))


def _body(reader: BodyReader, stream: IO[bytes]) -> Iterator[Block]:
    for element in iterate(stream):
        name = local(element)
        if name in ("p", "tbl") and _is_top(element):
            yield from reader.table(element) if name == "tbl" else reader.paragraph(element)
            discard(element)


def _is_top(element: Element) -> bool:
    parent = element.getparent()
    while parent is not None and local(parent) in _TRANSPARENT:
        parent = parent.getparent()
    return parent is not None and local(parent) == "body"


def _join_lists(blocks: Iterator[Block]) -> Iterator[Block]:
    """Join the items of a list, which come one by one, into blocks."""
    for (kind, path), members in groupby(blocks, key=lambda block: (block.kind, block.heading_path)):
        if kind is not BlockKind.LIST:
            yield from members
            continue
        lines: list[str] = []
        for item in members:
            if sum(map(len, lines)) > _LIST_CHARS:
                yield Block("\n".join(lines), kind, heading_path=path)
                lines = []
            lines.append(item.text)
        yield Block("\n".join(lines), kind, heading_path=path)
