"""What chat asks of retrieval."""

from collections.abc import Collection, Sequence
from typing import Protocol
from uuid import UUID

from chatsphere.knowledge.retrieval.models import Hit, Mode, Passage, SearchResult


class Retriever(Protocol):
    """Finds evidence in one bot's documents. Runs short transactions of its own."""

    @property
    def default_threshold(self) -> float:
        """The confidence below which nothing relevant was found, as calibrated for the embedder."""
        ...

    def search(
        self,
        organization_id: UUID,
        bot_id: UUID,
        query: str,
        *,
        limit: int,
        documents: Collection[UUID] | None = None,
        mode: Mode = "fused",
    ) -> SearchResult:
        """Return up to `limit` hits; `documents` restricts the search to these."""
        ...

    def assemble(self, hits: Sequence[Hit], token_budget: int) -> Sequence[Passage]:
        """Return the hits as passages, neighbours merged, as many as the budget holds."""
        ...
