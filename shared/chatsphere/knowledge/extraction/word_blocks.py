"""What the readers of Word's formats, old and new, share: how a paragraph becomes a block."""

from collections.abc import Iterator
from itertools import groupby

from chatsphere.knowledge.extraction.docx_numbering import BULLET, Labels
from chatsphere.knowledge.extraction.docx_styles import Numbering
from chatsphere.knowledge.extraction.parsed import Outline
from chatsphere.knowledge.text import Block, BlockKind

_MAX_HEADING_CHARS = 400
_LIST_CHARS = 8_000
_MAX_INDENT = 8


def paragraph_block(outline: Outline, labels: Labels, text: str, level: int | None, item: Numbering | None) -> Block:
    """The block of a paragraph with text: a heading of this level, an item of a list with its label, or neither."""
    label = labels.next(item) if item else ""
    if level is not None and len(text) <= _MAX_HEADING_CHARS:
        text = " ".join(f"{label} {text}".split()) if label != BULLET else text
        return Block(text, BlockKind.HEADING, heading_path=outline.enter(level, text))
    if item:
        text = f"{'  ' * min(item.level, _MAX_INDENT)}{label} {text}".rstrip()
        return Block(text, BlockKind.LIST, heading_path=outline.path)
    return Block(text, heading_path=outline.path)


def join_lists(blocks: Iterator[Block]) -> Iterator[Block]:
    """Join the items of a list, which come one by one, into blocks."""
    for (kind, path), members in groupby(blocks, key=lambda block: (block.kind, block.heading_path)):
        if kind is not BlockKind.LIST:
            yield from members
            continue
        lines: list[str] = []
        size = 0
        for item in members:
            if size > _LIST_CHARS:
                yield Block("\n".join(lines), kind, heading_path=path)
                lines, size = [], 0
            lines.append(item.text)
            size += len(item.text)
        yield Block("\n".join(lines), kind, heading_path=path)
