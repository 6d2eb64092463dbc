"""Doing what a run has listed, some thousand rows at a time. Whatever may have changed since is looked at again, in the
transaction that deletes.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from chatsphere.archive.model import ArchiveBatch
from chatsphere.chat.memory.forgetting import AT_A_TIME
from chatsphere.chat.memory.messages import MemoryPurgeMessage
from chatsphere.db.database import Connection, Database
from chatsphere.errors import UnavailableError
from chatsphere.knowledge.ingestion.deletion import mark_deleted
from chatsphere.knowledge.ingestion.messages import PurgeMessage
from chatsphere.ports.queues import MessageQueue
from chatsphere.ports.system import Clock
from chatsphere.retention import acting_queries as queries
from chatsphere.retention import listing_queries, run_queries
from chatsphere.retention.holds import lock_holds
from chatsphere.retention.listing import errors_values
from chatsphere.retention.policies import Policies, policies_digest, read_policies
from chatsphere.retention.removing import Counts, SingleMessages, WholeConversations
from chatsphere.retention.runs import Row, Run, count_removed, hold_run
from chatsphere.retention.work import ITEMS, ROWS, Archive, ChangedError, Work, bounds_of, work_of

Batch = SingleMessages | WholeConversations


@dataclass(frozen=True, slots=True)
class Actor:
    """Works off a run's items."""

    database: Database
    archive: Archive
    purge_queue: MessageQueue
    clock: Clock
    _digests: dict[str | None, Policies] = field(default_factory=dict)
    """What policies were found to be, by their digest."""

    def next_batch(self, run: Run, policies: Policies) -> bool:
        """Do the next items; return whether there were any.

        Raises:
            ChangedError: to be looked at anew.
            LostRunError: somebody else is at it.
            UnavailableError: a store does not answer; nothing of the batch was deleted.
        """
        with self.database.transaction(run.organization_id) as connection:
            self._hold(connection, run, policies)
            items = connection.execute(queries.NEXT, {"run_id": run.id, "limit": ITEMS}).fetchall()
            if not items:
                return False
            work = work_of(items, policies, run)
            if work.kind == "document":
                purge = self._document(connection, run, work)
            elif work.kind == "error_logs":
                self._errors(connection, run, policies, work)
                purge = []
            else:
                batch, ends = self._batch(connection, run, work)
                purge = self._delete(connection, run, work, batch, ends) if work.action == "delete" else []
        if work.action == "archive" and batch is not None:
            purge = self._archive(run, policies, work, batch, ends)
        self._purge(purge)
        return True

    def _hold(self, connection: Connection, run: Run, policies: Policies) -> Row:
        """Let no hold be made and no policy be put until the transaction ends."""
        lock_holds(connection)
        so_far = hold_run(connection, run, self.clock.now())
        digest = policies_digest(connection)
        if self._digests.get(digest) is not policies:
            if read_policies(connection).to_json() != policies.to_json():
                raise ChangedError
            self._digests[digest] = policies
        return so_far

    # ------------------------------------------------------------------------------- messages and conversations

    def _batch(self, connection: Connection, run: Run, work: Work) -> tuple[Batch | None, Sequence[int]]:
        """Return what of the items is still to go, and which items have ended when that is gone. What is not to go
        any more is passed over here.
        """
        values = work.due.values() | {
            "bot_id": work.bot_id,
            "as_of": run.as_of,
            "any_holds": True,
            "limit": ROWS,
        }
        if work.kind == "messages":
            values |= bounds_of(work)
            found = connection.execute(queries.messages_to_remove(work.due.messages), values).fetchall()
            ends = work.positions if len(found) < ROWS else []
            if not found:
                # Nothing left, or nothing but what was held since.
                values |= {"any_holds": False, "limit": 1}
                held = connection.execute(queries.messages_to_remove(work.due.messages), values).fetchall()
                self._settle(connection, run, ends, status="skipped" if held else "done")
                return None, ()
            return SingleMessages.of(work.bot_id, found), ends
        wanted = {item["subject_id"]: item["position"] for item in work.items}
        if work.action == "delete":
            connection.execute(queries.LOCK_CONVERSATIONS, {"conversations": list(wanted)})
        found = connection.execute(queries.CONVERSATIONS_TO_REMOVE, values | {"conversations": list(wanted)}).fetchall()
        there = {row["id"] for row in found}
        self._settle(connection, run, [place for id_, place in wanted.items() if id_ not in there], status="skipped")
        if not found:
            return None, ()
        return WholeConversations.of(work.bot_id, found), [wanted[row["id"]] for row in found]

    def _delete(
        self, connection: Connection, run: Run, work: Work, batch: Batch | None, ends: Sequence[int]
    ) -> list[dict[str, Any]]:
        if batch is None:
            return []
        counts = batch.remove(connection, self.clock.now())
        return self._note(connection, run, work, counts, ends)

    def _archive(
        self, run: Run, policies: Policies, work: Work, batch: Batch, ends: Sequence[int]
    ) -> list[dict[str, Any]]:
        purge: list[dict[str, Any]] = []
        rows = self._rows_of(run, batch)

        def delete(connection: Connection) -> None:
            self._hold(connection, run, policies)
            self._require_free(connection, run, work, batch)
            counts = batch.remove(connection, self.clock.now())
            if counts["feedback"] > len(rows.feedback):
                # Somebody rated an answer since: what was said is in no file.
                raise ChangedError
            purge.extend(self._note(connection, run, work, counts, ends))

        files = self.archive.move(
            rows,
            run_id=run.id,
            part=work.positions[0],
            delete=delete,
            archive_days=policies.of(work.bot_id).archive_days,
        )
        with self.database.transaction(run.organization_id) as connection:
            counted = {"id": run.id, "files": len(files), "bytes": sum(file.bytes for file in files)}
            connection.execute(run_queries.FILES, counted)
        return purge

    def _rows_of(self, run: Run, batch: Batch) -> ArchiveBatch:
        values, conversations = batch.values(), list[UUID]()
        with self.database.transaction(run.organization_id) as connection:
            if isinstance(batch, SingleMessages):
                messages: Sequence[UUID] = batch.messages
                said = connection.execute(queries.FEEDBACK_OF_MESSAGES, values).fetchall()
            else:
                conversations = list(batch.conversations)
                messages = [row["id"] for row in connection.execute(queries.MESSAGES_OF, values)]
                said = connection.execute(queries.FEEDBACK_OF, values).fetchall()
        return ArchiveBatch(
            run.organization_id,
            batch.bot_id,
            batch.since,
            batch.until,
            conversations,
            messages,
            [row["id"] for row in said],
        )

    def _require_free(self, connection: Connection, run: Run, work: Work, batch: Batch) -> None:
        """See that all of the batch is still to go: nobody can change that any more until the transaction ends."""
        values = work.due.values() | batch.values() | {"as_of": run.as_of, "any_holds": True}
        if isinstance(batch, SingleMessages):
            row = connection.execute(queries.MAY_GO, values).fetchone()
            free = row is not None and row["free"]
        else:
            connection.execute(queries.LOCK_CONVERSATIONS, values)
            there = connection.execute(queries.CONVERSATIONS_TO_REMOVE, values).fetchall()
            free = len(there) == len(batch.conversations)
        if not free:
            raise ChangedError

    # ------------------------------------------------------------------------------------- documents and errors

    def _document(self, connection: Connection, run: Run, work: Work) -> list[dict[str, Any]]:
        """Hide a document; its files, passages and vectors are removed, with a receipt, in the background."""
        item = work.items[0]
        values = work.due.values() | {"bot_id": work.bot_id, "document_id": item["subject_id"]}
        found = connection.execute(queries.DOCUMENT_TO_REMOVE, values).fetchone()
        held = connection.execute(listing_queries.HELD_BOT, {"bot_id": work.bot_id}).fetchone()
        deletion = None
        if found is not None and held is None:
            now = self.clock.now()
            deletion = mark_deleted(connection, work.bot_id, item["subject_id"], now, reason="retention")
        if deletion is None:
            self._settle(connection, run, work.positions[:1], status="skipped")
            return []
        self._note(connection, run, work, {"documents": 1}, work.positions[:1], deletion_id=deletion.id)
        message = PurgeMessage(organization_id=run.organization_id, bot_id=work.bot_id, document_id=item["subject_id"])
        return [message.to_json()]

    def _errors(self, connection: Connection, run: Run, policies: Policies, work: Work) -> None:
        bots = [row["id"] for row in connection.execute(listing_queries.BOTS, {"bot_id": run.bot_id})]
        values = errors_values(run.to_list(policies), bots) | {"of_bot": work.items[0]["bot_id"], "limit": ROWS}
        gone = connection.execute(queries.DELETE_ERRORS, values).rowcount
        self._note(connection, run, work, {"error_logs": gone}, work.positions[:1] if gone < ROWS else [])

    # ----------------------------------------------------------------------------------------------------- notes

    def _note(
        self,
        connection: Connection,
        run: Run,
        work: Work,
        counts: Counts,
        ends: Sequence[int],
        *,
        deletion_id: UUID | None = None,
    ) -> list[dict[str, Any]]:
        """Note what was removed; return what is to be sent to the purge queue."""
        self._settle(connection, run, ends, deletion_id=deletion_id)
        forgotten = counts.pop("memory_deletions", 0)
        count_removed(connection, run, hold_run(connection, run, self.clock.now()), counts)
        if not forgotten:
            return []
        message = MemoryPurgeMessage(organization_id=run.organization_id, bot_id=work.bot_id)
        return [message.to_json()] * -(-forgotten // AT_A_TIME)

    def _settle(
        self,
        connection: Connection,
        run: Run,
        positions: Sequence[int],
        *,
        status: str = "done",
        deletion_id: UUID | None = None,
    ) -> None:
        if positions:
            values = {"run_id": run.id, "positions": list(positions), "status": status, "deletion_id": deletion_id}
            connection.execute(queries.SETTLE, values)

    def _purge(self, messages: Sequence[Mapping[str, Any]]) -> None:
        # Were one lost, the reaper would send another.
        with suppress(UnavailableError):
            if messages:
                self.purge_queue.send(messages, group=str(messages[0]["organization_id"]))
