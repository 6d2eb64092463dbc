"""The whole of ingestion in one process: real stages and a real database, small stand-ins around them."""

import json
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

from chatsphere.adapters.system import UuidV7Ids
from chatsphere.chat.memory.forgetting import MemoryPurger
from chatsphere.chat.memory.keeping import MemoryKeeper
from chatsphere.chat.memory.messages import MemoryMessage, MemoryPurgeMessage, is_about_memory
from chatsphere.chat.memory.reviving import MemoryReviver
from chatsphere.db.database import Connection, Database
from chatsphere.errors import EmbeddingModelUnavailableError
from chatsphere.knowledge.chunking import Pending
from chatsphere.knowledge.extraction import Position
from chatsphere.knowledge.ingestion.budget_waits import BudgetWaits
from chatsphere.knowledge.ingestion.deletion import Eraser
from chatsphere.knowledge.ingestion.embed import ChunkEmbedder
from chatsphere.knowledge.ingestion.events import parse_events
from chatsphere.knowledge.ingestion.extract import Extractor
from chatsphere.knowledge.ingestion.messages import EmbedMessage, ExtractMessage, PurgeMessage, ReconcileMessage
from chatsphere.knowledge.ingestion.parts import MakeTokenCutter
from chatsphere.knowledge.ingestion.purge import Purger
from chatsphere.knowledge.ingestion.reap import Reaper
from chatsphere.knowledge.ingestion.redrive import Redriver
from chatsphere.knowledge.ingestion.register import Registrar
from chatsphere.knowledge.ingestion.scanning import ScannedObject, ScanWaits
from chatsphere.knowledge.ingestion.submit import Submitter
from chatsphere.knowledge.ingestion.times import PART_TIME
from chatsphere.knowledge.reconciliation.building import Stores, build_reconciler
from chatsphere.knowledge.reconciliation.reconcile import Reconciler
from chatsphere.knowledge.reconciliation.reports import Reconciliation, ask_for, get_reconciliation
from chatsphere.knowledge.redaction.masking import no_finder
from chatsphere.knowledge.text import Block, Chunk
from chatsphere.knowledge.training.advance import RunAdvancer
from chatsphere.knowledge.training.messages import ReembedMessage, TrainingMessage
from chatsphere.knowledge.training.reembed import BatchReembedder
from chatsphere.observability import Metric
from chatsphere.ports.embedding import TokenCounter
from chatsphere.ports.vectors import Namespace
from chatsphere.queue_batches import Delivery, process_batch
from tests.conftest import Tenant
from tests.fakes import FakeEmbedder, FixedClock, InMemoryObjectStore, InMemoryQueue, InMemoryVectorStore
from tests.fakes_memory import InMemoryMessageVectors

MAX_BYTES = 10_000
BEYOND_EVERY_LEASE = timedelta(minutes=6)


DUE = """
    SELECT FROM documents WHERE bot_id = %(bot_id)s
      AND (status NOT IN ('ready', 'failed') OR vector_cleanup_due IS NOT NULL)
    UNION ALL
    SELECT FROM deletions WHERE bot_id = %(bot_id)s AND (status = 'running' OR recheck_at IS NOT NULL)
    UNION ALL
    SELECT FROM bots WHERE id = %(bot_id)s AND status = 'deleting'
    UNION ALL
    SELECT FROM training_runs WHERE bot_id = %(bot_id)s AND kind = 'reembed' AND lease_expires_at IS NOT NULL
    UNION ALL
    SELECT FROM memory_pending WHERE bot_id = %(bot_id)s
    UNION ALL
    SELECT FROM memory_deletions WHERE bot_id = %(bot_id)s
    UNION ALL
    SELECT FROM bot_memories WHERE bot_id = %(bot_id)s AND due_at IS NOT NULL
    LIMIT 1
"""
"""What of a bot somebody still has to do, or look at again."""


class WorkerKilled(BaseException):
    """The process ended at this point: nothing of it runs any more."""


START = Position()


@dataclass
class FakeExtraction:
    """What reading a file gives, without a child process."""

    blocks: Iterator[Block]
    page_count: int | None = 1
    unread_pages: int = 0
    media_type: str = "text/plain"
    position: Position = START

    def __post_init__(self) -> None:
        self.blocks = self._counted(self.blocks, self.position)

    def _counted(self, blocks: Iterator[Block], after: Position) -> Iterator[Block]:
        self.position = after
        for block in blocks:
            following = Position(None, after.blocks + 1, after.chars + len(block.text))
            yield block
            self.position = after = following

    def __enter__(self) -> "FakeExtraction":
        return self

    def __exit__(self, *_: object) -> None:
        return None


def read_lines(path: Path, *, position: Position = START, **_: Any) -> Any:
    """Each line of a text is a block."""
    blocks = (Block(line) for line in path.read_text().splitlines() if line.strip())
    return FakeExtraction(islice(blocks, position.blocks, None), position=position)


@dataclass
class OneChunkABlock:
    """Cuts nothing."""

    tokens: TokenCounter
    pending: Pending

    def add(self, block: Block) -> Iterator[Chunk]:
        ordinal, start, end = self.pending.ordinal, self.pending.end, self.pending.end + len(block.text)
        self.pending = Pending(text_start=end + 2, ordinal=ordinal + 1)
        tokens = self.tokens.count_tokens(block.text)
        yield Chunk(ordinal, block.text, start, end, 1, 1, block.heading_path, tokens)

    def finish(self) -> Iterator[Chunk]:
        yield from ()


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
    reconcile_queue: Any = field(default_factory=InMemoryQueue)
    vectors: Any = field(default_factory=InMemoryVectorStore)
    messages: Any = field(default_factory=InMemoryMessageVectors)
    embedder: Any = field(default_factory=FakeEmbedder)
    further_embedders: dict[str, Any] = field(default_factory=dict)
    read: Callable[..., Any] = read_lines
    make_cutter: MakeTokenCutter = OneChunkABlock
    part_time: timedelta = PART_TIME
    scanner: Any = None
    ocr: Any = None
    ocr_page_microdollars: int = 0
    personal_data: Callable[[], Any] = no_finder
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
            self.registrar,
            self.clock,
            self.ids,
            max_bytes=MAX_BYTES,
            expires_seconds=3600,
        )

    def register(self, delivery: Delivery) -> None:
        if scanned := ScannedObject.of(delivery.body):
            ScanWaits(self.database, self.extract_queue, self.clock).end(scanned)
            return
        for event in parse_events(delivery.body):
            self.registrar.register(event, delivery.receive_count)

    def extract(self, delivery: Delivery) -> None:
        Extractor(
            self.database,
            self.objects,
            self.embed_queue,
            self.extract_queue,
            self.embedder,
            self.clock,
            self.ids,
            MAX_BYTES,
            read=self.read,
            make_cutter=self.make_cutter,
            part_time=self.part_time,
            scanner=self.scanner,
            ocr=self.ocr,
            ocr_page_microdollars=self.ocr_page_microdollars,
            personal_data=self.personal_data,
        ).extract(ExtractMessage.parse(delivery.body), delivery.receive_count)

    def embed(self, delivery: Delivery) -> None:
        if is_about_memory(delivery.body):
            self.memory.work(MemoryMessage.parse(delivery.body))
        elif "batch" not in delivery.body:
            self.advancer.advance(TrainingMessage.parse(delivery.body))
        elif "training_run_id" in delivery.body:
            reembedder = BatchReembedder(self.advancer, self.embedder_for)
            reembedder.embed(ReembedMessage.parse(delivery.body), delivery.receive_count)
        else:
            embedder = ChunkEmbedder(self.database, self.embedder_for, self.vectors, self.clock, self.ids)
            embedder.embed(EmbedMessage.parse(delivery.body), delivery.receive_count)

    def embedder_for(self, model: str | None) -> Any:
        """Return the embedder of this name; the deployment's own for None."""
        if model in (None, self.embedder.model):
            return self.embedder
        if model not in self.further_embedders:
            raise EmbeddingModelUnavailableError
        return self.further_embedders[model]

    @property
    def advancer(self) -> RunAdvancer:
        return RunAdvancer(self.database, self.vectors, self.embed_queue, self.clock, self.ids)

    @property
    def memory(self) -> MemoryKeeper:
        return MemoryKeeper(self.database, self.embedder_for, self.messages, self.embed_queue, self.clock, self.ids)

    def purge(self, delivery: Delivery) -> None:
        if is_about_memory(delivery.body):
            MemoryPurger(self.database, self.messages, self.clock).purge(MemoryPurgeMessage.parse(delivery.body))
            return
        Purger(self.database, self.objects, self.vectors, self.eraser, self.clock, self.messages).purge(
            PurgeMessage.parse(delivery.body)
        )

    def reap(self) -> None:
        BudgetWaits(self.reaper_database, self.database, self.clock).end()
        Reaper(
            self.reaper_database,
            self.database,
            self.extract_queue,
            self.embed_queue,
            self.purge_queue,
            self.reconcile_queue,
            self.clock,
            self.ids,
        ).reap()
        MemoryReviver(self.reaper_database, self.embed_queue, self.purge_queue, self.clock).revive()

    @property
    def redriver(self) -> Redriver:
        return Redriver(self.database, self.extract_queue, self.clock)

    def reconciler(self, *, max_pages: int = 100) -> Reconciler:
        stores = Stores(self.database, self.objects, self.vectors)
        made = build_reconciler(stores, self.registrar, self.redriver, self.reconcile_queue, self.clock, self.ids)
        return replace(made, max_pages=max_pages)

    def reconcile(self, *, dry_run: bool = False) -> Reconciliation:
        """Compare the stores and repair them; return the report."""
        message = ReconcileMessage(organization_id=self.tenant.organization_id, bot_id=self.tenant.bot_id)
        with self.connection() as connection:
            report = ask_for(connection, self.tenant.bot_id, dry_run=dry_run, ids=self.ids, now=self.clock.now())
        self.reconciler().run(message)
        with self.connection() as connection:
            return get_reconciliation(connection, self.tenant.bot_id, report.id)

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
            if self._is_quiet():
                return

    def _is_quiet(self) -> bool:
        """Whether nothing is left that time or another delivery could change."""
        if self.events or any(queue.messages for queue in (self.extract_queue, self.embed_queue, self.purge_queue)):
            return False
        with self.connection() as connection:
            row = connection.execute(DUE, {"bot_id": self.tenant.bot_id}).fetchone()
        return row is None

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

    def use_bucket(self, *, versioned: bool) -> None:
        """Begin with an empty bucket of this kind."""
        self.objects = InMemoryObjectStore(self.clock, versioned=versioned)

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
