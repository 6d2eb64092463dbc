"""The whole of ingestion in one process: real stages and a real database, small stand-ins around them."""

import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from chatsphere.adapters.system import UuidV7Ids
from chatsphere.db.database import Connection, Database
from chatsphere.knowledge.ingestion.deletion import Eraser
from chatsphere.knowledge.ingestion.embed import ChunkEmbedder
from chatsphere.knowledge.ingestion.events import parse_events
from chatsphere.knowledge.ingestion.extract import Extractor
from chatsphere.knowledge.ingestion.messages import EmbedMessage, ExtractMessage, PurgeMessage
from chatsphere.knowledge.ingestion.purge import Purger
from chatsphere.knowledge.ingestion.reap import Reaper
from chatsphere.knowledge.ingestion.register import Registrar
from chatsphere.knowledge.ingestion.submit import Submitter
from chatsphere.knowledge.text import Block, Chunk
from chatsphere.observability import Metric
from chatsphere.ports import Namespace, TokenCounter
from chatsphere.queue_batches import Delivery, process_batch
from tests.conftest import Tenant
from tests.fakes import FakeEmbedder, FixedClock, InMemoryObjectStore, InMemoryQueue, InMemoryVectorStore

MAX_BYTES = 10_000
BEYOND_EVERY_LEASE = timedelta(minutes=6)


class WorkerKilled(BaseException):
    """The process ended at this point: nothing of it runs any more."""


@dataclass
class FakeExtraction:
    """What reading a file gives, without a child process."""

    blocks: Iterator[Block]
    page_count: int | None = 1
    media_type: str = "text/plain"

    def __enter__(self) -> "FakeExtraction":
        return self

    def __exit__(self, *_: object) -> None:
        return None


def read_lines(path: Path, **_: Any) -> Any:
    """Each line of a text is a block."""
    return FakeExtraction(Block(line) for line in path.read_text().splitlines() if line.strip())


def one_chunk_a_block(blocks: Iterable[Block], tokens: TokenCounter) -> Iterator[Chunk]:
    """Cut nothing."""
    start = 0
    for ordinal, block in enumerate(blocks):
        end = start + len(block.text)
        yield Chunk(ordinal, block.text, start, end, 1, 1, block.heading_path, tokens.count_tokens(block.text))
        start = end + 2


@dataclass
class Pipeline:
    """One tenant's ingestion. What fails is put back into its queue, as SQS does."""

    tenant: Tenant
    database: Database
    reaper_database: Database
    ids: UuidV7Ids
    clock: FixedClock = field(default_factory=FixedClock)
    extract_queue: Any = field(default_factory=InMemoryQueue)
    embed_queue: Any = field(default_factory=InMemoryQueue)
    purge_queue: Any = field(default_factory=InMemoryQueue)
    vectors: Any = field(default_factory=InMemoryVectorStore)
    embedder: Any = field(default_factory=FakeEmbedder)
    read: Callable[..., Any] = read_lines
    receive_counts: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.objects: Any = InMemoryObjectStore(self.clock)

    # -------------------------------------------------------------------------------------------- the stages

    @property
    def eraser(self) -> Eraser:
        return Eraser(self.database, self.objects, self.vectors, self.clock)

    @property
    def registrar(self) -> Registrar:
        return Registrar(
            self.database, self.objects, self.extract_queue, self.eraser, self.clock, self.ids, max_bytes=MAX_BYTES
        )

    @property
    def submitter(self) -> Submitter:
        return Submitter(
            self.database,
            self.objects,
            self.extract_queue,
            self.registrar,
            self.clock,
            self.ids,
            max_bytes=MAX_BYTES,
            expires_seconds=3600,
        )

    def register(self, delivery: Delivery) -> None:
        for event in parse_events(delivery.body):
            self.registrar.register(event)

    def extract(self, delivery: Delivery) -> None:
        Extractor(
            self.database,
            self.objects,
            self.embed_queue,
            self.embedder,
            self.clock,
            self.ids,
            MAX_BYTES,
            read=self.read,
            cut=one_chunk_a_block,
        ).extract(ExtractMessage.parse(delivery.body))

    def embed(self, delivery: Delivery) -> None:
        embedder = ChunkEmbedder(self.database, self.embedder, self.vectors, self.clock, self.ids)
        embedder.embed(EmbedMessage.parse(delivery.body), delivery.receive_count)

    def purge(self, delivery: Delivery) -> None:
        Purger(self.database, self.objects, self.vectors, self.eraser, self.clock).purge(
            PurgeMessage.parse(delivery.body)
        )

    def reap(self) -> None:
        Reaper(
            self.reaper_database,
            self.database,
            self.extract_queue,
            self.embed_queue,
            self.purge_queue,
            self.clock,
            self.ids,
        ).reap()

    # ------------------------------------------------------------------------------------------- deliveries

    @property
    def events(self) -> list[dict[str, Any]]:
        """S3's notifications that were not delivered yet."""
        events: list[dict[str, Any]] = self.objects.events
        return events

    def deliver(self, process: Callable[[Delivery], None], body: dict[str, Any]) -> bool:
        """Deliver one message; return whether it was worked off."""
        identity = json.dumps([process.__name__, body])
        self.receive_counts[identity] = self.receive_counts.get(identity, 0) + 1
        record = {
            "messageId": "m",
            "body": json.dumps(body),
            "attributes": {"ApproximateReceiveCount": str(self.receive_counts[identity])},
        }
        return not process_batch({"Records": [record]}, process, Metric.EXTRACT_TIME)["batchItemFailures"]

    def deliver_events(self) -> None:
        """Deliver S3's notifications, with what their processing brings about."""
        while self.events:
            # Taken away only when it is worked off: a worker may be killed meanwhile.
            if not self.deliver(self.register, self.events[0]):
                return
            del self.events[0]

    def run(self) -> None:
        """Deliver everything once, and what that sends, until nothing is left but what failed."""
        self.deliver_events()
        for queue, process in (
            (self.extract_queue, self.extract),
            (self.embed_queue, self.embed),
            (self.purge_queue, self.purge),
        ):
            self._drain(queue.messages, process)
        self.deliver_events()

    def settle(self) -> None:
        """Let time pass and everything be tried again, as often as it takes anything that can succeed."""
        for _ in range(4):
            self.clock.advance(BEYOND_EVERY_LEASE)
            self.reap()
            self.run()

    def _drain(self, messages: deque[dict[str, Any]], process: Callable[[Delivery], None]) -> None:
        failed = []
        while messages:
            message = messages.popleft()
            try:
                worked_off = self.deliver(process, message)
            except WorkerKilled:
                messages.appendleft(message)
                raise
            if not worked_off:
                failed.append(message)
        messages.extend(failed)

    # ------------------------------------------------------------------------------------------- the outside

    def key(self, name: str) -> str:
        return f"{self.tenant.organization_id}/{self.tenant.bot_id}/{name}"

    def drop(self, name: str, text: str, content_type: str = "text/plain") -> None:
        """Put an object into the bucket, as any S3 client does."""
        self.objects.put(self.key(name), text.encode(), content_type=content_type, metadata={})

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        with self.database.transaction(self.tenant.organization_id) as connection:
            yield connection

    def documents(self) -> list[dict[str, Any]]:
        with self.connection() as connection:
            return connection.execute(
                "SELECT * FROM documents WHERE bot_id = %s ORDER BY id", (self.tenant.bot_id,)
            ).fetchall()

    def document(self) -> dict[str, Any]:
        (document,) = self.documents()
        return document

    def bot_status(self) -> str | None:
        with self.connection() as connection:
            row = connection.execute("SELECT status FROM bots WHERE id = %s", (self.tenant.bot_id,)).fetchone()
        return row["status"] if row else None

    def chunks(self, *, live: bool = True) -> list[str]:
        """Contents of the chunks that readers see, or of all."""
        query = """
            SELECT content FROM chunks c JOIN documents d ON d.id = c.document_id
            WHERE c.bot_id = %s AND (NOT %s OR c.generation = d.live_generation)
            ORDER BY c.document_id, c.generation, c.ordinal"""
        with self.connection() as connection:
            return [row["content"] for row in connection.execute(query, (self.tenant.bot_id, live))]

    def indexed(self) -> list[str]:
        """Contents of the chunks in the lexical index."""
        query = """
            SELECT content FROM lexical_chunks l JOIN chunks c ON c.id = l.chunk_id
            WHERE c.bot_id = %s ORDER BY c.document_id, c.generation, c.ordinal"""
        with self.connection() as connection:
            return [row["content"] for row in connection.execute(query, (self.tenant.bot_id,))]

    def vector_ids(self) -> list[str]:
        return sorted(self.vectors.records.get(self.namespace, {}))

    @property
    def namespace(self) -> Namespace:
        return Namespace(self.tenant.organization_id, self.tenant.bot_id)

    def assert_ready(self, lines: list[str], document_id: UUID | None = None) -> None:
        """The one document is ready with exactly these chunks, each once in every store, and nothing else is left."""
        document = self.document()
        assert (document["status"], document["stage"], document["error_code"]) == ("ready", "done", None)
        assert document["chunk_count"] == len(lines)
        assert self.chunks(live=True) == self.chunks(live=False) == self.indexed() == lines
        live = document["live_generation"]
        assert self.vector_ids() == sorted(f"{document['id']}:{live}:{n}" for n in range(len(lines)))
        assert document["vector_cleanup_due"] is None
        assert self.bot_status() == "trained"
        assert document_id in (None, document["id"])
