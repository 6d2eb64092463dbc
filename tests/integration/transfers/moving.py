"""A bot on its way from one organization to another, in one process: real jobs, a real database."""

import hashlib
import io
import json
import zipfile
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from chatsphere.job_reviving import JobReviver
from chatsphere.knowledge.opening import SourceOpener
from chatsphere.knowledge.retrieval.search import search
from chatsphere.ports.embedding import EmbeddingModel, Vector
from chatsphere.transfers import exports, imports
from chatsphere.transfers.export_job import ExportJob
from chatsphere.transfers.exports import Export
from chatsphere.transfers.format import DOCUMENTS, MANIFEST, PARTS
from chatsphere.transfers.import_job import ImportJob, Queues
from chatsphere.transfers.imports import Import
from chatsphere.transfers.messages import ExportMessage, ImportMessage
from chatsphere.transfers.places import export_key, import_key
from chatsphere.transfers.reviving import STALLED_TRANSFERS
from chatsphere.transfers.times import LEASE
from tests.conftest import FREE_PLAN
from tests.fakes import FakeEmbedder, InMemoryObjectStore, InMemoryQueue
from tests.integration.ingestion.pipeline import Pipeline

MAX_BYTES = 10_000
BEYOND_LEASE = LEASE + timedelta(minutes=1)


class SinglePrecision(FakeEmbedder):
    """Makes vectors of 32-bit floats, as models do."""

    def embed_query(self, text: str) -> Vector:
        return list(array("f", super().embed_query(text)))


@dataclass
class Moving:
    """`source` has the bot, `target` is to have it. Both share a bucket, a vector store and an archive bucket."""

    source: Pipeline
    target: Pipeline
    archive: Any
    admin_url: str
    jobs: Any = field(default_factory=InMemoryQueue)

    @classmethod
    def between(cls, source: Pipeline, target: Pipeline, admin_url: str) -> "Moving":
        source.embedder = SinglePrecision()
        target = replace(target, clock=source.clock, vectors=source.vectors, embedder=source.embedder)
        target.objects = source.objects
        return cls(source, target, InMemoryObjectStore(source.clock), admin_url)

    # --------------------------------------------------------------------------------------------- the jobs

    @property
    def export_job(self) -> ExportJob:
        source = self.source
        return ExportJob(source.database, source.objects, source.vectors, self.archive, source.clock, source.ids)

    @property
    def import_job(self) -> ImportJob:
        target = self.target
        return ImportJob(
            target.database,
            target.objects,
            target.vectors,
            self.archive,
            self._models,
            target.embedder_for,
            Queues(self.jobs, target.embed_queue, target.purge_queue),
            target.clock,
            target.ids,
            MAX_BYTES,
        )

    def _models(self) -> Sequence[EmbeddingModel]:
        embedder = self.target.embedder
        return [EmbeddingModel(embedder.model, embedder.dimensions, 0, is_default=True)]

    def ask_for_export(self, include: Iterable[str] = PARTS) -> ExportMessage:
        tenant, export_id = self.source.tenant, self.source.ids.new()
        with self.source.connection() as connection:
            exports.ask_for(connection, tenant.bot_id, list(include), export_id=export_id, now=self.source.clock.now())
        return ExportMessage(organization_id=tenant.organization_id, bot_id=tenant.bot_id, export_id=export_id)

    def export(self, include: Iterable[str] = PARTS) -> Export:
        message = self.ask_for_export(include)
        self.export_job.run(message)
        return self.exported(message)

    def exported(self, message: ExportMessage) -> Export:
        with self.source.connection() as connection:
            return exports.get_export(connection, message.bot_id, message.export_id)

    def file_of(self, export: Export) -> bytes:
        key = export_key(self.source.tenant.organization_id, export.bot_id, export.id)
        stored = self.archive.head(key)
        content: bytes = self.archive.read(key, None, start=0, length=max(1, stored.size))
        return content

    def upload(self, file: bytes, name: str | None = None) -> ImportMessage:
        tenant, import_id = self.target.tenant, self.target.ids.new()
        now = self.target.clock.now()
        with self.target.connection() as connection:
            imports.permit(connection, import_id=import_id, created_by=tenant.user_id, name=name, now=now)
        stored = self.archive.put(
            import_key(tenant.organization_id, import_id), file, content_type="application/zip", metadata={}
        )
        with self.target.connection() as connection:
            imports.start(connection, import_id, stored, now=now)
        return ImportMessage(organization_id=tenant.organization_id, import_id=import_id)

    def take_in(self, file: bytes, name: str | None = None) -> Import:
        message = self.upload(file, name)
        self.import_job.run(message)
        return self.imported(message)

    def imported(self, message: ImportMessage) -> Import:
        with self.target.connection() as connection:
            return imports.get_import(connection, message.import_id)

    def revive(self) -> None:
        """Let the leases pass, and the reaper send what nobody is at; work that off."""
        self.source.clock.advance(BEYOND_LEASE)
        JobReviver(self.source.reaper_database, self.jobs, self.source.clock, STALLED_TRANSFERS).revive()
        while self.jobs.messages:
            body = self.jobs.messages.popleft()
            if "export_id" in body:
                self.export_job.run(ExportMessage.parse(body))
            else:
                self.import_job.run(ImportMessage.parse(body))

    @contextmanager
    def limited(self, feature: str, allowed: int) -> Iterator[None]:
        """Let the target's plan permit no more than this, for the length of the block."""
        organization_id = self.target.tenant.organization_id
        plan_id = self.target.ids.new()
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            connection.execute(
                "INSERT INTO subscription_plans (id, name, price_microdollars, features) VALUES (%s, %s, 0, %s)",
                (plan_id, str(plan_id), Jsonb({feature: allowed})),
            )
            change = "UPDATE organizations SET plan_id = %s WHERE id = %s"
            connection.execute(change, (plan_id, organization_id))
            try:
                yield
            finally:
                connection.execute(change, (FREE_PLAN, organization_id))
                connection.execute("DELETE FROM subscription_plans WHERE id = %s", (plan_id,))

    # ------------------------------------------------------------------------------------------- what is seen

    def found(self, pipeline: Pipeline, bot_id: UUID, query: str) -> list[tuple[Any, ...]]:
        """What a search shows, without ids."""
        result = search(
            pipeline.database,
            pipeline.vectors,
            pipeline.embedder_for,
            organization_id=pipeline.tenant.organization_id,
            bot_id=bot_id,
            query=query,
        )
        return [
            (hit.document_name, hit.content, hit.page_start, hit.char_start, hit.char_end, hit.score, hit.scores)
            for hit in result.hits
        ]

    def at_target(self, bot_id: UUID) -> Pipeline:
        """Return the target's ingestion of an imported bot."""
        tenant = replace(self.target.tenant, bot_id=bot_id)
        pipeline = replace(self.target, tenant=tenant)
        pipeline.objects = self.target.objects
        return pipeline

    def source_of(self, pipeline: Pipeline, document_id: UUID) -> str:
        """The link that opens a document's original."""
        opener = SourceOpener(pipeline.database, pipeline.objects, None, pipeline.clock)
        return opener.link(pipeline.tenant.organization_id, pipeline.tenant.bot_id, document_id).url


def changed(file: bytes, changes: Mapping[str, Callable[[bytes], bytes | None]]) -> bytes:
    """Return a file with some members rewritten (None: left out), and every checksum in it made to fit."""
    content = members(file)
    for name, change in changes.items():
        made = change(content.pop(name, b""))
        if made is not None:
            content[name] = made
    return packed(resealed(content))


def resealed(content: dict[str, bytes]) -> dict[str, bytes]:
    """Return the members with checksums and sizes that fit what they hold."""
    lines = [json.loads(line) for line in content[DOCUMENTS].splitlines()]
    for place, line in enumerate(lines):
        for field_name, member in (("original", "original"), ("chunks", "chunks.jsonl"), ("vectors", "vectors.f32")):
            held = content.get(f"documents/{place:06d}/{member}")
            if held is not None and line.get(field_name) is not None:
                line[field_name] = described(held)
    content[DOCUMENTS] = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    head = json.loads(content[MANIFEST])
    head["members"] = {name: described(content[name]) for name in head["members"] if name in content}
    return content | {MANIFEST: json.dumps(head).encode()}


def described(held: bytes) -> dict[str, Any]:
    """What the file says of a member."""
    return {"sha256": hashlib.sha256(held).hexdigest(), "size": len(held)}


def packed(content: Mapping[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a ZIP of these members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as made:
        for name, data in content.items():
            made.writestr(name, data)
    return buffer.getvalue()


def members(file: bytes) -> dict[str, bytes]:
    """Return what the members of a ZIP hold."""
    with zipfile.ZipFile(io.BytesIO(file)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def manifest(file: bytes) -> dict[str, Any]:
    """Return a file's manifest."""
    read: dict[str, Any] = json.loads(members(file)[MANIFEST])
    return read
