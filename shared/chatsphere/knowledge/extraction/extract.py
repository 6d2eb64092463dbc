"""The parent side of extraction: detect, start the child, hand on its blocks."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from chatsphere.errors import NoTextLayerError
from chatsphere.knowledge.extraction.detection import Format, detect
from chatsphere.knowledge.extraction.limits import ExtractionLimits
from chatsphere.knowledge.extraction.protocol import (
    Header,
    ImagePiece,
    Message,
    PlaceReached,
    Position,
    ScannedPage,
    Task,
    decode,
)
from chatsphere.knowledge.extraction.recognition import Recognizer
from chatsphere.knowledge.extraction.sandbox import Sandbox
from chatsphere.knowledge.text import Block
from chatsphere.ports.ocr import Ocr

PARSERS = {
    Format.PDF: "chatsphere.knowledge.extraction.pdf:parse",
    Format.DOCX: "chatsphere.knowledge.extraction.docx:parse",
    Format.PPTX: "chatsphere.knowledge.extraction.pptx:parse",
    Format.XLSX: "chatsphere.knowledge.extraction.xlsx:parse",
    Format.DOC: "chatsphere.knowledge.extraction.doc:parse",
    Format.EPUB: "chatsphere.knowledge.extraction.epub:parse",
    Format.EML: "chatsphere.knowledge.extraction.eml:parse",
    Format.HTML: "chatsphere.knowledge.extraction.html:parse",
    Format.MARKDOWN: "chatsphere.knowledge.extraction.markdown:parse",
    Format.JSON: "chatsphere.knowledge.extraction.json_records:parse",
    Format.CSV: "chatsphere.knowledge.extraction.csv_rows:parse",
    Format.TEXT: "chatsphere.knowledge.extraction.plain_text:parse",
}

BEGINNING = Position()


@dataclass(slots=True)
class Extraction:
    """A document being read by a child process; a context manager that ends the child.

    `blocks` yields the blocks in the order of the canonical text and raises the `DocumentError` that ends the
    reading, if one does: blocks already yielded are then to be discarded. `page_count` is None in formats
    without pages. The child also ends when `blocks` is exhausted, closed or collected.
    """

    media_type: str
    page_count: int | None
    title: str | None
    blocks: Iterator[Block]
    _sandbox: Sandbox = field(repr=False)
    _cursor: "_Cursor" = field(repr=False)
    _recognizer: Recognizer = field(repr=False)

    @property
    def unread_pages(self) -> int:
        """How many pages were met whose text is in pictures that nobody read."""
        return self._recognizer.unread

    @property
    def position(self) -> Position:
        """Where the block that came last begins, or the one that could not be read, and after the last one the
        document's end: reading can go on there.
        """
        return self._cursor.position

    def close(self) -> None:
        """End the child process."""
        self._sandbox.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def extract_file(
    path: Path,
    *,
    name: str,
    declared_type: str | None,
    limits: ExtractionLimits,
    position: Position = BEGINNING,
    on_progress: Callable[[], None] | None = None,
    ocr: Ocr | None = None,
) -> Extraction:
    """Read a document in a confined child process, from a position on that an earlier reading of it came to.

    `name` is the document's own name, `declared_type` its media type as the uploader gave it. `on_progress` is
    called from the caller's thread about once a second while blocks are waited for, so that the caller can
    renew its lease; what it raises ends the reading. Start and consume in one thread: on Linux the child ends
    with the thread that started it. `ocr` reads the pages that have no text, up to `limits.ocr_pages` of them.

    Raises:
        DocumentError: the subclass says why the file cannot be read.
    """
    found = detect(path, name=name, declared_type=declared_type)
    limits = limits if ocr else replace(limits, ocr_pages=0)
    task = Task(parser=PARSERS[found], path=path.resolve(), limits=limits, position=position)
    return start(task, media_type=found.value, on_progress=on_progress, ocr=ocr)


def start(
    task: Task, *, media_type: str, on_progress: Callable[[], None] | None = None, ocr: Ocr | None = None
) -> Extraction:
    """Start the child for a task, and wait until it has opened the document."""
    sandbox = Sandbox(task, on_progress or _nothing)
    messages = map(decode, sandbox.lines())
    try:
        header = next(messages, None)
    except BaseException:
        sandbox.close()
        raise
    if not isinstance(header, Header):
        sandbox.close()
        raise sandbox.failure()
    cursor, recognizer = _Cursor(task.position), Recognizer(ocr, on_progress or _nothing, task.limits.ocr_pages)
    blocks = _blocks(sandbox, messages, cursor, recognizer)
    return Extraction(media_type, header.page_count, header.title, blocks, sandbox, cursor, recognizer)


@dataclass(slots=True)
class _Cursor:
    position: Position


def _blocks(sandbox: Sandbox, messages: Iterator[Message], cursor: _Cursor, recognizer: Recognizer) -> Iterator[Block]:
    after = cursor.position
    try:
        for message in messages:
            if isinstance(message, PlaceReached):
                after = replace(after, place=message.place, blocks=0)
            elif isinstance(message, ImagePiece):
                recognizer.add(message)
            elif isinstance(message, Block | ScannedPage):
                cursor.position = after
                # A scanned page counts as one block, whether it turns out to hold text or not.
                block = recognizer.page(message) if isinstance(message, ScannedPage) else message
                after = replace(after, blocks=after.blocks + 1, chars=after.chars + len(block.text if block else ""))
                if block:
                    yield block
        cursor.position = after
        if not after.chars:
            raise NoTextLayerError
    finally:
        sandbox.close()


def _nothing() -> None:
    return None
