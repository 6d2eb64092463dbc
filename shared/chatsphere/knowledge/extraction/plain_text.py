"""Plain text: paragraphs are what blank lines part."""

from collections.abc import Iterator
from typing import TextIO

from chatsphere.knowledge.extraction.encodings import open_text
from chatsphere.knowledge.extraction.limits import ExtractionLimits
from chatsphere.knowledge.extraction.parsed import MAX_BLOCK_CHARS, Parsed
from chatsphere.knowledge.extraction.source import Source
from chatsphere.knowledge.text import Block


def parse(path: Source, _limits: ExtractionLimits, declared: str | None = None) -> Parsed:
    """Read a text file in any encoding; `declared` is the character set that it is said to be in."""
    return Parsed(_blocks(path, declared))


def _blocks(path: Source, declared: str | None) -> Iterator[Block]:
    with open_text(path, declared) as stream:
        paragraph: list[str] = []
        size = 0
        for line in lines_of(stream):
            if line.strip():
                paragraph.append(line)
                size += len(line)
            if paragraph and (not line.strip() or size > MAX_BLOCK_CHARS // 2):
                yield Block("\n".join(paragraph))
                paragraph, size = [], 0
        if paragraph:
            yield Block("\n".join(paragraph))


def lines_of(stream: TextIO) -> Iterator[str]:
    """Yield lines without their ends; one longer than a block comes in parts."""
    while line := stream.readline(MAX_BLOCK_CHARS):
        yield line.rstrip("\n").rstrip()
