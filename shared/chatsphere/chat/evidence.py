"""What chat asks of retrieval."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from chatsphere.knowledge.retrieval.filters import DocumentFilter
from chatsphere.knowledge.retrieval.models import Mode, Passage, SearchResult
from chatsphere.knowledge.retrieval.settings import DEFAULTS, RetrievalSettings


class Retriever(Protocol):
    """Finds evidence in one bot's documents. Runs short transactions of its own."""

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
        """Return up to `limit` hits in the documents that the filter lets through; `explain`: with why."""
        ...

    def embedding_cost(self, model: str | None, tokens: int) -> int:
        """Return what embedding so many tokens by a bot's model costs in micro-dollars; None: the deployment's own."""
        ...

    def assemble(self, found: SearchResult, token_budget: int) -> Sequence[Passage]:
        """Return the hits as passages, neighbours merged, as many as the budget holds."""
        ...
