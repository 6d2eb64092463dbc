"""The parent side of extraction: detect, start the child, hand on its blocks."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from chatsphere.knowledge.extraction.detection import Format, detect
from chatsphere.knowledge.extraction.limits import ExtractionLimits
from chatsphere.knowledge.extraction.protocol import Header, Message, Task, decode
from chatsphere.knowledge.extraction.sandbox import Sandbox
from chatsphere.knowledge.text import Block

PARSERS = {
    Format.PDF: "chatsphere.knowledge.extraction.pdf:parse",
    Format.DOCX: "chatsphere.knowledge.extraction.docx:parse",
    Format.HTML: "chatsphere.knowledge.extraction.html:parse",
    Format.MARKDOWN: "chatsphere.knowledge.extraction.markdown:parse",
    Format.JSON: "chatsphere.knowledge.extraction.json_records:parse",
    Format.CSV: "chatsphere.knowledge.extraction.csv_rows:parse",
    Format.TEXT: "chatsphere.knowledge.extraction.plain_text:parse",
}


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
    on_progress: Callable[[], None] | None = None,
) -> Extraction:
    """Read a document in a confined child process.

    `name` is the document's own name, `declared_type` its media type as the uploader gave it. `on_progress` is
    called from the caller's thread about once a second while blocks are waited for, so that the caller can
    renew its lease; what it raises ends the reading. Start and consume in one thread: on Linux the child ends
    with the thread that started it.

    Raises:
        DocumentError: the subclass says why the file cannot be read.
    """
    found = detect(path, name=name, declared_type=declared_type)
    task = Task(parser=PARSERS[found], path=path.resolve(), limits=limits)
    return start(task, media_type=found.value, on_progress=on_progress)


def start(task: Task, *, media_type: str, on_progress: Callable[[], None] | None = None) -> Extraction:
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
    return Extraction(media_type, header.page_count, header.title, _blocks(sandbox, messages), sandbox)


def _blocks(sandbox: Sandbox, messages: Iterator[Message]) -> Iterator[Block]:
    try:
        for message in messages:
            if isinstance(message, Block):
                yield message
    finally:
        sandbox.close()


def _nothing() -> None:
    return None
