"""Texts as vectors."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

Vector = Sequence[float]


class TokenCounter(Protocol):
    """Counts text as the embedder does."""

    def count_tokens(self, text: str) -> int:
        """Return the number of tokens of `text`, special tokens not counted."""
        ...


class Embedder(TokenCounter, Protocol):
    """Turns text into unit vectors; cosine similarity is then the dot product."""

    @property
    def model(self) -> str:
        """Name of the model, stored beside every vector it makes."""
        ...

    @property
    def dimensions(self) -> int:
        """Length of every vector."""
        ...

    def embed_documents(self, texts: Sequence[str]) -> list[Vector]:
        """Return one unit vector for each text, in order. Text past the model's limit is ignored."""
        ...

    def embed_query(self, text: str) -> Vector:
        """Return the unit vector of a question."""
        ...

    def cost(self, tokens: int) -> int:
        """Return what embedding so many tokens costs in micro-dollars, rounded up."""
        ...


@dataclass(frozen=True, slots=True)
class EmbeddingModel:
    """A model that a deployment can embed with. The price is in micro-dollars for a million tokens.

    `is_default`: it embeds bots that no other model was chosen for.
    """

    name: str
    dimensions: int
    microdollars_per_million_tokens: int
    is_default: bool

    def cost(self, tokens: int) -> int:
        """As `Embedder.cost`."""
        return -(-tokens * self.microdollars_per_million_tokens // 1_000_000)
