"""PDF: text with page numbers, paragraphs and headings, by way of PDFium.

Pages are read one after the other; a sample of them is read first to learn the body's font size and what
repeats on every page.
"""

from collections.abc import Iterator
from functools import partial

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
from chatsphere.knowledge.extraction.parsed import Outline, Parsed, Place, Scan
from chatsphere.knowledge.extraction.pdf_furniture import Furniture
from chatsphere.knowledge.extraction.pdf_layout import Paragraph, body_size, paragraphs
from chatsphere.knowledge.extraction.pdf_lines import Line, read_lines
from chatsphere.knowledge.extraction.pdf_scans import is_scan, render_png
from chatsphere.knowledge.extraction.source import MemoryFile, Source, size_of
from chatsphere.knowledge.text import Block, BlockKind

_SAMPLE_PAGES = 24
_END_BYTES = 2048


def parse(path: Source, limits: ExtractionLimits) -> Parsed:
    """Read a PDF. One that forbids copying is read; one that needs a password to be opened is not."""
    return resume(path, limits, {})


def resume(path: Source, limits: ExtractionLimits, place: Place) -> Parsed:
    """Read a PDF from a page on, as if the pages before it had just been read."""
    try:
        document = pypdfium2.PdfDocument(path.data if isinstance(path, MemoryFile) else path)
    except pypdfium2.PdfiumError as error:
        encrypted = error.err_code in (pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY)
        raise (EncryptedDocumentError if encrypted else CorruptDocumentError)() from None
    if not len(document):
        raise CorruptDocumentError
    if len(document) > limits.max_pages:
        raise DocumentTooLargeError
    reader = _Reader(document, limits, whole=_is_whole(path))
    title = document.get_metadata_value("Title")
    return Parsed(reader.blocks(place), page_count=len(document), title=title, place=lambda: reader.place)


class _Reader:
    """Reads the pages of one document in order."""

    def __init__(self, document: pypdfium2.PdfDocument, limits: ExtractionLimits, *, whole: bool) -> None:
        self._document = document
        self._limits = limits
        self._scans: set[int] = set()
        self._whole = whole
        self._outline = Outline()
        self._drawn = 0
        self._broken = 0
        self.place: Place | None = None

    def blocks(self, place: Place) -> Iterator[Block | Scan]:
        sample = {number: self._lines(number) for number in sample_pages(len(self._document))}
        furniture, body = Furniture(sample), body_size(sample.values())
        self._outline = Outline(place.get("outline", ()))
        furniture.show(place.get("shown", ()))
        found, pictures = False, place.get("pictures", 0)
        for number in range(place.get("page", 0), len(self._document)):
            self.place = {"page": number, "outline": self._outline.headings, "shown": furniture.shown}
            if pictures:
                self.place["pictures"] = pictures
            lines = furniture.strip(number, sample.pop(number) if number in sample else self._lines(number))
            if number in self._scans:
                wanted = pictures < self._limits.ocr_pages
                pictures += wanted
                found |= wanted
                yield self._scan(number, wanted=wanted)
                if wanted:
                    continue
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
        if is_scan(page, sum(len(line.text) for line in lines)):
            self._scans.add(number)
        text.close()
        page.close()
        return lines

    def _scan(self, number: int, *, wanted: bool) -> Scan:
        render = partial(render_png, self._document, number, self._limits.ocr_dpi) if wanted else bytes
        return Scan(number + 1, render, self._outline.path)

    def _block(self, paragraph: Paragraph, page: int) -> Block:
        if paragraph.level is None:
            kind = BlockKind.TABLE if paragraph.table else BlockKind.PARAGRAPH
            return Block(paragraph.text, kind, page, self._outline.path)
        path = self._outline.enter(paragraph.level, paragraph.text)
        return Block(paragraph.text, BlockKind.HEADING, page, path)

    def _reason(self) -> Exception:
        if self._broken == len(self._document):
            return CorruptDocumentError()
        if self._drawn:
            return NoTextLayerError()
        # PDFium makes blank pages of a file that is cut off.
        return EmptyDocumentError() if self._whole else CorruptDocumentError()


def _is_whole(path: Source) -> bool:
    with path.open("rb") as file:
        file.seek(max(0, size_of(path) - _END_BYTES))
        return b"%%EOF" in file.read()


def sample_pages(count: int) -> list[int]:
    """Which pages to learn from: all of a short document, else the first and pairs of neighbours throughout."""
    if count <= _SAMPLE_PAGES:
        return list(range(count))
    pairs = (_SAMPLE_PAGES - 6) // 2
    starts = (6 + pair * (count - 8) // pairs for pair in range(pairs))
    return sorted({*range(6), *(page for start in starts for page in (start, start + 1))})
