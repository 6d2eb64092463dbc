"""How far the reading of a document has come, so that whoever takes it up next goes on as if it were one go."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Protocol, Self

from psycopg.types.json import Jsonb

from chatsphere.billing.work import WorkOverBudgetError
from chatsphere.knowledge.chunking import Pending
from chatsphere.knowledge.extraction import Extraction, Position
from chatsphere.knowledge.redaction.masking import Mask, masked_blocks, nothing_masked
from chatsphere.knowledge.text import Block, Chunk


class Cutter(Protocol):
    """Cuts a document block by block. Nothing happens before the first chunk of a block is asked for."""

    @property
    def pending(self) -> Pending:
        """What is known between two blocks."""
        ...

    def add(self, block: Block) -> Iterator[Chunk]:
        """Take the next block; yield the chunks that it completes."""
        ...

    def finish(self) -> Iterator[Chunk]:
        """Yield what is left at the document's end."""
        ...


MakeCutter = Callable[[Pending], Cutter]


@dataclass(frozen=True, slots=True)
class Bookmark:
    """A place between two chunks: what was `pending` before a block at `position`, of whose chunks the first
    `cut` are done. It does not depend on where a part ended before.
    """

    position: Position = field(default_factory=Position)
    pending: Pending = field(default_factory=Pending)
    cut: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` makes the same bookmark of."""
        at = self.position
        position = {"place": at.place, "blocks": at.blocks, "chars": at.chars}
        return {"position": position, "pending": self.pending.to_json(), "cut": self.cut}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        return cls(Position(**data["position"]), Pending.from_json(data["pending"]), data["cut"])


@dataclass(frozen=True, slots=True)
class Progress:
    """How much of a file is kept. `etag` and `sha256` are the file's; `pages_read` is the page of the last chunk,
    `unread_pages` how many had their text in pictures that nobody read.

    `sent_batches` is how many of the batches are known to have been sent to be embedded, `indexed_chunks` how many of
    the chunks the lexical index has.
    """

    etag: str
    sha256: str
    bookmark: Bookmark = field(default_factory=Bookmark)
    page_count: int | None = None
    pages_read: int | None = None
    unread_pages: int = 0
    chunk_count: int = 0
    batch_count: int = 0
    sent_batches: int = 0
    indexed_chunks: int = 0

    def to_row(self) -> dict[str, Any]:
        """Return the values of its columns."""
        row = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "bookmark"}
        return row | {"place": Jsonb(self.bookmark.to_json())}

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """Read what `to_row` wrote."""
        values = {name: value for name, value in row.items() if name != "place"}
        return cls(**values, bookmark=Bookmark.from_json(row["place"]))


class Passages:
    """The chunks of a document from a bookmark on; an iterator that knows its own place."""

    def __init__(
        self, extraction: Extraction, make_cutter: MakeCutter, start: Bookmark, mask: Mask = nothing_masked
    ) -> None:
        """`extraction` begins at the bookmark's position."""
        self._mask = mask
        self._extraction = extraction
        self._cutter = make_cutter(start.pending)
        self._known = start.cut
        self._bookmark = start
        self._cut = start.cut
        self.page: int | None = None
        """The page of the block that came last."""
        self.refusal: WorkOverBudgetError | None = None
        """Why no more chunks come before the document's end: the budget has no room for its next page. The bookmark is
        then behind all that was read."""
        self._chunks = self._cut_all()

    @property
    def bookmark(self) -> Bookmark:
        """Where the next chunk is."""
        return Bookmark(self._bookmark.position, self._bookmark.pending, self._cut)

    def __iter__(self) -> Iterator[Chunk]:
        return self._chunks

    def __next__(self) -> Chunk:
        return next(self._chunks)

    def _cut_all(self) -> Iterator[Chunk]:
        try:
            for block in masked_blocks(self._extraction.blocks, self._mask):
                self.page = block.page
                yield from self._of(self._cutter.add(block))
        except WorkOverBudgetError as refusal:
            self.refusal = refusal
            if not self._known:  # else not even the block came of which the first chunks are done
                self._bookmark, self._cut = Bookmark(self._extraction.position, self._cutter.pending), 0
            return
        yield from self._of(self._cutter.finish())

    def _of(self, chunks: Iterator[Chunk]) -> Iterator[Chunk]:
        """Yield the chunks of one block, or of the end, but those that are done; they are not cut before."""
        self._bookmark, self._cut = Bookmark(self._extraction.position, self._cutter.pending), 0
        for chunk in chunks:
            self._cut += 1
            if self._cut > self._known:
                yield chunk
        self._known = 0
