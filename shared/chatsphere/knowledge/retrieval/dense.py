"""The side of a search that compares vectors, with the model that the bot was embedded with."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from chatsphere.errors import EmbeddingModelUnavailableError
from chatsphere.knowledge.embedding import BotEmbedding
from chatsphere.knowledge.retrieval.fusion import CANDIDATES
from chatsphere.observability import Metric, logger, record
from chatsphere.ports import Embedder, Vector, VectorStore


@dataclass(frozen=True, slots=True)
class DenseSide:
    """Searches vectors for one query. `embedders` returns the embedder of a model's name, None: the deployment's own.

    A further search does not have the query embedded again.
    """

    vectors: VectorStore
    embedders: Callable[[str | None], Embedder]
    _known: dict[tuple[str | None, str], Vector] = field(default_factory=dict)

    def search(
        self,
        embedding: BotEmbedding,
        query: str,
        documents: Collection[UUID] | None,
        *,
        limit: int = CANDIDATES,
    ) -> Mapping[UUID, float] | None:
        """Return the nearest chunks with their cosines, best first; None where the bot's model is not available.

        Raises:
            UnavailableError: the vector store or the embedder does not answer.
        """
        try:
            vector = self._vector(embedding.model, query)
        except EmbeddingModelUnavailableError:
            record(Metric.SEARCHES_WITHOUT_VECTORS)
            logger.warning("words alone are searched", bot_id=str(embedding.namespace.bot_id), model=embedding.model)
            return None
        matches = self.vectors.query(embedding.namespace, vector, limit=limit, documents=documents)
        return {match.chunk_id: match.score for match in matches}

    def _vector(self, model: str | None, query: str) -> Vector:
        if (model, query) not in self._known:
            self._known[model, query] = self.embedders(model).embed_query(query)
        return self._known[model, query]
