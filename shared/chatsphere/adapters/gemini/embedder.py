"""The `Embedder` port on Gemini's embedding models."""

from collections.abc import Sequence
from math import hypot, isfinite
from typing import Any, Final, Literal

from chatsphere.adapters.gemini.api import bare_name, gemini_upstream, path_of, reach_model
from chatsphere.adapters.gemini.prices import EMBEDDING_PRICES, embedding_price
from chatsphere.adapters.gemini.tokens import GeminiTokenEstimate, fitting
from chatsphere.adapters.upstream import QUESTION_SECONDS
from chatsphere.errors import EmbeddingModelUnavailableError, UnavailableError
from chatsphere.ports.embedding import Vector
from chatsphere.settings import EmbeddingSettings

MAX_BATCH: Final = 100

Task = Literal["RETRIEVAL_DOCUMENT", "RETRIEVAL_QUERY"]

_PREFIXES: Final[dict[Task, str]] = {
    "RETRIEVAL_DOCUMENT": "title: none | text: ",
    "RETRIEVAL_QUERY": "task: search result | query: ",
}
_PREFIX_TOKENS: Final = 16
_MAX_TOKENS: Final = 8192
_MAX_TOKENS_001: Final = 2048


def model_name(name: str, dimensions: int) -> str:
    """Return what vectors of this length are said to be made by."""
    return f"{name}:{dimensions}"


class GeminiEmbedder(GeminiTokenEstimate):
    """Embeds texts over the network. Opens nothing until it is used; threads may share it.

    `gemini-embedding-001` is told its task by a parameter. Its successors ignore that parameter and read the task
    from the words before the text, as Google's page "Embeddings" gives them.
    """

    def __init__(self, settings: EmbeddingSettings) -> None:
        self._name = bare_name(settings.gemini_embedding_model)
        self._dimensions = settings.gemini_embedding_dimensions
        self._price = embedding_price(settings, self._name)
        self._upstream = gemini_upstream(settings)
        self._takes_task_type = self._name == "gemini-embedding-001"
        self._max_tokens = _MAX_TOKENS_001 if self._takes_task_type else _MAX_TOKENS

    def reach(self) -> None:
        """See `Reachable.reach`."""
        reach_model(self._upstream, self._name)

    @classmethod
    def of_model(cls, model: str, settings: EmbeddingSettings) -> "GeminiEmbedder":
        """Return the embedder whose `model` is this.

        Raises:
            EmbeddingModelUnavailableError: it is none of Google's that is known, or there is no key.
        """
        name = model.rpartition(":")[0]
        known = name in EMBEDDING_PRICES or name == bare_name(settings.gemini_embedding_model)
        if not known or model != model_name(name, settings.gemini_embedding_dimensions) or not settings.gemini_api_key:
            raise EmbeddingModelUnavailableError
        return cls(settings.model_copy(update={"gemini_embedding_model": name}))

    @property
    def model(self) -> str:
        """Name of the model and the length of its vectors: vectors of two lengths do not compare."""
        return model_name(self._name, self._dimensions)

    @property
    def dimensions(self) -> int:
        """Length of every vector."""
        return self._dimensions

    def embed_documents(self, texts: Sequence[str]) -> list[Vector]:
        """Return one unit vector for each text, in order; what exceeds the model's limit is ignored."""
        return [
            vector
            for start in range(0, len(texts), MAX_BATCH)
            for vector in self._embed(texts[start : start + MAX_BATCH], "RETRIEVAL_DOCUMENT")
        ]

    def embed_query(self, text: str) -> Vector:
        """Return the unit vector of a question."""
        (vector,) = self._embed([text], "RETRIEVAL_QUERY", within_seconds=QUESTION_SECONDS)
        return vector

    def cost(self, tokens: int) -> int:
        """Return the micro-dollars for so many tokens, rounded up."""
        return self._price.cost(tokens, 0)

    def _embed(self, texts: Sequence[str], task: Task, *, within_seconds: float | None = None) -> list[Vector]:
        body = {"requests": [self._request(text, task) for text in texts]}
        path = path_of(self._name, "batchEmbedContents")
        answer = self._upstream.call("POST", path, body, within_seconds=within_seconds).body
        found = answer.get("embeddings") if isinstance(answer, dict) else None
        if not isinstance(found, list) or len(found) != len(texts):
            raise UnavailableError("Gemini answered with another number of embeddings than was asked for.")
        return [_unit(embedding, self._dimensions) for embedding in found]

    def _request(self, text: str, task: Task) -> dict[str, Any]:
        """Return the request for one text: several in one `content` would come back as one merged vector."""
        text = fitting(text, self._max_tokens - _PREFIX_TOKENS)
        request: dict[str, Any] = {
            "model": f"models/{self._name}",
            "outputDimensionality": self._dimensions,
        }
        if self._takes_task_type:
            request["taskType"] = task
            # Content without a word is refused.
            spoken = text if text.strip() else "-"
        else:
            spoken = _PREFIXES[task] + text
        request["content"] = {"role": "user", "parts": [{"text": spoken}]}
        return request


def _unit(embedding: Any, dimensions: int) -> Vector:
    """Return the embedding's values at length one: the API cuts vectors short and leaves them so.

    Raises:
        UnavailableError: it is not a vector of `dimensions` numbers with a direction.
    """
    values = embedding.get("values") if isinstance(embedding, dict) else None
    if not isinstance(values, list) or len(values) != dimensions:
        raise UnavailableError("Gemini answered with an embedding of another length than was asked for.")
    if not all(type(value) in (float, int) for value in values):
        raise UnavailableError("Gemini answered with an embedding that is not of numbers.")
    norm = hypot(*values)
    if not isfinite(norm) or norm == 0:
        raise UnavailableError("Gemini answered with an embedding that has no direction.")
    return [value / norm for value in values]
