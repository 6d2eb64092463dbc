"""One worker of each stage in one process, with stop watches around what it waits for."""

import shutil
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any
from uuid import UUID

from chatsphere.adapters.system import SystemClock, UuidV7Ids
from chatsphere.db.database import Database
from chatsphere.knowledge.extraction import extract_file
from chatsphere.knowledge.ingestion.embed import ChunkEmbedder
from chatsphere.knowledge.ingestion.extract import Extractor
from chatsphere.knowledge.ingestion.messages import EmbedMessage, ExtractMessage
from chatsphere.knowledge.text import Block
from chatsphere.ports.embedding import Embedder, Vector
from chatsphere.ports.objects import StoredObject
from chatsphere.ports.vectors import VectorStore
from tests.conftest import Tenant
from tests.fakes import InMemoryVectorStore

CHILD = "chatsphere.knowledge.extraction.child"

_REGISTERED = """
INSERT INTO documents (id, organization_id, bot_id, name, source, s3_key, etag, status, stage, generation,
    deadline_at, lease_expires_at)
VALUES (%s, app.current_organization(), %s, %s, 's3', %s, %s, 'registered', 'extract', 1,
    now() + interval '1 hour', now() + interval '1 hour')
"""


class Watches:
    """Seconds by what they were spent on."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()

    @contextmanager
    def on(self, name: str) -> Iterator[None]:
        """Count what the block takes."""
        start = perf_counter()
        try:
            yield
        finally:
            self.seconds[name] += perf_counter() - start  # type: ignore[assignment]


class TimedEmbedder:
    """An embedder whose embedding is timed."""

    def __init__(self, inner: Embedder, watches: Watches) -> None:
        self._inner = inner
        self._watches = watches

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def embed_documents(self, texts: Sequence[str]) -> list[Vector]:
        with self._watches.on("embedding"):
            return self._inner.embed_documents(texts)


class NoVectors(InMemoryVectorStore):
    """Keeps nothing: so that what is measured is not its memory."""

    def upsert(self, *_: Any) -> None:
        return None


@dataclass
class FolderStore:
    """Files of a folder as objects."""

    folder: Path

    def download(self, key: str, _version: str | None, target: Path, *, max_bytes: int) -> StoredObject:
        shutil.copyfile(self.folder / key, target)
        return StoredObject(key, target.stat().st_size, key, "", None, {})


class Messages(deque[dict[str, Any]]):
    """A queue."""

    def send(self, messages: Iterable[Mapping[str, Any]], *, group: str) -> None:
        self.extend(dict(message) for message in messages)


@dataclass
class Worker:
    """Reads and embeds one document after the other."""

    database: Database
    database_url: str
    tenant: Tenant
    folder: Path
    embedder: Embedder
    vectors: VectorStore
    watches: Watches = field(default_factory=Watches)
    extracting: Messages = field(default_factory=Messages)
    embedding: Messages = field(default_factory=Messages)
    parts: int = 0

    def register(self, name: str) -> UUID:
        """Have a file of the folder read."""
        document_id = UuidV7Ids(SystemClock()).new()
        with self.database.transaction(self.tenant.organization_id) as connection:
            connection.execute(_REGISTERED, (document_id, self.tenant.bot_id, name, name, name))
        message = ExtractMessage(
            organization_id=self.tenant.organization_id,
            bot_id=self.tenant.bot_id,
            document_id=document_id,
            generation=1,
        )
        self.extracting.append(message.to_json())
        return document_id

    def run(self) -> None:
        """Work until both queues are empty."""
        while self.extract_one():
            while self.embed_one():
                pass

    def extract_one(self) -> bool:
        """Work off a message of the extract queue, if there is one."""
        if not self.extracting:
            return False
        self.parts += 1
        timed = TimedEmbedder(self.embedder, self.watches)
        extractor = Extractor(
            self.database, FolderStore(self.folder), self.embedding, self.extracting, timed,  # type: ignore[arg-type]
            SystemClock(), UuidV7Ids(SystemClock()), max_bytes=1 << 40, read=self._read,
        )  # fmt: skip
        with self.watches.on("extract stage"):
            extractor.extract(ExtractMessage.parse(self.extracting.popleft()))
        return True

    def embed_one(self) -> bool:
        """Work off a message of the embed queue, if there is one."""
        if not self.embedding:
            return False
        timed = TimedEmbedder(self.embedder, self.watches)
        embedder = ChunkEmbedder(self.database, lambda _: timed, self.vectors, SystemClock(), UuidV7Ids(SystemClock()))
        with self.watches.on("embed stage"):
            embedder.embed(EmbedMessage.parse(self.embedding.popleft()), 1)
        return True

    def ready(self) -> int:
        """The number of documents that are searchable."""
        with self.database.transaction(self.tenant.organization_id) as connection:
            row = connection.execute("SELECT count(*) AS ready FROM documents WHERE status = 'ready'").fetchone()
        return int(row["ready"]) if row else 0

    def chunks(self, document_id: UUID) -> int:
        """The number of chunks of a document that is ready."""
        with self.database.transaction(self.tenant.organization_id) as connection:
            row = connection.execute(
                "SELECT status, error_code, chunk_count FROM documents WHERE id = %s", (document_id,)
            ).fetchone()
        if row is None or row["status"] != "ready":
            raise RuntimeError(f"the document is not ready: {row}")
        return int(row["chunk_count"])

    def _read(self, *arguments: Any, **named: Any) -> Any:
        with self.watches.on("parsing"):
            extraction = extract_file(*arguments, **named)
        extraction.blocks = self._timed(extraction.blocks)
        return extraction

    def _timed(self, blocks: Iterator[Block]) -> Iterator[Block]:
        while True:
            with self.watches.on("parsing"):
                block = next(blocks, None)
            if block is None:
                return
            yield block


@contextmanager
def peak_memory() -> Iterator[Callable[[], tuple[int, int]]]:
    """Measure the greatest resident memory of this process and of a child that parses, in bytes (Linux)."""
    Path("/proc/self/clear_refs").write_text("5")
    stop, peak = threading.Event(), [0]

    def watch() -> None:
        while not stop.wait(0.02):
            peak[0] = max([peak[0], *_children()])

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield lambda: (_high_water(Path("/proc/self/status")), peak[0])
    finally:
        stop.set()
        thread.join()


def _children() -> Iterator[int]:
    for process in Path("/proc/self/task").glob("*/children"):
        for child in process.read_text().split():
            try:
                if CHILD in Path(f"/proc/{child}/cmdline").read_text():
                    yield _high_water(Path(f"/proc/{child}/status"))
            except (OSError, IndexError):
                continue


def _high_water(status: Path) -> int:
    return int(status.read_text().split("VmHWM:")[1].split()[0]) * 1024
