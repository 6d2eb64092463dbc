"""What is checked and cut on the way to a vendor of vectors, and back."""

import json
from collections.abc import Iterable, Iterator, Mapping
from math import isnan
from typing import Any

from chatsphere.errors import ConfigurationError
from chatsphere.ports.embedding import Vector

_BETWEEN_ITEMS = len(", ")

Item = Mapping[str, Any]


def require_dimensions(vectors: Iterable[Vector], dimensions: int) -> None:
    """Return if each vector has `dimensions` numbers.

    Raises:
        ConfigurationError: the store is set up for another embedder.
    """
    for vector in vectors:
        if len(vector) != dimensions:
            raise ConfigurationError(f"VECTOR_DIMENSIONS is {dimensions}, the embedder's is {len(vector)}.")


def cosine(value: Any) -> float:
    """Return a similarity that a vendor answered, within [-1, 1]: its arithmetic leaves the range by a little.

    Raises:
        TypeError, ValueError: it is no number. NaN would pass for the best match of all.
    """
    score = float(value)
    if isnan(score):
        raise ValueError("not a number")
    return max(-1.0, min(1.0, score))


def batches(items: Iterable[Item], *, max_items: int, max_bytes: int) -> Iterator[list[Item]]:
    """Yield the items in order, in lists of at most `max_items` that are `max_bytes` of JSON together.

    What the request holds beside its items is the caller's to leave room for. An item that is larger than
    `max_bytes` stands alone.
    """
    batch: list[Item] = []
    size = 0
    for item in items:
        added = len(json.dumps(item, ensure_ascii=False).encode()) + _BETWEEN_ITEMS
        if batch and (len(batch) == max_items or size + added > max_bytes):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += added
    if batch:
        yield batch
