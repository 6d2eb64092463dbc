"""Bringing rows back from the archive into the tables. What is there already stays as it is; the files stay, too.

Each page of rows comes back in one transaction with its count, and doing it again finds them there: a worker that dies
costs the time of a file at most.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from chatsphere.archive import restore_queries as queries
from chatsphere.archive.bringing_back import FileRestore
from chatsphere.archive.checked import ArchiveDamagedError
from chatsphere.archive.datasets import RESTORABLE
from chatsphere.archive.model import ArchiveFile, subject
from chatsphere.archive.places import file_of
from chatsphere.archive.restores import LEASE, Restore, RestoreMessage, get_restore
from chatsphere.archive.writing import FileWriter
from chatsphere.db.database import Database
from chatsphere.observability import logger
from chatsphere.ports.objects import ObjectStore
from chatsphere.ports.queues import MessageQueue
from chatsphere.ports.row_files import RowFiles
from chatsphere.ports.system import Clock, Ids
from chatsphere.queue_batches import NotNowError

WORKING: Final = timedelta(minutes=4)
"""For so long a worker goes on before it hands over to another."""

TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class RestoreJob:
    """Works off restores. `database` is the tenants'."""

    database: Database
    store: ObjectStore
    files: RowFiles
    queue: MessageQueue
    clock: Clock
    ids: Ids

    def run(self, message: RestoreMessage) -> None:
        """Finish a restore, or hand it over when time is up. One that is done stays as it is.

        Raises:
            NotNowError: somebody else is at it.
            UnavailableError: a store does not answer; to be tried again.
        """
        restore = self._claim(message)
        if restore is None:
            return
        try:
            done = self._try_to_work(restore)
        except ArchiveDamagedError as error:
            logger.error("restore failed", restore_id=str(restore.id), code=error.code)
            self._finish(restore, "failed", error.code)
        except Exception:
            self._execute(restore, queries.HOLD_UNTIL, lease_expires_at=self.clock.now())
            raise
        else:
            if done:
                self._finish(restore, "done", None)
            else:
                self._execute(restore, queries.HOLD_UNTIL, lease_expires_at=self.clock.now())
                self.queue.send([message.to_json()], group=message.group)

    def _try_to_work(self, restore: Restore) -> bool:
        """As `_work`, again where a file was written anew while it was read: the version is gone then."""
        for left in reversed(range(TRIES)):
            try:
                return self._work(restore)
            except ArchiveDamagedError:
                if not left:
                    raise
        raise AssertionError

    def _claim(self, message: RestoreMessage) -> Restore | None:
        now = self.clock.now()
        values = {"id": message.restore_id, "now": now, "lease_expires_at": now + LEASE}
        with self.database.transaction(message.organization_id) as connection:
            row = connection.execute(queries.CLAIM, values).fetchone()
            taken = row is None and connection.execute(queries.IS_OPEN, values).fetchone() is not None
        if taken:
            raise NotNowError("the restore is under way")
        return Restore(**row) if row else None

    def _work(self, restore: Restore) -> bool:
        """Bring back file after file; False where time is up before the last."""
        end, done = self.clock.now() + WORKING, self._done(restore)
        for file in self._wanted(restore):
            if file.id in done:
                continue
            if self.clock.now() > end:
                return False
            with tempfile.TemporaryDirectory(prefix="archive-") as folder:
                writer = FileWriter(self.files, self.store, self.clock, self.ids, Path(folder))
                FileRestore(self.database, restore, file, writer, self.clock.now()).run()
            self._execute(restore, queries.HOLD_UNTIL, lease_expires_at=self.clock.now() + LEASE)
        return True

    def _done(self, restore: Restore) -> Sequence[UUID]:
        with self.database.transaction(restore.organization_id) as connection:
            return get_restore(connection, restore.id).files_done

    def _wanted(self, restore: Restore) -> Sequence[ArchiveFile]:
        conversation = restore.conversation_id
        values = {
            "datasets": [name.value for name in RESTORABLE],
            "file_ids": None if restore.file_ids is None else list(restore.file_ids),
            "bot_id": restore.bot_id,
            "month": restore.month,
            "subject": None if conversation is None else subject(str(conversation)),
        }
        with self.database.transaction(restore.organization_id) as connection:
            return [file_of(row) for row in connection.execute(queries.WANTED_FILES, values)]

    def _finish(self, restore: Restore, status: str, error_code: str | None) -> None:
        self._execute(restore, queries.FINISH, status=status, error_code=error_code, now=self.clock.now())
        logger.info("restore ended", restore_id=str(restore.id), status=status)

    def _execute(self, restore: Restore, statement: str, **values: Any) -> None:
        with self.database.transaction(restore.organization_id) as connection:
            connection.execute(statement, {"id": restore.id, **values})
