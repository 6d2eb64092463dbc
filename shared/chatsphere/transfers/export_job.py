"""Working off an export: its file is written once, whole, however often that has to be begun; deleted when due."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from chatsphere.db.database import Database
from chatsphere.observability import logger
from chatsphere.ports.objects import ObjectStore
from chatsphere.ports.system import Clock, Ids
from chatsphere.ports.vectors import VectorStore
from chatsphere.transfers import export_queries as queries
from chatsphere.transfers.errors import TOO_MANY_ATTEMPTS, TransferError
from chatsphere.transfers.exporting import BotExport, Scope
from chatsphere.transfers.messages import ExportMessage
from chatsphere.transfers.places import export_key
from chatsphere.transfers.times import EXPORT_KEPT, LEASE, MAX_ATTEMPTS, WORK_TIME
from chatsphere.transfers.zip_stream import ZipStream


class _OvertakenError(Exception):
    """Somebody else is at it, or it has ended."""


@dataclass(frozen=True, slots=True)
class ExportJob:
    """Works off `ExportMessage`."""

    database: Database
    objects: ObjectStore
    vectors: VectorStore
    archive: ObjectStore
    clock: Clock
    ids: Ids

    def run(self, message: ExportMessage) -> None:
        """Do what is next for the export; nothing where somebody is at it.

        Raises:
            UnavailableError: something does not answer; to be tried again.
            NotNowError: the bot changes all the time; likewise.
        """
        token = self.ids.new()
        with self.database.transaction(message.organization_id) as connection:
            values = self._values(message, token)
            claimed = connection.execute(queries.CLAIM, values).fetchone()
            due = claimed is None and connection.execute(queries.DUE_TO_EXPIRE, values).fetchone() is not None
            known = connection.execute(queries.IS_KNOWN, values).fetchone()
        if claimed is not None:
            self._write(message, token, claimed)
        elif due:
            self._expire(message)
        elif known is None or known["status"] in ("failed", "expired"):
            # It went with its bot, maybe while its file was being written; or its writer died when it had failed.
            self.archive.delete(self._key(message))

    def _write(self, message: ExportMessage, token: UUID, claimed: Mapping[str, Any]) -> None:
        try:
            if claimed["attempts"] > MAX_ATTEMPTS:
                self._fail(message, token, TOO_MANY_ATTEMPTS, "It was begun again and again, and never ended.")
                return
            self._put(message, token, frozenset(claimed["include"]))
        except _OvertakenError:
            # Whoever took over writes the same key; a bot that is gone leaves nobody who would.
            logger.info("export overtaken", export_id=str(message.export_id))
            self._delete_if_gone(message)
        except TransferError as error:
            self._fail(message, token, error.code, error.detail)
        except Exception:
            with self.database.transaction(message.organization_id) as connection:
                connection.execute(queries.RELEASE, self._values(message, token))
            raise

    def _put(self, message: ExportMessage, token: UUID, include: frozenset[str]) -> None:
        now = self.clock.now()

        def progress(done: int, total: int) -> None:
            values = self._values(message, token) | {"done": done, "total": total}
            with self.database.transaction(message.organization_id) as connection:
                if connection.execute(queries.PROGRESS, values).rowcount == 0:
                    raise _OvertakenError

        progress(0, 0)
        export = BotExport(
            self.database,
            self.objects,
            self.vectors,
            self.clock,
            Scope(message.organization_id, message.bot_id, include),
            now + WORK_TIME,
            progress,
            ZipStream(now),
            Counter(),
        )
        self.archive.put_stream(self._key(message), export.blocks(), content_type="application/zip", metadata={})
        self._finish(message, token, export)

    def _finish(self, message: ExportMessage, token: UUID, export: BotExport) -> None:
        now = self.clock.now()
        values = self._values(message, token) | {
            "counts": Jsonb(dict(export.counts)),
            "size": export.zip.size,
            "sha256": export.zip.sha256.hexdigest(),
            "expires_at": now + EXPORT_KEPT,
        }
        with self.database.transaction(message.organization_id) as connection:
            done = connection.execute(queries.FINISH, values).rowcount
        if not done:
            raise _OvertakenError
        logger.info("bot exported", bot_id=str(message.bot_id), bytes=export.zip.size)

    def _fail(self, message: ExportMessage, token: UUID, code: str, detail: str) -> None:
        values = self._values(message, token) | {"code": code, "message": detail}
        with self.database.transaction(message.organization_id) as connection:
            connection.execute(queries.FAIL, values)
        self.archive.delete(self._key(message))
        logger.warning("export failed", bot_id=str(message.bot_id), error_code=code)

    def _expire(self, message: ExportMessage) -> None:
        self.archive.delete(self._key(message))
        with self.database.transaction(message.organization_id) as connection:
            connection.execute(queries.EXPIRE, self._values(message, None))

    def _delete_if_gone(self, message: ExportMessage) -> None:
        values = self._values(message, None)
        with self.database.transaction(message.organization_id) as connection:
            known = connection.execute(queries.IS_KNOWN, values).fetchone()
            bot = connection.execute(queries.BOT, {"bot_id": message.bot_id}).fetchone()
        if known is None or bot is None:
            self.archive.delete(self._key(message))

    def _key(self, message: ExportMessage) -> str:
        return export_key(message.organization_id, message.bot_id, message.export_id)

    def _values(self, message: ExportMessage, token: UUID | None) -> dict[str, Any]:
        now = self.clock.now()
        return {"export_id": message.export_id, "token": token, "now": now, "lease_expires_at": now + LEASE}
