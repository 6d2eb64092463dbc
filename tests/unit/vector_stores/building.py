"""Namespaces, documents and records for tests of the adapters."""

from uuid import UUID, uuid4

from chatsphere.ports.embedding import Vector
from chatsphere.ports.vectors import Namespace, VectorRecord

DIMENSIONS = 3


def new_namespace() -> Namespace:
    return Namespace(uuid4(), uuid4())


def record(document: UUID, ordinal: int, values: Vector = (1.0, 0.0, 0.0), *, generation: int = 1) -> VectorRecord:
    return VectorRecord(f"{document}:{generation}:{ordinal}", values, document, generation, uuid4())


def records(document: UUID, count: int, *, generation: int = 1) -> list[VectorRecord]:
    return [record(document, ordinal, (1.0, ordinal, 0.0), generation=generation) for ordinal in range(count)]
