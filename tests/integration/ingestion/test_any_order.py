"""Whatever happens to a bucket, and however its notifications come, each document ends as its object is."""

import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from tests.integration.ingestion.pipeline import MAX_BYTES, Pipeline, WorkerKilled
from tests.integration.ingestion.tripwire import Tripwire, wire

NAMES = (
    "plain.txt",
    "with space + plus % percent & more.txt",
    # One name in two normal forms: two objects, so two documents.
    "caf\u00e9.txt",
    "cafe\u0301.txt",
    "\u65e5\u672c\u8a9e/" + "n" * (1_024 - 74 - 10 - 4) + ".txt",
)
TEXTS = ("One line.", "Another line.", "Two\nlines.", "  ", "x" * (MAX_BYTES + 1))
STEPS = 30


@dataclass
class Storm:
    """Random changes of a bucket, and random deliveries of what it tells of them."""

    pipeline: Pipeline
    chance: random.Random
    wire: Tripwire
    waiting: list[dict[str, Any]] = field(default_factory=list)
    dropped: int = 0

    def step(self) -> None:
        """Change something, or let one of the workers do something, or die at it."""
        action = self.chance.choices((self.change, self.deliver_event, self.work, self.wait), weights=(5, 6, 6, 1))[0]
        if self.chance.random() < 0.2:
            self.wire.arm(self.chance.randint(1, 12))
        try:
            action()
        except WorkerKilled:
            pass
        finally:
            self.wire.disarm()

    def change(self) -> None:
        objects, key = self.pipeline.objects, self.key()
        self.pipeline.clock.advance(timedelta(seconds=self.chance.choice((0, 1))))
        match self.chance.choice(("put", "put", "put", "parts", "copy", "remove", "newest", "expire")):
            case "put":
                self.put(key)
            case "parts":
                self.put(key, parts=2)
            case "copy":
                objects.copy(self.key(), key)
            case "remove":
                objects.remove(key)
            case "newest":
                objects.remove_newest(key)
            case "expire":
                objects.remove_newest(key, event="LifecycleExpiration:Delete")
        self.overhear()

    def put(self, key: str, parts: int = 0) -> None:
        body = self.chance.choice(TEXTS).encode()
        self.pipeline.objects.put(key, body, content_type="text/plain", metadata={}, parts=parts)

    def key(self) -> str:
        return self.pipeline.key(self.chance.choice(NAMES))

    def overhear(self) -> None:
        """Take each notification one to five times, in any order; some never come."""
        for event in self.pipeline.events:
            if self.chance.random() < 0.15:
                self.dropped += 1
            else:
                self.waiting += [event] * self.chance.randint(1, 5)
        self.pipeline.events.clear()
        self.chance.shuffle(self.waiting)

    def deliver_event(self) -> None:
        if self.waiting:
            event = self.waiting.pop()
            try:
                worked_off = self.pipeline.deliver(self.pipeline.register, event)
            except WorkerKilled:
                self.waiting.insert(0, event)
                raise
            if not worked_off:
                self.waiting.insert(0, event)

    def work(self) -> None:
        p = self.pipeline
        queue, process = self.chance.choice(
            ((p.extract_queue, p.extract), (p.embed_queue, p.embed), (p.purge_queue, p.purge))
        )
        if queue.messages:
            self.chance.shuffle(queue.messages)
            message = queue.messages.popleft()
            if not p.deliver(process, message):
                queue.messages.append(message)

    def wait(self) -> None:
        self.pipeline.clock.advance(timedelta(minutes=self.chance.choice((1, 6))))
        self.pipeline.reap()

    def calm(self) -> None:
        """Deliver what is left, and let everything be tried again."""
        self.overhear()
        for _ in range(3):
            for event in self.waiting:
                self.pipeline.deliver(self.pipeline.register, event)
            self.waiting.clear()
            self.pipeline.settle()
            self.overhear()


def expected(pipeline: Pipeline, key: str) -> str | None:
    """Return the hash of what readers are to find under the key."""
    stored = pipeline.objects.head(key)
    return None if stored is None else stored.etag.partition("-")[0]


@pytest.mark.parametrize("versioned", [True, False], ids=["versioned", "unversioned"])
@pytest.mark.parametrize("seed", range(5))
def test_each_document_ends_as_its_object_is(make_pipeline: Callable[[], Pipeline], seed: int, versioned: bool) -> None:
    # Given
    pipeline = make_pipeline()
    pipeline.use_bucket(versioned=versioned)
    storm = Storm(pipeline, random.Random(seed), wire(pipeline))
    # When
    for _ in range(STEPS):
        storm.step()
    storm.calm()
    pipeline.reconcile()
    storm.calm()
    # Then
    assert_corresponds(pipeline)


def assert_corresponds(pipeline: Pipeline) -> None:
    """Every object has its document, with its text, once in every store; and nothing else is anywhere."""
    documents = {row["s3_key"]: row for row in pipeline.documents()}
    assert len(documents) == len(pipeline.documents())
    vectors, texts = [], []
    for name in NAMES:
        stored, row = pipeline.objects.head(pipeline.key(name)), documents.pop(pipeline.key(name), None)
        if row is None:
            assert stored is None, name
            continue
        assert row["status"] in ("ready", "failed"), row
        assert row["vector_cleanup_due"] is None
        if row["status"] == "failed" and row["stage"] == "register":
            assert (row["error_code"], stored) == ("too_large", None)
        else:
            assert stored is not None, row
            assert row["etag"] == stored.etag
        if row["status"] == "failed" and row["stage"] != "register":
            assert row["error_code"] == "empty"
            assert stored is not None
            assert stored.etag.partition("-")[0] == hashlib.md5(TEXTS[3].encode()).hexdigest()
        if row["status"] == "ready":
            text = next(text for text in TEXTS if hashlib.sha256(text.encode()).hexdigest() == row["sha256"])
            assert stored is not None
            assert hashlib.md5(text.encode()).hexdigest() == stored.etag.partition("-")[0]
        if row["live_generation"] is not None:
            count = row["chunk_count"]
            vectors += [f"{row['id']}:{row['live_generation']}:{ordinal}" for ordinal in range(count)]
            texts.append(count)
    assert not documents
    assert pipeline.vector_ids() == sorted(vectors)
    assert pipeline.chunks(live=False) == pipeline.chunks() == pipeline.indexed()
    assert len(pipeline.chunks()) == sum(texts)
