"""Finding messages by what they mean."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from chatsphere.chat.memory.places import memory_place
from chatsphere.db.database import Database
from chatsphere.errors import EmbeddingModelUnavailableError
from chatsphere.knowledge.retrieval.embedding_text import storable
from chatsphere.knowledge.retrieval.known_vectors import KnownVectors, embedded
from chatsphere.observability import logger
from chatsphere.ports.embedding import Embedder
from chatsphere.ports.message_vectors import MessageFilter, MessageMatch, MessageVectors


@dataclass(frozen=True, slots=True)
class FoundMessages:
    """What several searches found, one after the other, and what embedding their query took."""

    matches: Sequence[MessageMatch] = ()
    embedding_tokens: int = 0
    embedding_microdollars: int = 0


@dataclass(frozen=True, slots=True)
class MemorySearch:
    """Searches the memory of one bot at a time, with the model that the memory was made by.

    `embedders` returns the embedder of a model's name, None: the deployment's own. A query that is among the
    `known_vectors` is not embedded again.
    """

    database: Database
    embedders: Callable[[str | None], Embedder]
    vectors: MessageVectors
    known_vectors: KnownVectors | None = None

    def search(
        self, organization_id: UUID, bot_id: UUID, query: str, *, limit: int, where: MessageFilter | None = None
    ) -> Sequence[MessageMatch]:
        """Return up to `limit` messages of the bot, the nearest first.

        A message that was deleted a moment ago may still be among them: read each from the database. None is found
        where the bot has no memory, or its model is not available any more.

        Raises:
            UnavailableError: the database, the vector store or the embedder does not answer.
        """
        return self.search_each(organization_id, bot_id, query, limit=limit, where=[where]).matches

    def search_each(
        self, organization_id: UUID, bot_id: UUID, query: str, *, limit: int, where: Sequence[MessageFilter | None]
    ) -> FoundMessages:
        """Return the same for each of several filters, one after the other: the query is embedded once."""
        with self.database.transaction(organization_id) as connection:
            place = memory_place(connection, organization_id, bot_id)
        if place is None:
            return FoundMessages()
        text = storable(query)
        try:
            embedder = self.embedders(place.model)
        except EmbeddingModelUnavailableError:
            logger.warning("memory not searched", bot_id=str(bot_id), model=place.model)
            return FoundMessages()
        vector, tokens = embedded(self.known_vectors, place.namespace, embedder, text)
        matches = [
            match for each in where for match in self.vectors.query(place.namespace, vector, limit=limit, where=each)
        ]
        return FoundMessages(matches, tokens, embedder.cost(tokens))
