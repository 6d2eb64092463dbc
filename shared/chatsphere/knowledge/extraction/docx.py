"""DOCX: an own reader of the document's XML, paragraph by paragraph.

The main part is streamed, so memory does not grow with the document. Page headers and footers, comments,
deletions and tables of contents are left out.
"""

from collections.abc import Iterator
from typing import IO

from chatsphere.errors import CorruptDocumentError
from chatsphere.knowledge.extraction.docx_body import BodyReader
from chatsphere.knowledge.extraction.docx_numbering import Labels
from chatsphere.knowledge.extraction.docx_styles import Styles
from chatsphere.knowledge.extraction.limits import ExtractionLimits
from chatsphere.knowledge.extraction.office_package import Package
from chatsphere.knowledge.extraction.parsed import Parsed
from chatsphere.knowledge.extraction.source import Source
from chatsphere.knowledge.extraction.word_blocks import join_lists
from chatsphere.knowledge.extraction.xml import Element, discard, iterate, local
from chatsphere.knowledge.extraction.zip_archive import damage_reported
from chatsphere.knowledge.text import Block

_MAIN = "word/document.xml"
_TRANSPARENT = frozenset(("sdtContent", "sdt", "customXml", "ins", "moveTo"))


def parse(path: Source, limits: ExtractionLimits) -> Parsed:
    """Read a DOCX."""
    with Package(path, limits, _MAIN) as package:
        title = package.title()
    return Parsed(_blocks(path, limits), title=title)


def _blocks(path: Source, limits: ExtractionLimits) -> Iterator[Block]:
    with Package(path, limits, _MAIN) as package:
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
            yield from join_lists(_body(reader, stream))


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
