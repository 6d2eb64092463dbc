"""A part of the container; see `chatsphere.bootstrap`."""

from functools import cached_property, partial

from chatsphere import settings
from chatsphere.bootstrap.connections import Connections
from chatsphere.ports.cache import Cache
from chatsphere.ports.message_vectors import MessageVectors
from chatsphere.ports.vectors import VectorStore


class Vectors(Connections):
    """Where vectors are, and the cache."""

    @cached_property
    def vector_store(self) -> VectorStore:
        """The vector store."""
        chosen = self._load(settings.VectorStoreSettings)
        if chosen.vector_store == "pinecone":
            from chatsphere.adapters.pinecone.further_index import FurtherPineconeIndex
            from chatsphere.adapters.pinecone.store import PineconeVectorStore
            from chatsphere.adapters.vectors_by_length import VectorsByLength

            pinecone = PineconeVectorStore(chosen)
            return VectorsByLength(pinecone, chosen.vector_dimensions, partial(FurtherPineconeIndex, chosen))
        if chosen.vector_store == "qdrant":
            from chatsphere.adapters.qdrant.store import FurtherQdrantCollection, QdrantVectorStore
            from chatsphere.adapters.vectors_by_length import VectorsByLength

            qdrant = QdrantVectorStore(chosen)
            return VectorsByLength(qdrant, chosen.vector_dimensions, partial(FurtherQdrantCollection, chosen))
        from chatsphere.adapters.pgvector import PgVectorStore

        return PgVectorStore(self.database)

    @property
    def vector_store_kind(self) -> str:
        """Which vector store it is."""
        return self._load(settings.VectorStoreSettings).vector_store

    @cached_property
    def message_vectors(self) -> MessageVectors:
        """The vectors of messages, in the same store."""
        chosen = self._load(settings.VectorStoreSettings)
        if chosen.vector_store == "pinecone":
            from chatsphere.adapters.pinecone.messages import PineconeMessageVectors

            return PineconeMessageVectors(chosen)
        if chosen.vector_store == "qdrant":
            from chatsphere.adapters.qdrant.messages import QdrantMessageVectors

            return QdrantMessageVectors(chosen)
        from chatsphere.adapters.pgvector_messages import PgMessageVectors

        return PgMessageVectors(self.database)

    @cached_property
    def cache_settings(self) -> settings.CacheSettings:
        """Where the cache is, if there is one."""
        return self._load(settings.CacheSettings)

    @cached_property
    def cache_server_settings(self) -> settings.CacheServerSettings:
        """How the cache is used."""
        return self._load(settings.CacheServerSettings)

    @cached_property
    def cache(self) -> Cache | None:
        """What answers and embeddings are kept in to be given again; None where that is off."""
        chosen = self.cache_server_settings
        if chosen.cache == "off":
            return None
        if chosen.cache == "redis":
            from chatsphere.adapters.redis.cache import RedisCache

            return RedisCache(chosen)
        from chatsphere.adapters.postgres_cache import PostgresCache

        return PostgresCache(self.database, self.clock)

    def prepare_vector_store(self) -> None:
        """Make what the vector store needs before its first use: an index at Pinecone, a collection at Qdrant."""
        chosen = self._load(settings.VectorStoreSettings)
        if chosen.vector_store == "pinecone":
            from chatsphere.adapters.pinecone.index import ensure_index

            ensure_index(chosen, chosen.vector_dimensions)
        elif chosen.vector_store == "qdrant":
            from chatsphere.adapters.qdrant.collection import ensure_collection

            ensure_collection(chosen)
