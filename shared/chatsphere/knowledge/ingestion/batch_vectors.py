"""One batch of chunks becomes vectors in one namespace: of ingestion, and of a bot that is embedded anew."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chatsphere.billing.work import PaidWork, price_of
from chatsphere.knowledge.ingestion.messages import EmbedMessage, vector_id
from chatsphere.knowledge.retrieval.embedding_text import embedding_text
from chatsphere.observability import Metric, record
from chatsphere.ports.embedding import Embedder
from chatsphere.ports.vectors import Namespace, VectorRecord, VectorStore

EmbedderFor = Callable[[str | None], Embedder]
"""Returns the embedder of a model's name, None: the deployment's own."""

TextOf = Callable[[str, Sequence[str], str], str]
"""What is embedded for a chunk, of its document's name, its heading path and its content."""


@dataclass(frozen=True, slots=True)
class EmbeddedBatch:
    """What was written: at which revision, by which model, and what that took."""

    revision: int
    model: str
    tokens: int
    cost_microdollars: int

    def values(self) -> dict[str, Any]:
        """Return parameters of the statements that keep it."""
        return {
            "revision": self.revision,
            "model": self.model,
            "tokens": self.tokens,
            "cost": self.cost_microdollars,
        }


def write_vectors(
    message: EmbedMessage,
    name: str,
    chunks: Sequence[Mapping[str, Any]],
    *,
    namespace: Namespace,
    embedder: Embedder,
    vectors: VectorStore,
    paid: PaidWork,
    text_of: TextOf = embedding_text,
) -> EmbeddedBatch:
    """Embed a batch's chunks and write their vectors; doing it again writes the same ones.

    Raises:
        NotFoundError: the document was deleted meanwhile; not every store can know it.
        UnavailableError: the model or the store does not answer.
        WorkOverBudgetError: the organization's budget has no room for the batch.
    """
    texts = [text_of(name, chunk["heading_path"], chunk["content"]) for chunk in chunks]
    # As the model that embeds counts, whatever the chunks were counted with.
    tokens = sum(map(embedder.count_tokens, texts))
    price = price_of(embedder, tokens)
    embedded = paid.do(namespace.organization_id, price, lambda: embedder.embed_documents(texts))
    records = [
        VectorRecord(
            id=vector_id(message, chunk["ordinal"]),
            values=vector,
            document_id=message.document_id,
            generation=message.generation,
            chunk_id=chunk["id"],
        )
        for chunk, vector in zip(chunks, embedded, strict=True)
    ]
    vectors.upsert(namespace, records)
    record(Metric.CHUNKS_EMBEDDED, len(chunks))
    record(Metric.TOKENS_EMBEDDED, tokens)
    return EmbeddedBatch(namespace.revision, embedder.model, tokens, price.cost_microdollars)
