"""Retrieval as chat uses it: bound to the environment's database, embedder and vector store."""

from collections.abc import Callable, Sequence
from uuid import UUID

from chatsphere.db.database import Database
from chatsphere.errors import EmbeddingModelUnavailableError
from chatsphere.knowledge.retrieval.filters import DocumentFilter
from chatsphere.knowledge.retrieval.known_vectors import KnownVectors
from chatsphere.knowledge.retrieval.models import Mode, Passage, SearchResult
from chatsphere.knowledge.retrieval.passages import assemble
from chatsphere.knowledge.retrieval.search import search
from chatsphere.knowledge.retrieval.settings import DEFAULTS, RetrievalSettings
from chatsphere.ports.embedding import Embedder
from chatsphere.ports.vectors import VectorStore


class BotRetriever:
    """The `Retriever` of the running service.

    `embedders` returns the embedder of a model's name, None: the deployment's own, which counts passages' tokens.
    """

    def __init__(
        self,
        database: Database,
        embedders: Callable[[str | None], Embedder],
        vectors: VectorStore,
        remembered: KnownVectors | None = None,
    ) -> None:
        self._remembered = remembered
        self._database = database
        self._embedders = embedders
        self._vectors = vectors

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
        """See `Retriever.search`."""
        return search(
            self._database,
            self._vectors,
            self._embedders,
            organization_id=organization_id,
            bot_id=bot_id,
            query=query,
            limit=limit,
            within=within,
            mode=mode,
            settings=settings,
            explain=explain,
            remembered=self._remembered,
        )

    def embedding_cost(self, model: str | None, tokens: int) -> int:
        """See `Retriever.embedding_cost`."""
        try:
            return self._embedders(model).cost(tokens)
        except EmbeddingModelUnavailableError:
            # Words alone will be searched.
            return 0

    def assemble(self, found: SearchResult, token_budget: int) -> Sequence[Passage]:
        """See `Retriever.assemble`."""
        return assemble(found.hits, token_budget, self._embedders(None).count_tokens, neighbours=found.neighbours)
