"""What is read from a file: blocks of its canonical text, and the chunks that they are cut into."""

from dataclasses import dataclass
from enum import StrEnum


class BlockKind(StrEnum):
    """What a block is; a chunker must not cut inside `TABLE` rows or `CODE` lines."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    LIST = "list"
    TABLE = "table"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Block:
    """A run of the document's canonical text.

    The canonical text is every block's `text` in order, joined by one blank line (two newlines). `page` is
    1-based and None in formats without pages. `heading_path` holds the headings that the block stands under, the
    outermost first; for a heading it ends with the heading itself.
    """

    text: str
    kind: BlockKind = BlockKind.PARAGRAPH
    page: int | None = None
    heading_path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage of a document, the unit of retrieval.

    `content == canonical_text[char_start:char_end]` always holds. Pages are 1-based and inclusive.
    """

    ordinal: int
    content: str
    char_start: int
    char_end: int
    page_start: int | None
    page_end: int | None
    heading_path: tuple[str, ...]
    token_count: int
