"""Working off an import: the file is looked through, then made a bot of, document by document; or all of it goes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from chatsphere.db.database import Database
from chatsphere.errors import EmbeddingModelUnavailableError, QuotaExceededError, UnavailableError
from chatsphere.knowledge.ingestion.receipts import open_deletion
from chatsphere.observability import logger
from chatsphere.ports.embedding import Embedder, EmbeddingModel
from chatsphere.ports.objects import ObjectStore
from chatsphere.ports.queues import MessageQueue
from chatsphere.ports.system import Clock, Ids
from chatsphere.ports.vectors import VectorStore
from chatsphere.transfers import import_queries as queries
from chatsphere.transfers.checking import check, documents
from chatsphere.transfers.document_import import DocumentImport, Target
from chatsphere.transfers.errors import TOO_MANY_ATTEMPTS, FileTooLargeError, InvalidFileError, TransferError
from chatsphere.transfers.format import EmbeddedBy, Manifest
from chatsphere.transfers.importing import Importer, Rest, begin_bot, send_to_embed, show_bot
from chatsphere.transfers.limits import MAX_FILE_BYTES
from chatsphere.transfers.messages import ImportMessage
from chatsphere.transfers.places import import_key
from chatsphere.transfers.reading import TransferFile
from chatsphere.transfers.remote_file import RemoteFile
from chatsphere.transfers.times import LEASE, MAX_ATTEMPTS, UPLOADED_BY, WORK_TIME

Row = Mapping[str, Any]


class _OvertakenError(Exception):
    """Somebody else is at it, or it has ended."""


class _TimeIsUpError(Exception):
    """The rest is for the next delivery."""


@dataclass(frozen=True, slots=True)
class Queues:
    """Where an import sends: itself, what is to be embedded, what is to be deleted."""

    jobs: MessageQueue
    embed: MessageQueue
    purge: MessageQueue


@dataclass(frozen=True, slots=True)
class ImportJob:
    """Works off `ImportMessage`. `models` are those that this deployment has, `embedders` returns one by its name."""

    database: Database
    objects: ObjectStore
    vectors: VectorStore
    archive: ObjectStore
    models: Callable[[], Sequence[EmbeddingModel]]
    embedders: Callable[[str | None], Embedder]
    queues: Queues
    clock: Clock
    ids: Ids
    max_original_bytes: int

    def run(self, message: ImportMessage) -> None:
        """Do what is next for the import; nothing where somebody is at it.

        Raises:
            UnavailableError: something does not answer; to be tried again.
        """
        token = self.ids.new()
        with self.database.transaction(message.organization_id) as connection:
            values = self._values(message, token)
            claimed = connection.execute(queries.CLAIM, values).fetchone()
            if claimed is None:
                connection.execute(queries.EXPIRE, values)
            ended = connection.execute(queries.HAS_ENDED, values).fetchone() is not None
            known = connection.execute(queries.IS_KNOWN, values).fetchone() is not None
        if claimed is not None:
            self._work(message, token, claimed)
        elif ended or not known:
            self._clear(message)

    def _work(self, message: ImportMessage, token: UUID, row: Row) -> None:
        try:
            if row["attempts"] > MAX_ATTEMPTS:
                self._fail(message, token, TOO_MANY_ATTEMPTS, "It was begun again and again, and never ended.")
            else:
                self._go_on(message, token, row)
        except _OvertakenError:
            logger.info("import overtaken", import_id=str(message.import_id))
        except _TimeIsUpError:
            self._release(message, token, got_further=True)
            self.queues.jobs.send([message.to_json()], group=message.group)
        except (TransferError, QuotaExceededError, EmbeddingModelUnavailableError) as error:
            self._fail(message, token, error.code, error.detail)
        except Exception:
            self._release(message, token)
            raise

    def _go_on(self, message: ImportMessage, token: UUID, row: Row) -> None:
        ends = self.clock.now() + WORK_TIME
        importer = Importer(message.organization_id, message.import_id, row["created_by"], row["name"])
        with self._file(message, row) as file:
            manifest, digest = file.manifest()
            if row["status"] == "checking":
                target = self._begin(importer, token, file, manifest, digest, ends)
                done = 0
            else:
                if digest != row["manifest_sha256"]:
                    raise InvalidFileError("The file was replaced by another one.")
                kept = manifest.embedded_by if row["vectors"] == "kept" else None
                target = Target(message.organization_id, row["bot_id"], message.import_id, kept)
                done = row["documents_done"]
            total = self._make_documents(message, token, file, manifest, target, done, ends)
            Rest(self.database, target, self.clock.now()).make(file, manifest)
        self._finish(message, token, importer, target, total)

    def _begin(
        self, importer: Importer, token: UUID, file: TransferFile, manifest: Manifest, digest: str, ends: datetime
    ) -> Target:
        def alive() -> None:
            if self.clock.now() > ends:
                raise FileTooLargeError("It takes longer to look the file through than a function runs.")

        message = ImportMessage(organization_id=importer.organization_id, import_id=importer.import_id)
        kept = self._kept(manifest.embedded_by)
        embedder = self.embedders(kept.model) if kept is not None else None
        found = check(file, manifest, embedder, max_original_bytes=self.max_original_bytes, alive=alive)
        bot_id = self.ids.new()
        values = self._values(message, token) | {
            "manifest_sha256": digest,
            "bot_id": bot_id,
            "vectors": "kept" if kept is not None else "made_anew",
            "model": kept.model if kept is not None else self.embedders(None).model,
            "total": found.documents,
            "counts": Jsonb({"documents": found.documents, "chunks": found.chunks, "bytes": found.original_bytes}),
        }
        with self.database.transaction(importer.organization_id, importer.created_by) as connection:
            begin_bot(connection, importer, found, kept, bot_id=bot_id, now=self.clock.now())
            if connection.execute(queries.BEGIN, values).rowcount == 0:
                raise _OvertakenError
        return Target(importer.organization_id, bot_id, importer.import_id, kept)

    def _kept(self, embedded_by: EmbeddedBy | None) -> EmbeddedBy | None:
        """Return the file's model if this deployment has the same."""
        same = embedded_by is not None and any(
            (model.name, model.dimensions) == (embedded_by.model, embedded_by.dimensions) for model in self.models()
        )
        return embedded_by if same else None

    def _make_documents(
        self,
        message: ImportMessage,
        token: UUID,
        file: TransferFile,
        manifest: Manifest,
        target: Target,
        done: int,
        ends: datetime,
    ) -> int:
        looks = 0

        def alive() -> None:
            nonlocal looks
            looks += 1
            # At the second one nothing was done yet: each delivery gets further, however slow all is.
            if looks > 2 and self.clock.now() > ends:
                raise _TimeIsUpError

        maker = DocumentImport(self.database, self.objects, self.vectors, self.clock, target, alive)
        place = -1
        for place, line in enumerate(documents(file, manifest)):
            if place < done:
                continue
            alive()
            made = maker.make(file, place, line)
            with self.database.transaction(message.organization_id) as connection:
                maker.show(connection, made, line)
                values = self._values(message, token) | {"done": place + 1}
                if connection.execute(queries.PROGRESS, values).rowcount == 0:
                    raise _OvertakenError
        return place + 1

    def _finish(self, message: ImportMessage, token: UUID, importer: Importer, target: Target, total: int) -> None:
        now = self.clock.now()
        with self.database.transaction(message.organization_id, importer.created_by) as connection:
            show_bot(connection, importer, target, documents=total, now=now)
            if connection.execute(queries.DONE, self._values(message, token)).rowcount == 0:
                raise _OvertakenError
        logger.info("bot imported", bot_id=str(target.bot_id), documents=total)
        if target.kept is None:
            # Were this in vain, the documents' leases would have the reaper send.
            with suppress(UnavailableError):
                send_to_embed(self.database, self.queues.embed, target)
        self._clear(message)

    def _fail(self, message: ImportMessage, token: UUID, code: str, detail: str) -> None:
        """End the import: what of the bot there is goes, as any bot that is deleted does."""
        now = self.clock.now()
        values = self._values(message, token) | {"code": code, "message": detail}
        with self.database.transaction(message.organization_id) as connection:
            row = connection.execute(queries.FAIL, values).fetchone()
            bot_id = None if row is None else row["bot_id"]
            if bot_id is not None and connection.execute(queries.DELETE_BOT, {"bot_id": bot_id, "now": now}).rowcount:
                open_deletion(connection, bot_id, None, now)
        if row is None:
            return
        logger.warning("import failed", import_id=str(message.import_id), error_code=code)
        if bot_id is not None:
            purge = {"organization_id": str(message.organization_id), "bot_id": str(bot_id)}
            with suppress(UnavailableError):
                self.queues.purge.send([purge], group=message.group)
        self._clear(message)

    def _clear(self, message: ImportMessage) -> None:
        """Delete the file: what was made of it, or could not be, is in the database."""
        self.archive.delete(import_key(message.organization_id, message.import_id))
        with self.database.transaction(message.organization_id) as connection:
            connection.execute(queries.CLEARED, self._values(message, None) | {"uploaded_by": UPLOADED_BY})

    def _release(self, message: ImportMessage, token: UUID, *, got_further: bool = False) -> None:
        with self.database.transaction(message.organization_id) as connection:
            connection.execute(queries.RELEASE, self._values(message, token) | {"got_further": got_further})

    @contextmanager
    def _file(self, message: ImportMessage, row: Row) -> Iterator[TransferFile]:
        if row["size"] > MAX_FILE_BYTES:
            raise FileTooLargeError(f"A file holds up to {MAX_FILE_BYTES} bytes.")
        key = import_key(message.organization_id, message.import_id)
        stored = self.archive.head(key, row["object_version"])
        if stored is None or stored.etag != row["object_etag"]:
            raise InvalidFileError("The file was replaced, or deleted, after the import was started.")
        with TransferFile(RemoteFile(self.archive, key, row["object_version"], row["size"])) as file:
            yield file

    def _values(self, message: ImportMessage, token: UUID | None) -> dict[str, Any]:
        now = self.clock.now()
        return {"import_id": message.import_id, "token": token, "now": now, "lease_expires_at": now + LEASE}
