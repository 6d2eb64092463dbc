"""The side of a search that compares vectors, with the model that the bot was embedded with."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from time import monotonic
from uuid import UUID

from chatsphere.errors import EmbeddingModelUnavailableError
from chatsphere.knowledge.embedding import BotEmbedding
from chatsphere.knowledge.retrieval.known_vectors import KnownVectors, embedded
from chatsphere.knowledge.retrieval.settings import CANDIDATES
from chatsphere.observability import Metric, logger, record
from chatsphere.ports.embedding import Embedder, Vector
from chatsphere.ports.vectors import VectorStore


@dataclass(slots=True)
class DenseSide:
    """Searches vectors for one query. `embedders` returns the embedder of a model's name, None: the deployment's own.

    A further search does not have the query embedded again. `embed_seconds`, `tokens` and `cost_microdollars`: what
    embedding it took; `model`: which one did it last.
    """

    vectors: VectorStore
    embedders: Callable[[str | None], Embedder]
    timer: Callable[[], float] = monotonic
    embed_seconds: float = 0.0
    tokens: int = 0
    cost_microdollars: int = 0
    model: str | None = None
    remembered: KnownVectors | None = None
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
            vector = self._vector(embedding, query)
        except EmbeddingModelUnavailableError:
            record(Metric.SEARCHES_WITHOUT_VECTORS)
            logger.warning("words alone are searched", bot_id=str(embedding.namespace.bot_id), model=embedding.model)
            return None
        matches = self.vectors.query(embedding.namespace, vector, limit=limit, documents=documents)
        return {match.chunk_id: match.score for match in matches}

    def _vector(self, embedding: BotEmbedding, query: str) -> Vector:
        embedder, asked = self.embedders(embedding.model), (embedding.model, query)
        if asked not in self._known:
            began = self.timer()
            self._known[asked], tokens = embedded(self.remembered, embedding.namespace, embedder, query)
            self.embed_seconds += self.timer() - began
            self.tokens += tokens
            self.cost_microdollars += embedder.cost(tokens)
        self.model = embedder.model
        return self._known[asked]
