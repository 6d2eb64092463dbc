"""PDF: text with page numbers, paragraphs and headings, by way of PDFium.

Pages are read one after the other; a sample of them is read first to learn the body's font size and what
repeats on every page.
"""

from collections.abc import Iterator
from pathlib import Path

import pypdfium2  # type: ignore[import-untyped]
import pypdfium2.raw as pdfium  # type: ignore[import-untyped]

from chatsphere.errors import (
    CorruptDocumentError,
    DocumentTooLargeError,
    EmptyDocumentError,
    EncryptedDocumentError,
    NoTextLayerError,
)
from chatsphere.knowledge.extraction.limits import ExtractionLimits
from chatsphere.knowledge.extraction.parsed import Outline, Parsed
from chatsphere.knowledge.extraction.pdf_furniture import Furniture
from chatsphere.knowledge.extraction.pdf_layout import Paragraph, body_size, paragraphs
from chatsphere.knowledge.extraction.pdf_lines import Line, read_lines
from chatsphere.knowledge.text import Block, BlockKind

_SAMPLE_PAGES = 24
_END_BYTES = 2048


def parse(path: Path, limits: ExtractionLimits) -> Parsed:
    """Read a PDF. One that forbids copying is read; one that needs a password to be opened is not."""
    try:
        document = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        encrypted = error.err_code in (pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY)
        raise (EncryptedDocumentError if encrypted else CorruptDocumentError)() from None
    if not len(document):
        raise CorruptDocumentError
    if len(document) > limits.max_pages:
        raise DocumentTooLargeError
    reader = _Reader(document, whole=_is_whole(path))
    return Parsed(reader.blocks(), page_count=len(document), title=document.get_metadata_value("Title"))


class _Reader:
    """Reads the pages of one document in order."""

    def __init__(self, document: pypdfium2.PdfDocument, *, whole: bool) -> None:
        self._document = document
        self._whole = whole
        self._outline = Outline()
        self._drawn = 0
        self._broken = 0

    def blocks(self) -> Iterator[Block]:
        sample = {number: self._lines(number) for number in sample_pages(len(self._document))}
        furniture, body = Furniture(sample), body_size(sample.values())
        found = False
        for number in range(len(self._document)):
            lines = furniture.strip(number, sample.pop(number) if number in sample else self._lines(number))
            for paragraph in paragraphs(lines, body):
                found = True
                yield self._block(paragraph, number + 1)
        if not found:
            raise self._reason()

    def _lines(self, number: int) -> list[Line]:
        """The lines of a page; none of one that is damaged, so that the others are read."""
        try:
            page = self._document[number]
            self._drawn += bool(pdfium.FPDFPage_CountObjects(page))
            text = page.get_textpage()
        except pypdfium2.PdfiumError:
            self._broken += 1
            return []
        lines = read_lines(text)
        text.close()
        page.close()
        return lines

    def _block(self, paragraph: Paragraph, page: int) -> Block:
        if paragraph.level is None:
            return Block(paragraph.text, page=page, heading_path=self._outline.path)
        path = self._outline.enter(paragraph.level, paragraph.text)
        return Block(paragraph.text, BlockKind.HEADING, page, path)

    def _reason(self) -> Exception:
        if self._broken == len(self._document):
            return CorruptDocumentError()
        if self._drawn:
            return NoTextLayerError()
        # PDFium makes blank pages of a file that is cut off.
        return EmptyDocumentError() if self._whole else CorruptDocumentError()


def _is_whole(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _END_BYTES))
        return b"%%EOF" in file.read()


def sample_pages(count: int) -> list[int]:
    """Which pages to learn from: all of a short document, else the first and pairs of neighbours throughout."""
    if count <= _SAMPLE_PAGES:
        return list(range(count))
    pairs = (_SAMPLE_PAGES - 6) // 2
    starts = (6 + pair * (count - 8) // pairs for pair in range(pairs))
    return sorted({*range(6), *(page for start in starts for page in (start, start + 1))})
