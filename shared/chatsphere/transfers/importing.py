"""Making a bot of a file that was checked. The bot is seen when all of it is there, and not before."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg.types.json import Jsonb

from chatsphere.access.permissions import BotLevel
from chatsphere.audit.recording import note
from chatsphere.billing.quotas import Quota, hold_organization, require_room
from chatsphere.bots import queries as bot_queries
from chatsphere.bots import versions as bot_versions
from chatsphere.bots.members import grant
from chatsphere.bots.slugs import SlugTakenError, free_slug
from chatsphere.db.database import Connection, Database
from chatsphere.knowledge.ingestion.messages import ExtractMessage, embed_messages
from chatsphere.knowledge.ingestion.parts import BATCH_CHUNKS
from chatsphere.knowledge.ingestion.times import DEADLINE, PICKUP, TIME_PER_CHUNK
from chatsphere.ports.queues import MessageQueue
from chatsphere.transfers import import_queries as queries
from chatsphere.transfers.checking import Found, evaluations, versions
from chatsphere.transfers.document_import import Target
from chatsphere.transfers.errors import BotGoneError, InvalidFileError
from chatsphere.transfers.format import BotLine, CaseLine, EmbeddedBy, Manifest
from chatsphere.transfers.new_ids import document_id, evaluation_id
from chatsphere.transfers.reading import TransferFile

PAGE: Final = 500
"""Rows of one transaction."""


@dataclass(frozen=True, slots=True)
class Importer:
    """Who imports, under which name. `created_by` is None where that person has left since."""

    organization_id: UUID
    import_id: UUID
    created_by: UUID | None
    name: str | None


def begin_bot(
    connection: Connection, importer: Importer, found: Found, kept: EmbeddedBy | None, *, bot_id: UUID, now: datetime
) -> None:
    """Make a bot that nobody sees yet, if the plan has room for all that is to be in it.

    Raises:
        QuotaExceededError: it has not.
    """
    hold_organization(connection)
    require_room(connection, Quota.BOTS)
    _insert_bot(connection, importer, found.bot, bot_id, now)
    require_room(connection, Quota.DOCUMENTS, adding=found.documents, bot_id=bot_id)
    require_room(connection, Quota.BYTES, adding=found.original_bytes)
    values = {
        "bot_id": bot_id,
        "version": found.bot.version,
        "model": kept and kept.model,
        "dimensions": kept and kept.dimensions,
    }
    connection.execute(queries.HIDE_BOT, values)
    if importer.created_by is not None:
        grant(connection, bot_id, importer.created_by, BotLevel.MANAGE, now=now)


def _insert_bot(connection: Connection, importer: Importer, line: BotLine, bot_id: UUID, now: datetime) -> None:
    name = importer.name or line.name
    values = line.model_dump(exclude={"version", "configuration"}) | {
        "id": bot_id,
        "organization_id": importer.organization_id,
        "name": name,
        "slug": free_slug(connection, name, bot_id),
        # Nobody has decided that the public may ask it here.
        "visibility": "private" if line.visibility == "private" else "organization",
        "configuration": Jsonb(line.configuration),
        "created_by": importer.created_by,
        "now": now,
    }
    if connection.execute(bot_queries.INSERT, values).fetchone() is None:
        raise SlugTakenError


@dataclass(frozen=True, slots=True)
class Rest:
    """What belongs to a bot beside its documents: versions and evaluation sets."""

    database: Database
    target: Target
    now: datetime

    def make(self, file: TransferFile, manifest: Manifest) -> None:
        """Make all of it; what was made before stays as it is.

        Raises:
            BotGoneError: the bot was deleted meanwhile.
        """
        pending: list[tuple[str, dict[str, Any]]] = []
        for line in versions(file, manifest):
            content = Jsonb(line.content.model_dump(mode="json"))
            values = line.model_dump(include={"version", "restored_from", "created_at"}) | {"content": content}
            pending.append((queries.INSERT_VERSION, values))
            pending = self._flush(pending, PAGE)
        set_number, case_number = -1, 0
        for entry in evaluations(file, manifest):
            if entry.set is not None:
                set_number, case_number = set_number + 1, 0
                pending.append((queries.INSERT_SET, self._set(set_number) | entry.model_dump(exclude={"case"})))
                pending[-1][1]["name"] = entry.set
            elif entry.case is not None:
                pending.append((queries.INSERT_CASE, self._case(set_number, case_number, entry.case)))
                case_number += 1
            pending = self._flush(pending, PAGE)
        self._flush(pending, 1)

    def _flush(self, pending: list[tuple[str, dict[str, Any]]], least: int) -> list[tuple[str, dict[str, Any]]]:
        if len(pending) < least:
            return pending
        with self.database.transaction(self.target.organization_id) as connection:
            if connection.execute(queries.HOLD_BOT, {"bot_id": self.target.bot_id}).fetchone() is None:
                raise BotGoneError
            for query, values in pending:
                connection.execute(query, values | {"bot_id": self.target.bot_id, "now": self.now})
        return []

    def _set(self, number: int) -> dict[str, Any]:
        return {"set_id": evaluation_id(self.target.import_id, number)}

    def _case(self, set_number: int, number: int, line: CaseLine) -> dict[str, Any]:
        import_id = self.target.import_id
        relevant = [
            {
                "document_id": None if each.place is None else str(document_id(import_id, each.place)),
                "document_name": each.document_name,
                "quote": each.quote,
            }
            for each in line.relevant_documents
        ]
        return self._set(set_number) | {
            "case_id": evaluation_id(import_id, set_number, number),
            "question": line.question,
            "history": Jsonb([said.model_dump() for said in line.history]),
            "expected_answers": Jsonb(line.expected_answers),
            "relevant_documents": Jsonb(relevant),
            "expect_refusal": line.expect_refusal,
            "needs_review": line.needs_review,
        }


def show_bot(connection: Connection, importer: Importer, target: Target, *, documents: int, now: datetime) -> None:
    """Let the bot be seen: all of it is there.

    Raises:
        BotGoneError: the bot was deleted meanwhile.
        InvalidFileError: something of it is missing.
    """
    values = {
        "bot_id": target.bot_id,
        "now": now,
        "lease_expires_at": now + PICKUP,
        "deadline_at": now + DEADLINE,
        "time_per_batch": TIME_PER_CHUNK * BATCH_CHUNKS,
    }
    if connection.execute(queries.HOLD_BOT, values).fetchone() is None:
        raise BotGoneError
    counted = connection.execute(queries.COUNT_DOCUMENTS, values).fetchone()
    if counted is None or counted["documents"] != documents:
        raise InvalidFileError("Not all documents of the file are there.")
    bot_versions.record(connection, target.bot_id, by=importer.created_by, at=now)
    connection.execute(queries.LET_EMBED, values)
    connection.execute(queries.SHOW_BOT, values)
    note(connection, "bot.imported", "bot", target.bot_id, after={"documents": documents})


def send_to_embed(database: Database, embed_queue: MessageQueue, target: Target) -> None:
    """Have the documents embedded that are to be. Were it cut short, their leases would have the reaper do it."""
    after: UUID | None = None
    while True:
        values: Mapping[str, Any] = {"bot_id": target.bot_id, "after": after, "limit": PAGE}
        with database.transaction(target.organization_id) as connection:
            rows = connection.execute(queries.TO_EMBED, values).fetchall()
        for row in rows:
            message = ExtractMessage(
                organization_id=target.organization_id,
                bot_id=target.bot_id,
                document_id=row["document_id"],
                generation=1,
            )
            embed_queue.send(embed_messages(message, range(row["batches"])), group=message.group)
        if len(rows) < PAGE:
            return
        after = rows[-1]["document_id"]
