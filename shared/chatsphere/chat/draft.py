"""An answer in the making: everything that will be kept of it, whatever happens."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from chatsphere.cancellation import Cancellation
from chatsphere.chat.events import Citation, Source, Usage
from chatsphere.errors import ChatSphereError
from chatsphere.knowledge.retrieval.models import Passage


@dataclass(frozen=True, slots=True)
class CacheUse:
    """By which key the cache was asked; of the answer that it had, what it once used and its message: None without."""

    key: bytes
    saved: Usage | None = None
    original: UUID | None = None


@dataclass(slots=True)
class Draft:
    """The answer so far. `dropped_citations` counts the claims that pointed at nothing.

    `by_words_alone`: its passages were searched without the bot's embedding model, which was not available.
    `cancellation` ends the model's writing, from any thread.
    """

    text: str = ""
    answerable: bool = False
    reason: str | None = None
    finish_reason: str = "stop"
    confidence: float = 0.0
    sources: tuple[Source, ...] = ()
    citations: list[Citation] = field(default_factory=list)
    dropped_citations: int = 0
    usage: Usage = field(default_factory=Usage)
    question_asked: str = ""
    error: ChatSphereError | None = None
    client_left: bool = False
    recalled: tuple[UUID, ...] = ()
    cache: CacheUse | None = None
    by_words_alone: bool = False
    cancellation: Cancellation = field(default_factory=Cancellation)

    @property
    def stopped(self) -> bool:
        """Whether somebody stopped it."""
        return self.finish_reason == "stopped"

    @property
    def cached(self) -> bool:
        """Whether it was written for somebody who asked the same."""
        return self.cache is not None and self.cache.saved is not None

    def refuse(self, reason: str) -> None:
        """Note that no model was asked, and why."""
        self.answerable, self.reason, self.finish_reason = False, reason, "refused"

    def conclude(self) -> None:
        """Note whether what the model wrote rests on anything."""
        self.answerable = bool(self.citations)
        self.reason = None if self.answerable else "unsupported"

    def stop(self) -> None:
        """Note that the answer ends here, because somebody wanted it to."""
        self.finish_reason, self.answerable = "stopped", bool(self.citations)
        self.reason = None if self.answerable else "stopped"

    def interrupt(self, error: ChatSphereError) -> None:
        """Note that this is all that is known of an answer whose function was killed."""
        self.fail(error)
        self.finish_reason = "interrupted"

    def fail(self, error: ChatSphereError) -> None:
        """Note that the answer ends here, incomplete."""
        self.answerable, self.reason, self.finish_reason, self.error = False, error.code, "error", error


def sources_of(passages: Sequence[Passage]) -> tuple[Source, ...]:
    """Number the passages from 1, in the order in which the model is given them."""
    return tuple(
        Source(
            number=number,
            document_id=passage.document_id,
            document_name=passage.document_name,
            heading=passage.heading,
            content=passage.content,
            page_start=passage.page_start,
            page_end=passage.page_end,
            char_start=passage.char_start,
            char_end=passage.char_end,
            score=passage.score,
            chunk_ids=tuple(piece.chunk_id for piece in passage.pieces),
        )
        for number, passage in enumerate(passages, 1)
    )
