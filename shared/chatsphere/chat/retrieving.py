"""Retrieval as chat uses it: bound to the environment's database, embedder and vector store."""

from collections.abc import Callable, Collection, Sequence
from uuid import UUID

from chatsphere.db.database import Database
from chatsphere.knowledge.retrieval.confidence import DEFAULT_THRESHOLD
from chatsphere.knowledge.retrieval.models import Hit, Mode, Passage, SearchResult
from chatsphere.knowledge.retrieval.passages import assemble
from chatsphere.knowledge.retrieval.search import search
from chatsphere.ports import Embedder, VectorStore


class BotRetriever:
    """The `Retriever` of the running service.

    `embedders` returns the embedder of a model's name, None: the deployment's own, which counts passages' tokens.
    """

    def __init__(self, database: Database, embedders: Callable[[str | None], Embedder], vectors: VectorStore) -> None:
        self._database = database
        self._embedders = embedders
        self._vectors = vectors

    @property
    def default_threshold(self) -> float:
        """See `Retriever.default_threshold`."""
        return DEFAULT_THRESHOLD

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
        """See `Retriever.search`."""
        return search(
            self._database,
            self._vectors,
            self._embedders,
            organization_id=organization_id,
            bot_id=bot_id,
            query=query,
            limit=limit,
            documents=documents,
            mode=mode,
        )

    def assemble(self, hits: Sequence[Hit], token_budget: int) -> Sequence[Passage]:
        """See `Retriever.assemble`."""
        return assemble(hits, token_budget, self._embedders(None).count_tokens)
