"""What search returns, and what an answer model is given of it."""

from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from chatsphere.knowledge.retrieval.calibration import DEFAULT_THRESHOLD
from chatsphere.knowledge.retrieval.explanation import Explanation, HitExplanation

Mode = Literal["fused", "dense", "lexical"]


@dataclass(frozen=True, slots=True)
class Scores:
    """Why a hit ranks where it does; None where that side did not find it.

    `dense`: cosine similarity. `lexical`: BM25. `fused`: their weighted mean on a common scale, about 0 to 1.
    """

    dense: float | None
    lexical: float | None
    fused: float | None


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Where the passage of a hit stands as well, nearly word for word."""

    chunk_id: UUID
    document_id: UUID
    document_name: str
    page_start: int | None
    page_end: int | None
    char_start: int
    char_end: int


@dataclass(frozen=True, slots=True)
class Hit:
    """One chunk that was found. Pages are 1-based and inclusive, characters 0-based with the end exclusive.

    `also_in`: the places that were found as well and say the same. `explanation` is there where it was asked for.
    """

    chunk_id: UUID
    document_id: UUID
    document_name: str
    content: str
    ordinal: int
    page_start: int | None
    page_end: int | None
    char_start: int
    char_end: int
    heading: str | None
    score: float
    scores: Scores
    also_in: tuple[Elsewhere, ...] = ()
    explanation: HitExplanation | None = None


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Hits, best first. `confidence` estimates the probability, 0 to 1, that they answer the question.

    It is None where only one side was searched: it is calibrated for both together. `threshold`: the confidence below
    which nothing relevant was found, as the bot has it, or as calibrated for what searched. `neighbours` were not
    found: they stand beside the hits, in the same section, and an answer model may be given them. `embed_seconds`: how
    much of the search's time the embedding of the query took; `embedding_tokens` and `embedding_microdollars`: what it
    used and cost. `by_words_alone`: the bot's embedding model was not available.
    """

    hits: tuple[Hit, ...]
    confidence: float | None
    threshold: float = DEFAULT_THRESHOLD
    neighbours: tuple[Hit, ...] = ()
    explanation: Explanation | None = None
    embed_seconds: float = field(default=0.0, compare=False)
    embedding_tokens: int = field(default=0, compare=False)
    embedding_microdollars: int = field(default=0, compare=False)
    by_words_alone: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """The part of a passage that is one chunk: `start` and `end` are offsets in the passage's content."""

    chunk_id: UUID
    start: int
    end: int
    page_start: int | None
    page_end: int | None
    heading: str | None = None


@dataclass(frozen=True, slots=True)
class Location:
    """Where a span of a passage stands in its document."""

    chunk_id: UUID
    char_start: int
    char_end: int
    page_start: int | None
    page_end: int | None
    heading: str | None = None


@dataclass(frozen=True, slots=True)
class Passage:
    """Consecutive chunks of one document, joined as they stand in its canonical text.

    `heading` is what all of them stand under; each piece has its own.
    """

    document_id: UUID
    document_name: str
    heading: str | None
    content: str
    char_start: int
    char_end: int
    page_start: int | None
    page_end: int | None
    score: float
    pieces: tuple[Piece, ...]

    def locate(self, start: int, end: int) -> Location:
        """Return the place in the document of `content[start:end]`; its chunk is the one it begins in.

        Raises:
            ValueError: the span is empty or not inside the passage.
        """
        if not 0 <= start < end <= len(self.content):
            raise ValueError(f"[{start}, {end}) is no span of a passage of {len(self.content)} characters.")
        # A span may begin in the white space after a chunk: that belongs to the chunk before it.
        first = max((p for p in self.pieces if p.start <= start), key=lambda p: p.start)
        last = max((p for p in self.pieces if p.start < end), key=lambda p: p.start)
        return Location(
            first.chunk_id,
            self.char_start + start,
            self.char_start + end,
            first.page_start,
            last.page_end,
            first.heading or self.heading,
        )
