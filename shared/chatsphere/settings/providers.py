"""Which models and which vector store are used, and how vendors are called."""

from typing import Literal, Self

from pydantic import Field, model_validator

from chatsphere.settings.environment import Environment, VendorKey


class ProviderSettings(Environment):
    """How vendors are called over HTTP: one call's limits, its retries, and when to stop asking.

    A call is tried up to `provider_attempts` times within `provider_total_seconds`, with full jitter between the
    tries; after `provider_breaker_failures` failures in a row none is made for `provider_breaker_seconds`.
    """

    provider_connect_seconds: float = Field(default=3.0, gt=0, le=60)
    provider_read_seconds: float = Field(default=20.0, gt=0, le=300)
    provider_total_seconds: float = Field(default=45.0, gt=0, le=600)
    provider_attempts: int = Field(default=4, ge=1, le=10)
    provider_backoff_seconds: float = Field(default=0.3, ge=0, le=10)
    provider_breaker_failures: int = Field(default=8, ge=1)
    provider_breaker_seconds: float = Field(default=15.0, gt=0, le=300)


class GeminiSettings(ProviderSettings):
    """Google's Gemini API. The key is required by what uses Gemini."""

    gemini_api_key: VendorKey = None
    gemini_url: str = "https://generativelanguage.googleapis.com"


class EmbeddingSettings(GeminiSettings):
    """Which embedder turns text into vectors, where a bot has not been embedded by another.

    `local_embedding_model`: a folder of this machine with tokenizer.json and model.onnx; the prompts stand before what
    is embedded, where the folder does not name the model's own. The price is in micro-dollars for a million tokens; set
    it for a model whose price is not known.
    """

    embedder: Literal["minilm", "gemini", "local"] = "minilm"
    local_embedding_model: str | None = Field(default=None, min_length=1)
    local_embedding_query_prompt: str | None = None
    local_embedding_passage_prompt: str | None = None
    gemini_embedding_model: str = "gemini-embedding-2"
    gemini_embedding_dimensions: Literal[768] = 768
    gemini_embedding_microdollars: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _has_key(self) -> Self:
        if self.embedder == "gemini" and not self.gemini_api_key:
            raise ValueError("the embedder gemini requires GEMINI_API_KEY")
        if self.embedder == "local" and not self.local_embedding_model:
            raise ValueError("the embedder local requires LOCAL_EMBEDDING_MODEL")
        return self


class VectorStoreSettings(ProviderSettings):
    """Which store holds the vectors.

    Pinecone: `pinecone_host` is the index's own address; without it the control plane is asked once for that of
    `pinecone_index`, and cloud and region say where a missing index is made. `vector_visible_seconds` is how long a
    write may take to be seen before the caller goes on without. Qdrant: one collection, the namespace as payload.
    """

    vector_store: Literal["pgvector", "pinecone", "qdrant"] = "pgvector"
    pinecone_api_key: VendorKey = None
    pinecone_index: str = "chatsphere"
    pinecone_host: str | None = None
    pinecone_control_url: str = "https://api.pinecone.io"
    pinecone_cloud: str = "aws"
    pinecone_region: str = "us-east-1"
    qdrant_url: str | None = None
    qdrant_api_key: VendorKey = None
    qdrant_collection: str = "chatsphere"
    vector_dimensions: int = Field(default=768, ge=1, le=4096)
    vector_visible_seconds: float = Field(default=10.0, ge=0, le=60)

    @model_validator(mode="after")
    def _has_access(self) -> Self:
        if self.vector_store == "pinecone" and not self.pinecone_api_key:
            raise ValueError("the vector store pinecone requires PINECONE_API_KEY")
        if self.vector_store == "qdrant" and not self.qdrant_url:
            raise ValueError("the vector store qdrant requires QDRANT_URL")
        return self


class AnswerSettings(GeminiSettings):
    """Which model writes the answer from the passages.

    The prices are in micro-dollars for a million tokens; set both for a model whose price is not known.
    """

    answer_model: Literal["extractive", "gemini"] = "extractive"
    gemini_answer_model: str = "gemini-3.5-flash-lite"
    gemini_input_microdollars: int | None = Field(default=None, ge=0)
    gemini_output_microdollars: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _has_key(self) -> Self:
        if self.answer_model == "gemini" and not self.gemini_api_key:
            raise ValueError("the answer model gemini requires GEMINI_API_KEY")
        return self
