"""Working stand-ins for what chat depends on; tests script them and read their state."""

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Event
from uuid import UUID, uuid4

from chatsphere.cancellation import Cancellation
from chatsphere.knowledge.retrieval.filters import DocumentFilter
from chatsphere.knowledge.retrieval.models import Hit, Mode, Passage, Piece, Scores, SearchResult
from chatsphere.knowledge.retrieval.settings import DEFAULTS, RetrievalSettings
from chatsphere.ports.answers import AnswerDelta, AnswerEnd, AnswerEvent, AnswerRequest, StandaloneQuestion, Turn
from chatsphere.ports.embedding import Vector

DIMENSIONS = 256


class BagOfWordsEmbedder:
    """`Embedder` whose cosine is the share of common words: texts with the same words are near."""

    model = "bag-of-words"
    dimensions = DIMENSIONS

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def cost(self, tokens: int) -> int:
        return tokens

    def embed_documents(self, texts: Sequence[str]) -> list[Vector]:
        return [self.embed_query(text) for text in texts]

    def embed_query(self, text: str) -> Vector:
        values = [0.0] * DIMENSIONS
        # A vector of zeros has no direction: no embedding model makes one.
        for word in re.findall(r"\w+", text.casefold()) or [""]:
            values[sum(word.encode()) * 31 % DIMENSIONS] += 1.0
        norm = math.sqrt(sum(value * value for value in values)) or 1.0
        return [value / norm for value in values]


@dataclass
class Silence:
    """A model that says nothing until its call is cancelled; never for longer than a test may take."""

    limit_seconds: float = 20

    def keep(self, cancellation: Cancellation) -> None:
        over = Event()
        with cancellation.interrupting(over.set):
            assert over.wait(self.limit_seconds), "nobody cancelled the call"
        cancellation.check()


Step = AnswerEvent | Exception | Callable[[], None] | Silence


@dataclass
class ScriptedModel:
    """`AnswerModel` that plays a script: events are yielded, errors raised, functions called."""

    script: Sequence[Step] = ()
    requests: list[AnswerRequest] = field(default_factory=list)
    closed: int = 0
    model: str = "scripted"
    error: Exception | None = None
    rewriting: tuple[int, int, int] = (0, 0, 0)

    def stream(self, request: AnswerRequest) -> Iterator[AnswerEvent]:
        self.requests.append(request)
        try:
            for step in self.script:
                if isinstance(step, Exception):
                    raise step
                if isinstance(step, Silence):
                    step.keep(request.cancellation)
                    continue
                if callable(step):
                    step()
                    continue
                yield step
        finally:
            self.closed += 1

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def cost(self, prompt_tokens: int, completion_tokens: int) -> int:
        return prompt_tokens + 2 * completion_tokens

    def standalone_question(self, question: str, history: Sequence[Turn]) -> StandaloneQuestion:
        if self.error is not None:
            raise self.error
        earlier = [turn.content for turn in history if turn.role == "user"]
        return StandaloneQuestion(f"{earlier[-1]} {question}" if earlier else question, *self.rewriting)


def says(*pieces: str, prompt_tokens: int = 10, completion_tokens: int = 3, cost: int = 7) -> list[Step]:
    """Return a script that says the pieces and ends well."""
    return [*map(AnswerDelta, pieces), AnswerEnd("stop", prompt_tokens, completion_tokens, cost)]


@dataclass
class FakeRetriever:
    """`Retriever` that finds what a test put there."""

    passages: Sequence[Passage] = ()
    confidence: float = 0.9
    threshold: float = 0.5
    queries: list[tuple[UUID, UUID, str, int, DocumentFilter | None, Mode]] = field(default_factory=list)
    settings: RetrievalSettings = DEFAULTS
    embedding_price: int = 0
    by_words_alone: bool = False
    error: Exception | None = None

    def search(
        self,
        organization_id: UUID,
        bot_id: UUID,
        query: str,
        *,
        limit: int,
        within: DocumentFilter | None = None,
        mode: Mode = "fused",
        settings: RetrievalSettings = DEFAULTS,
        explain: bool = False,
    ) -> SearchResult:
        self.queries.append((organization_id, bot_id, query, limit, within, mode))
        self.settings = settings
        if self.error is not None:
            raise self.error
        hits = tuple(hit for passage in self.passages for hit in hits_of(passage))
        threshold = self.threshold if settings.threshold is None else settings.threshold
        tokens = len(query.split()) if self.embedding_price else 0
        return SearchResult(
            hits,
            self.confidence if mode == "fused" else None,
            threshold,
            embedding_tokens=tokens,
            embedding_microdollars=self.embedding_cost(None, tokens),
            by_words_alone=self.by_words_alone,
        )

    def embedding_cost(self, model: str | None, tokens: int) -> int:
        return self.embedding_price * tokens

    def assemble(self, found: SearchResult, token_budget: int) -> Sequence[Passage]:
        return self.passages


def passage(
    content: str,
    *,
    document_id: UUID | None = None,
    name: str = "plans.md",
    heading: str | None = None,
    start: int = 0,
    pages: tuple[int | None, int | None] = (None, None),
) -> Passage:
    """Return a passage that is one chunk."""
    return Passage(
        document_id=document_id or uuid4(),
        document_name=name,
        heading=heading,
        content=content,
        char_start=start,
        char_end=start + len(content),
        page_start=pages[0],
        page_end=pages[1],
        score=0.8,
        pieces=(Piece(uuid4(), 0, len(content), *pages),),
    )


def hits_of(given: Passage) -> list[Hit]:
    """Return a hit for each chunk of the passage."""
    return [
        Hit(
            chunk_id=piece.chunk_id,
            document_id=given.document_id,
            document_name=given.document_name,
            content=given.content[piece.start : piece.end],
            ordinal=number,
            page_start=piece.page_start,
            page_end=piece.page_end,
            char_start=given.char_start + piece.start,
            char_end=given.char_start + piece.end,
            heading=given.heading,
            score=given.score,
            scores=Scores(0.7, 3.0, given.score),
        )
        for number, piece in enumerate(given.pieces)
    ]


@dataclass
class SteppingClock:
    """`Clock` that is a second later each time it is asked."""

    moment: datetime = field(default_factory=lambda: datetime.now(UTC))

    def now(self) -> datetime:
        self.moment += timedelta(seconds=1)
        return self.moment
