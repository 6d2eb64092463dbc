"""Kills the worker at a chosen step: before or after any commit, and before or after any call of a port."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from chatsphere.db.database import Connection, Database
from tests.integration.ingestion.pipeline import Pipeline, WorkerKilled


def crash_stride(default: int) -> int:
    """Return how many steps lie between two that are fatal. CRASH_STRIDE=1 in the environment tries each of them."""
    return int(os.environ.get("CRASH_STRIDE", default))


class Tripwire:
    """Counts steps and raises at one of them, once."""

    def __init__(self) -> None:
        self.passed = 0
        self._fatal: int | None = None

    def arm(self, fatal: int) -> None:
        self.passed = 0
        self._fatal = fatal

    def disarm(self) -> None:
        self._fatal = None

    def step(self) -> None:
        self.passed += 1
        if self.passed == self._fatal:
            self.disarm()
            raise WorkerKilled


class WiredDatabase:
    """A database whose commits are steps: killed before one, the work is undone; after it, it is done."""

    def __init__(self, database: Database, wire: Tripwire) -> None:
        self._database = database
        self._wire = wire

    @contextmanager
    def transaction(
        self,
        organization_id: UUID | None,
        actor_id: UUID | None = None,
        *,
        pipelined: bool = False,
        statement_ms: int | None = None,
    ) -> Iterator[Connection]:
        with self._database.transaction(
            organization_id, actor_id, pipelined=pipelined, statement_ms=statement_ms
        ) as connection:
            yield connection
            self._wire.step()
        self._wire.step()


class Wired:
    """Any port: each call of a method is two steps, one before it and one after it."""

    def __init__(self, inner: Any, wire: Tripwire, methods: frozenset[str]) -> None:
        self._inner = inner
        self._wire = wire
        self._methods = methods

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._inner, name)
        if name not in self._methods:
            return attribute

        def call(*arguments: Any, **named: Any) -> Any:
            self._wire.step()
            result = attribute(*arguments, **named)
            self._wire.step()
            return result

        return call


def wire(pipeline: Pipeline) -> Tripwire:
    """Put a tripwire around everything that the pipeline's stages touch."""
    tripwire = Tripwire()
    pipeline.database = WiredDatabase(pipeline.database, tripwire)  # type: ignore[assignment]
    pipeline.objects = Wired(pipeline.objects, tripwire, frozenset({"head", "download", "delete", "delete_prefix"}))
    pipeline.vectors = Wired(
        pipeline.vectors, tripwire, frozenset({"upsert", "delete_document", "delete_namespace", "count"})
    )
    pipeline.messages = Wired(
        pipeline.messages, tripwire, frozenset({"upsert", "delete_conversation", "delete_namespace"})
    )
    for name in ("extract_queue", "embed_queue", "purge_queue"):
        setattr(pipeline, name, Wired(getattr(pipeline, name), tripwire, frozenset({"send"})))
    return tripwire


def run_killed_at(pipeline: Pipeline, tripwire: Tripwire, fatal: int) -> bool:
    """Run until the worker is killed at the step; return False where there are fewer steps."""
    tripwire.arm(fatal)
    try:
        pipeline.run()
    except WorkerKilled:
        return True
    finally:
        tripwire.disarm()
    return False
