"""An answer in the making: everything that will be kept of it, whatever happens."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from chatsphere.chat.events import Citation, Source, Usage
from chatsphere.errors import ChatSphereError
from chatsphere.knowledge.retrieval.models import Passage


@dataclass(slots=True)
class Draft:
    """The answer so far. `dropped_citations` counts the claims that pointed at nothing."""

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

    def refuse(self, reason: str) -> None:
        """Note that no model was asked, and why."""
        self.answerable, self.reason, self.finish_reason = False, reason, "refused"

    def conclude(self) -> None:
        """Note whether what the model wrote rests on anything."""
        self.answerable = bool(self.citations)
        self.reason = None if self.answerable else "unsupported"

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
        )
        for number, passage in enumerate(passages, 1)
    )
