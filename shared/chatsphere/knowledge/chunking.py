"""Cuts a document into passages for retrieval, along its structure, while its blocks arrive.

Memory is bounded by the largest block. Every passage is a slice of the canonical text. What is pending between two
blocks is a value: kept, it lets another process go on as if the document had been cut in one go.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

from chatsphere.knowledge.retrieval.embedding_text import heading_line
from chatsphere.knowledge.splitting import CountTokens, split_text
from chatsphere.knowledge.text import Block, BlockKind, Chunk

_SEPARATOR = "\n\n"
_SMALL_SHARE = 0.25
"""A chunk below this share of the target goes on over the next heading instead of standing alone."""
_HEADING_SHARE = 0.25
"""At most this share of the embedder's input is kept free for the headings that a chunk stands under."""


def chunk_blocks(
    blocks: Iterable[Block], *, count_tokens: CountTokens, target_tokens: int = 220, max_tokens: int = 256
) -> Iterator[Chunk]:
    """Yield the passages of a document.

    A passage grows block by block up to `target_tokens`, and never exceeds `max_tokens` less what the headings
    it stands under need where it is embedded (a quarter at most). A heading begins a passage where the one
    before is big enough, and ends one only where its page or the document ends. A passage never spans pages, so
    that a quote's page is its passage's. Passages do not overlap: retrieval merges neighbours. Where an embedder
    adds marks of its own, give a `max_tokens` that is less by their number.
    """
    chunker = Chunker(count_tokens, target_tokens=target_tokens, max_tokens=max_tokens)
    for block in blocks:
        yield from chunker.add(block)
    yield from chunker.finish()


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a block that is not cut further; offsets count in the canonical text."""

    start: int
    end: int
    tokens: int
    block: Block

    @property
    def is_heading(self) -> bool:
        """Whether it is of a heading."""
        return self.block.kind is BlockKind.HEADING


@dataclass(frozen=True, slots=True)
class Pending:
    """What a chunker knows between two blocks: the pieces of the next chunk, and the canonical text from
    `text_start` on, as far as it is still needed. `ordinal` is the next chunk's.
    """

    pieces: tuple[Piece, ...] = ()
    text: str = ""
    text_start: int = 0
    ordinal: int = 0

    @property
    def end(self) -> int:
        """Characters of the canonical text so far."""
        return self.text_start + len(self.text)

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` makes the same value of; a few kilobytes."""
        needed = self.pieces[0].start if self.pieces else self.end
        pieces = [[p.start, p.end, p.tokens, p.block.kind, p.block.page, p.block.heading_path] for p in self.pieces]
        return {
            "pieces": pieces,
            "text": self.text[needed - self.text_start :],
            "text_start": needed,
            "ordinal": self.ordinal,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        pieces = tuple(
            Piece(start, end, tokens, Block("", BlockKind(kind), page, tuple(path)))
            for start, end, tokens, kind, page, path in data["pieces"]
        )
        return cls(pieces, data["text"], data["text_start"], data["ordinal"])


class Chunker:
    """Cuts as `chunk_blocks` does, block by block; goes on where another stopped if given what was `pending` there."""

    def __init__(
        self,
        count_tokens: CountTokens,
        *,
        target_tokens: int = 220,
        max_tokens: int = 256,
        pending: Pending | None = None,
    ) -> None:
        if not 0 < target_tokens <= max_tokens:
            raise ValueError("target_tokens must be positive and at most max_tokens")
        pending = pending or Pending()
        self._count = count_tokens
        self._target = target_tokens
        self._ceiling = max_tokens
        self._small = target_tokens * _SMALL_SHARE
        self._pieces = list(pending.pieces)
        self._tokens = sum(piece.tokens for piece in pending.pieces)
        self._text = pending.text
        self._text_start = pending.text_start
        self._ordinal = pending.ordinal
        self._limits: tuple[tuple[str, ...], int] = ((), max_tokens)

    @property
    def pending(self) -> Pending:
        """What is known now; to be asked for between two blocks only."""
        return Pending(tuple(self._pieces), self._text, self._text_start, self._ordinal)

    def add(self, block: Block) -> Iterator[Chunk]:
        """Take the document's next block; yield the chunks that it completes."""
        if self._pieces and self._pieces[-1].block.page != block.page:
            yield from self.finish()
        start = self._append(block.text)
        new_section = block.kind is BlockKind.HEADING or self._path() != block.heading_path
        if new_section and self._tokens >= self._small:
            yield from self._flush()
        limit = self._limit(block.heading_path)
        ahead = sum(piece.tokens for piece in self._trailing_headings())
        room = limit - ahead if ahead <= limit // 2 else limit
        for (first, last), tokens in split_text(block.text, block.kind, room, self._count):
            piece = Piece(start + first, start + last, tokens, block)
            if not self._fits(piece, limit):
                yield from self._flush()
            self._pieces.append(piece)
            self._tokens += tokens

    def finish(self) -> Iterator[Chunk]:
        """End the chunk with all that is pending, headings included: the page or the document ends here."""
        done, self._pieces, self._tokens = self._pieces, [], 0
        if done:
            yield from self._emit(done)

    def _append(self, text: str) -> int:
        """Take the next block's text; forget what precedes the next chunk. Returns where the block starts."""
        needed = self._pieces[0].start if self._pieces else self._text_start + len(self._text)
        kept = self._text[needed - self._text_start :]
        separator = _SEPARATOR if self._text_start + len(self._text) or self._ordinal or self._pieces else ""
        self._text_start = needed
        self._text = kept + separator + text
        return needed + len(kept) + len(separator)

    def _fits(self, piece: Piece, limit: int) -> bool:
        total = self._tokens + piece.tokens
        if not self._pieces or total <= min(self._target, limit):
            return True
        bare = self._tokens < self._small or all(pending.is_heading for pending in self._pieces)
        return bare and total <= limit

    def _trailing_headings(self) -> list[Piece]:
        first = len(self._pieces)
        while first and self._pieces[first - 1].is_heading:
            first -= 1
        return self._pieces[first:]

    def _flush(self) -> Iterator[Chunk]:
        """End the chunk; headings at its end go over to the next."""
        headings = self._trailing_headings()
        if len(headings) == len(self._pieces):
            headings = []
        done = self._pieces[: len(self._pieces) - len(headings)]
        self._pieces, self._tokens = headings, sum(piece.tokens for piece in headings)
        yield from self._emit(done)

    def _emit(self, pieces: Sequence[Piece]) -> Iterator[Chunk]:
        start, end = pieces[0].start, pieces[-1].end
        content = self._text[start - self._text_start : end - self._text_start]
        path = _common_path(pieces)
        tokens = pieces[0].tokens if len(pieces) == 1 else self._count(content)
        # The tokens of the parts need not add up to those of the whole.
        if tokens > self._limit(path) and len(pieces) > 1:
            half = len(pieces) // 2
            yield from self._emit(pieces[:half])
            yield from self._emit(pieces[half:])
            return
        page = pieces[0].block.page
        yield Chunk(
            ordinal=self._ordinal,
            content=content,
            char_start=start,
            char_end=end,
            page_start=page,
            page_end=page,
            heading_path=path,
            token_count=tokens,
        )
        self._ordinal += 1

    def _path(self) -> tuple[str, ...]:
        return self._pieces[-1].block.heading_path if self._pieces else ()

    def _limit(self, path: tuple[str, ...]) -> int:
        """How many tokens the content of a chunk under these headings may have."""
        if self._limits[0] != path:
            context = self._count(heading_line(path) or "")
            self._limits = path, max(1, self._ceiling - min(context, int(self._ceiling * _HEADING_SHARE)))
        return self._limits[1] if path else self._ceiling


def _common_path(pieces: Sequence[Piece]) -> tuple[str, ...]:
    """The headings that all pieces stand under."""
    path = pieces[0].block.heading_path
    for piece in pieces[1:]:
        if piece.block is not pieces[0].block:
            other = piece.block.heading_path
            shared = next((n for n, (a, b) in enumerate(zip(path, other, strict=False)) if a != b), None)
            path = path[: min(len(path), len(other)) if shared is None else shared]
    return path
