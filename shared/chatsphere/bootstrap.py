"""Everything concrete is chosen here, from the environment, when it is first needed."""

import os
from collections.abc import Mapping
from functools import cached_property, lru_cache

from chatsphere import ports, settings
from chatsphere.db.database import Database


class Container:
    """One execution environment's adapters.

    Vendor imports happen inside the properties, so that a function pays only for what it touches.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    @cached_property
    def clock(self) -> ports.Clock:
        """The machine's clock."""
        from chatsphere.adapters.system import SystemClock

        return SystemClock()

    @cached_property
    def ids(self) -> ports.Ids:
        """Ordered identifiers."""
        from chatsphere.adapters.system import SystemClock, UuidV7Ids

        return UuidV7Ids(SystemClock())

    @cached_property
    def database(self) -> Database:
        """The application role's connection."""
        return Database(settings.DatabaseSettings.load(self._environment).database_url)

    @cached_property
    def authenticator_database(self) -> Database:
        """The connection that finds credentials of every tenant."""
        return Database(settings.AuthenticatorSettings.load(self._environment).authenticator_database_url)

    @cached_property
    def reaper_database(self) -> Database:
        """The connection that finds stalled work of every tenant."""
        return Database(settings.ReaperSettings.load(self._environment).reaper_database_url)

    @cached_property
    def tokens(self) -> ports.TokenSigner:
        """Signer and verifier of access tokens."""
        from chatsphere.adapters.jwt_tokens import JwtTokenSigner

        return JwtTokenSigner(self.token_settings)

    @cached_property
    def token_settings(self) -> settings.TokenSettings:
        """Lifetimes and keys of tokens."""
        return settings.TokenSettings.load(self._environment)

    @cached_property
    def passwords(self) -> ports.PasswordHasher:
        """The password hasher."""
        from chatsphere.adapters.argon2_passwords import Argon2PasswordHasher

        return Argon2PasswordHasher(settings.PasswordSettings.load(self._environment))

    @cached_property
    def storage_settings(self) -> settings.StorageSettings:
        """Limits of uploads."""
        return settings.StorageSettings.load(self._environment)

    @cached_property
    def object_store(self) -> ports.ObjectStore:
        """The uploads bucket."""
        from chatsphere.adapters.s3 import S3ObjectStore

        return S3ObjectStore(self.storage_settings)

    @cached_property
    def extract_queue(self) -> ports.MessageQueue:
        """Documents to be read."""
        return self._queue("extract_queue_url")

    @cached_property
    def embed_queue(self) -> ports.MessageQueue:
        """Batches of chunks to be embedded."""
        return self._queue("embed_queue_url")

    @cached_property
    def purge_queue(self) -> ports.MessageQueue:
        """Bots and documents to be deleted."""
        return self._queue("purge_queue_url")

    @cached_property
    def embedder(self) -> ports.Embedder:
        """The embedding model."""
        settings.EmbeddingSettings.load(self._environment)
        from chatsphere.adapters.minilm import MiniLmEmbedder

        return MiniLmEmbedder()

    @cached_property
    def token_counter(self) -> ports.TokenCounter:
        """The embedder's tokenizer without its model."""
        settings.EmbeddingSettings.load(self._environment)
        from chatsphere.adapters.minilm import MiniLmTokenizer

        return MiniLmTokenizer()

    @cached_property
    def vector_store(self) -> ports.VectorStore:
        """The vector store."""
        settings.VectorStoreSettings.load(self._environment)
        from chatsphere.adapters.pgvector import PgVectorStore

        return PgVectorStore(self.database)

    @cached_property
    def answer_model(self) -> ports.AnswerModel:
        """The model that writes answers."""
        settings.AnswerSettings.load(self._environment)
        from chatsphere.adapters.extractive import ExtractiveAnswerModel

        return ExtractiveAnswerModel(self.embedder)

    @cached_property
    def api_settings(self) -> settings.ApiSettings:
        """What the API says of itself."""
        return settings.ApiSettings.load(self._environment)

    def _queue(self, variable: str) -> ports.MessageQueue:
        from chatsphere.adapters.sqs import SqsQueue
        from chatsphere.errors import ConfigurationError

        queues = settings.QueueSettings.load(self._environment)
        url = getattr(queues, variable)
        if url is None:
            raise ConfigurationError(f"{variable.upper()} is not set: this function may not send there.")
        return SqsQueue(url, endpoint=queues.sqs_endpoint)


@lru_cache(maxsize=1)
def container() -> Container:
    """Return this process's container, made from its environment."""
    return Container(os.environ)
