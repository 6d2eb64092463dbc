"""A database of its own whose partitions come and go by a clock that is moved."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg.rows import dict_row

from chatsphere.adapters.parquet import ParquetFiles
from chatsphere.adapters.system import SystemClock, UuidV7Ids
from chatsphere.archive.archiving import Archiver
from chatsphere.db.database import Database
from chatsphere.settings import PartitionSettings
from chatsphere.upkeep.partitions import Partitions
from chatsphere.upkeep.retiring import Retired
from tests.conftest import Tenant, add_tenant
from tests.fakes import FixedClock, InMemoryObjectStore
from tests.postgres import DatabaseUrls, fresh_database

START = datetime(2031, 3, 10, 12, tzinfo=UTC)
SET_PATIENCE = """
    SELECT format('ALTER FUNCTION %%s SET lock_timeout = %%L', oid::regprocedure, %s::text) AS statement
    FROM pg_proc WHERE 'lock_timeout=' || %s = ANY (proconfig)"""
PATIENCE = "2s"
IMPATIENCE = "50ms"
FAR = datetime(9000, 1, 1, tzinfo=UTC)


@dataclass
class World:
    """Partitions with everything they use; `admin` sees all rows."""

    urls: DatabaseUrls
    clock: FixedClock = field(default_factory=lambda: FixedClock(START))
    settings: PartitionSettings = field(default_factory=PartitionSettings)

    def __post_init__(self) -> None:
        self.database = Database(self.urls.app)
        self.maintainer = Database(self.urls.maintainer)
        self.admin = psycopg.connect(self.urls.admin, autocommit=True, row_factory=dict_row)
        self.ids = UuidV7Ids(SystemClock())
        self.store = InMemoryObjectStore(self.clock)
        self.waits: list[float] = []

    @property
    def archiver(self) -> Archiver:
        """Where rows go."""
        return Archiver(self.database, self.store, ParquetFiles(), self.clock, self.ids)

    def partitions(self, **settings: Any) -> Partitions:
        """What is tested; it does not wait."""
        chosen = self.settings.model_copy(update=settings)
        return Partitions(self.maintainer, self.archiver, chosen, self.clock, self.waits.append)

    def retire(self) -> Retired:
        """Let go what is due."""
        return self.partitions().retire(FAR)

    def tenant(self) -> Tenant:
        """A new organization with a bot."""
        return add_tenant(self.database, self.ids)

    def use(self, tenant: Tenant, rows: int = 1, *, at: datetime | None = None, summed: bool = True) -> None:
        """Write usage events of a tenant, and have them summed up."""
        for _ in range(rows):
            self.as_tenant(
                tenant,
                "INSERT INTO usage_events (id, organization_id, bot_id, metric, created_at)"
                " VALUES (%s, %s, %s, 'chat.answer', %s)",
                (self.ids.new(), tenant.organization_id, tenant.bot_id, at or self.clock.now()),
            )
        if summed:
            self.admin.execute("DELETE FROM usage_marks WHERE organization_id = %s", (tenant.organization_id,))

    def say(self, tenant: Tenant, role: str = "user", *, at: datetime | None = None) -> None:
        """Write a message in a conversation of its own."""
        conversation, moment = self.ids.new(), at or self.clock.now()
        self.as_tenant(
            tenant,
            "INSERT INTO conversations (id, organization_id, bot_id, created_at) VALUES (%s, %s, %s, %s)",
            (conversation, tenant.organization_id, tenant.bot_id, moment),
        )
        self.as_tenant(
            tenant,
            "INSERT INTO messages (id, organization_id, bot_id, conversation_id, role, content, created_at)"
            " VALUES (%s, %s, %s, %s, %s, 'Said.', %s)",
            (self.ids.new(), tenant.organization_id, tenant.bot_id, conversation, role, moment),
        )

    def hold(self, tenant: Tenant) -> None:
        """Put a legal hold on the whole organization."""
        self.as_tenant(
            tenant,
            "INSERT INTO legal_holds (id, organization_id, subject, reason, made_at)"
            " VALUES (%s, %s, 'organization', 'Asked for.', %s)",
            (self.ids.new(), tenant.organization_id, self.clock.now()),
        )

    def release(self, tenant: Tenant) -> None:
        """End all holds."""
        self.as_tenant(tenant, "UPDATE legal_holds SET released_at = %s", (self.clock.now(),))

    def as_tenant(self, tenant: Tenant, statement: str, values: tuple[Any, ...] = ()) -> None:
        """Run one statement as the application."""
        with self.database.transaction(tenant.organization_id) as connection:
            connection.execute(statement, values)

    def count(self, tenant: Tenant, table: str = "usage_events") -> int:
        """Return how many rows of a table are the tenant's."""
        return len(self.rows(f"SELECT 1 FROM {table} WHERE organization_id = %s", tenant.organization_id))

    def archived(self, tenant: Tenant, dataset: str = "usage_events") -> int:
        """Return how many rows of the tenant are in the archive by its manifest."""
        query = "SELECT rows FROM archive_files WHERE organization_id = %s AND dataset = %s"
        rows = self.rows(query, tenant.organization_id, dataset)
        return sum(row["rows"] for row in rows)

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """Return what an administrator sees."""
        return self.admin.execute(query, values or None).fetchall()

    def names(self, table: str) -> set[str]:
        """Return the partitions of a table, the default one aside."""
        rows = self.rows(
            "SELECT partition_name FROM app.list_partitions() WHERE table_name = %s AND NOT is_default", table
        )
        return {row["partition_name"] for row in rows}

    @contextmanager
    def impatient(self) -> Iterator[None]:
        """Give up a lock as soon as somebody else has it. Else autovacuum is waited for, which gives way after 1 s."""
        self._set_patience(PATIENCE, IMPATIENCE)
        yield
        self._set_patience(IMPATIENCE, PATIENCE)

    def _set_patience(self, former: str, new: str) -> None:
        for call in self.rows(SET_PATIENCE, new, former):
            self.admin.execute(call["statement"])

    def pass_days(self, days: int) -> None:
        """Let time go by."""
        self.clock.advance(timedelta(days=days))


@contextmanager
def running_world(server: str) -> Iterator[World]:
    """Make a world, and remove it."""
    with fresh_database(server) as urls:
        world = World(urls)
        try:
            yield world
        finally:
            world.admin.close()
            world.maintainer.close()
            world.database.close()
