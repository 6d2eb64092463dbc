"""What people do with sources: add, change, synchronise, delete."""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from chatsphere.audit.recording import note
from chatsphere.db.database import Connection, Database
from chatsphere.errors import NotFoundError, UnavailableError
from chatsphere.knowledge.documents import Document, get_document, require_bot, require_open_bot
from chatsphere.knowledge.ingestion.errors import DocumentInProgressError
from chatsphere.knowledge.ingestion.object_keys import ObjectKey
from chatsphere.knowledge.ingestion.room import require_room_for
from chatsphere.knowledge.ingestion.times import DEADLINE
from chatsphere.knowledge.ingestion.transitions import refresh_bot_status
from chatsphere.knowledge.web import sources_queries as queries
from chatsphere.knowledge.web.announcing import announce_page
from chatsphere.knowledge.web.beginning import begin_sync, message_of
from chatsphere.knowledge.web.errors import SourceBusyError, SourceExistsError, TooManySourcesError
from chatsphere.knowledge.web.messages import FetchMessage
from chatsphere.knowledge.web.names import document_name
from chatsphere.knowledge.web.sources import Source, get_source
from chatsphere.knowledge.web.times import PICKUP
from chatsphere.knowledge.web.urls import WebUrl
from chatsphere.ports.queues import MessageQueue
from chatsphere.ports.system import Clock, Ids
from chatsphere.ports.vectors import Namespace
from chatsphere.retention.holds import refuse_document_if_held

MAX_SOURCES: Final = {"page": 10_000, "sitemap": 100, "crawl": 100}
"""Of a bot: each may ask a host as often as once a second, and that again every quarter of an hour."""

Outcome = Literal["created", "replaced", "unchanged"]
Keep = Callable[[Connection, Any], None]
"""Keeps the answer of a request in its transaction."""


@dataclass(frozen=True, slots=True)
class NewSource:
    """A source to be; `name`, `metadata` and `tags` are of the document of one page."""

    kind: str
    url: WebUrl
    max_pages: int = 1
    max_depth: int = 0
    resync_minutes: int | None = None
    name: str | None = None
    metadata: Mapping[str, Any] | None = None
    tags: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What of a source changes; None leaves it. `resync_minutes` counts where `changes_resync` is set."""

    max_pages: int | None
    max_depth: int | None
    changes_resync: bool
    resync_minutes: int | None


@dataclass(frozen=True, slots=True)
class Sources:
    """The sources of one organization's bot, for one of its people or keys."""

    database: Database
    fetch_queue: MessageQueue
    clock: Clock
    ids: Ids
    namespace: Namespace
    actor_id: UUID | None

    def add(self, new: NewSource, keep: Keep) -> Source:
        """Make a source and begin to synchronise it.

        Raises:
            NotFoundError: the tenant has no such bot.
            BotArchivedError: the bot is archived.
            SourceExistsError: the bot has it.
            TooManySourcesError: the bot has enough of this kind.
            InvalidNameError, QuotaExceededError, DocumentInProgressError: of one page, as `add_page`.
        """
        with self._transaction() as connection:
            require_open_bot(connection, self.namespace.bot_id)
            now = self.clock.now()
            document_id = self._announce(connection, new, now)["id"] if new.kind == "page" else None
            source_id = self._insert(connection, new, now)
            if source_id is None:
                raise SourceExistsError("The bot has a source of this kind and URL.")
            message = begin_sync(connection, self.namespace, source_id, now=now, ids=self.ids, document_id=document_id)
            source = get_source(connection, self.namespace.bot_id, source_id)
            keep(connection, source)
        self._send(message)
        return source

    def add_page(self, new: NewSource, keep: Callable[[Connection, Document, Outcome], None]) -> None:
        """Make the document of one page, and the source that keeps it up to date; of one that is there, begin anew.

        Raises:
            NotFoundError: the tenant has no such bot.
            BotArchivedError: the bot is archived.
            InvalidNameError: the name cannot be part of a key.
            QuotaExceededError: the plan has no room for another document.
            DocumentInProgressError: a document of this name is being deleted.
            SourceExistsError: the bot reads this page under another name.
            TooManySourcesError: the bot reads enough pages.
        """
        with self._transaction() as connection:
            require_open_bot(connection, self.namespace.bot_id)
            now = self.clock.now()
            announced = self._announce(connection, new, now)
            source_id = self._insert(connection, new, now) or self._same(connection, new)
            message = begin_sync(
                connection, self.namespace, source_id, now=now, ids=self.ids, document_id=announced["id"]
            )
            if not announced["created"]:
                note(connection, "web_source.synchronised", "web_source", source_id)
            outcome: Outcome = "created" if announced["created"] else "replaced" if message else "unchanged"
            refresh_bot_status(connection, self.namespace.bot_id, now)
            keep(connection, get_document(connection, self.namespace.bot_id, announced["id"]), outcome)
        self._send(message)

    def change(self, source_id: UUID, change: Change) -> Source:
        """Change what is given; it holds from the next synchronisation on.

        Raises:
            NotFoundError: the tenant has no such bot, or the bot no such source.
        """
        values = {
            "bot_id": self.namespace.bot_id,
            "source_id": source_id,
            "max_pages": change.max_pages,
            "max_depth": change.max_depth,
            "changes_resync": change.changes_resync,
            "resync_minutes": change.resync_minutes,
            "now": self.clock.now(),
        }
        with self._transaction() as connection:
            connection.execute(queries.CHANGE_SOURCE, values)
            return get_source(connection, self.namespace.bot_id, source_id)

    def sync(self, source_id: UUID) -> Source:
        """Synchronise now.

        Raises:
            NotFoundError: the tenant has no such bot, or the bot no such source.
            BotArchivedError: the bot is archived.
            SourceBusyError: it is being synchronised.
        """
        with self._transaction() as connection:
            get_source(connection, self.namespace.bot_id, source_id)
            require_open_bot(connection, self.namespace.bot_id)
            message = begin_sync(connection, self.namespace, source_id, now=self.clock.now(), ids=self.ids)
            if message is None:
                raise SourceBusyError("The source is being synchronised.")
            note(connection, "web_source.synchronised", "web_source", source_id)
            source = get_source(connection, self.namespace.bot_id, source_id)
        self._send(message)
        return source

    def delete(self, source_id: UUID) -> None:
        """Hide a source at once, and have its documents deleted.

        Raises:
            NotFoundError: the tenant has no such bot, or the bot no such source.
            LegalHoldError: the bot is held.
        """
        now = self.clock.now()
        values = {"bot_id": self.namespace.bot_id, "source_id": source_id, "now": now}
        with self._transaction() as connection:
            refuse_document_if_held(connection, self.namespace.bot_id)
            row = connection.execute(queries.BEGIN_DELETION, values | {"lease_expires_at": now + PICKUP}).fetchone()
            if row is None:
                require_bot(connection, self.namespace.bot_id)
                raise NotFoundError("There is no such source.")
        self._send(message_of(self.namespace, source_id, row))

    def _announce(self, connection: Connection, new: NewSource, now: datetime) -> dict[str, Any]:
        name = new.name or document_name(new.url)
        key = ObjectKey(self.namespace.organization_id, self.namespace.bot_id, name)
        key.check()
        require_room_for(connection, key, 0)
        metadata = None if new.metadata is None else json.dumps(new.metadata)
        row = announce_page(
            connection,
            key,
            new.url,
            document_id=self.ids.new(),
            metadata=metadata,
            tags=new.tags,
            now=now,
            deadline=now + DEADLINE,
        )
        if row is None:
            raise DocumentInProgressError("A document of this name is being deleted.")
        return row

    def _insert(self, connection: Connection, new: NewSource, now: datetime) -> UUID | None:
        values = {
            "source_id": self.ids.new(),
            "bot_id": self.namespace.bot_id,
            "kind": new.kind,
            "url": str(new.url),
            "name": new.name,
            "max_pages": new.max_pages,
            "max_depth": new.max_depth,
            "resync_minutes": new.resync_minutes,
            "now": now,
        }
        row = connection.execute(queries.INSERT_SOURCE, values).fetchone()
        counted = connection.execute(queries.COUNT_SOURCES, values).fetchone()
        if row and counted and counted["number"] > MAX_SOURCES[new.kind]:
            raise TooManySourcesError(f"A bot may have {MAX_SOURCES[new.kind]} sources of this kind.")
        return row["id"] if row else None

    def _same(self, connection: Connection, new: NewSource) -> UUID:
        values = {"bot_id": self.namespace.bot_id, "kind": new.kind, "url": str(new.url)}
        row = connection.execute(queries.FIND_SOURCE, values).fetchone()
        if row is None or row["status"] == "deleting":
            raise DocumentInProgressError("A source of this page is being deleted.")
        if (row["name"] or document_name(new.url)) != (new.name or document_name(new.url)):
            raise SourceExistsError("The bot reads this page under another name.")
        found: UUID = row["id"]
        return found

    def _transaction(self) -> Any:
        return self.database.transaction(self.namespace.organization_id, self.actor_id)

    def _send(self, message: FetchMessage | None) -> None:
        """Were the message lost, the source's lease would have the reaper send another."""
        if message is not None:
            with suppress(UnavailableError):
                self.fetch_queue.send([message.to_json()], group=message.group)
