"""A detached partition on its way into the archive: tenant by tenant, and bot by bot."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final
from uuid import UUID

from psycopg import sql

from chatsphere.archive.archiving import Archiver
from chatsphere.archive.datasets import DATASETS, DatasetName
from chatsphere.archive.model import ArchiveFile, Row
from chatsphere.db.database import Connection, Database
from chatsphere.errors import UnavailableError
from chatsphere.observability import logger
from chatsphere.ports.system import Clock
from chatsphere.retention.policy import Policy, effective
from chatsphere.upkeep import partition_queries as queries
from chatsphere.upkeep.forgetting import forget_messages

PAGE: Final = 2000
"""Rows that are read at once."""

MESSAGES: Final = 500
"""The same with their texts."""

RATINGS: Final = """
    WHERE r.organization_id = app.current_organization() AND r.message_id = ANY (%(messages)s)
    ORDER BY r.created_at, r.id
"""
"""What was said of messages, behind `Dataset.select`."""

NOBODY: Final = UUID(int=0)
"""Smaller than any id: stands for rows of no bot in the order of bots."""


@dataclass(frozen=True, slots=True)
class Group:
    """The rows of one bot, or of no bot, in the partition."""

    organization_id: UUID
    bot_id: UUID | None
    rows: int


@dataclass(frozen=True, slots=True)
class Leaving:
    """Archives one detached partition. `database` is the maintainer's; `retirement` is its row, claimed."""

    database: Database
    archiver: Archiver
    clock: Clock
    lease: timedelta
    retirement: Mapping[str, Any]

    def archive(self, deadline: datetime) -> tuple[bool, int]:
        """Return whether all of it is in the archive, and how many rows were put there now."""
        archived = 0
        for group in self._groups():
            if self.clock.now() >= deadline:
                return False, archived
            written = self._archive(group)
            self._note(group, written)
            archived += written
        return True, archived

    def _archive(self, group: Group) -> int:
        with self.database.transaction(None) as connection:
            policy = _policy(connection, group)
            is_held = connection.execute(queries.IS_HELD, _values(group)).fetchone() is not None
        if policy is None:
            # The organization is gone or going: what it had is erased, and nothing of it is put anywhere.
            return 0
        wanted = sql.SQL("")
        # What is held by now was let go before: all of it is archived, where the hold keeps it.
        if self._dataset is DatasetName.MESSAGES and not is_held:
            if group.bot_id is not None:
                self._forget(group, group.bot_id, policy)
            if policy.message_action == "delete":
                return 0
            wanted = sql.SQL(" AND r.role <> 'system'")
        expected = self._count(group, wanted)
        if not expected:
            return 0
        files = self._copy(group, self._dataset, self._read(group, wanted), policy)
        if sum(file.added for file in files) < self._count(group, wanted):
            # Those of a former run, or fewer rows than were read: each row is looked for.
            self._require_all(group, files, wanted)
        return expected

    def _copy(self, group: Group, dataset: DatasetName, rows: Iterator[Row], policy: Policy) -> Sequence[ArchiveFile]:
        return self.archiver.copy(
            rows,
            organization_id=group.organization_id,
            bot_id=group.bot_id,
            dataset=dataset,
            source=f"{self.retirement['partition_name']}:{self.retirement['id']}",
            archive_days=policy.archive_days,
        )

    def _require_all(self, group: Group, files: Iterable[ArchiveFile], wanted: sql.Composable) -> None:
        """See that every row that is still there is in one of the files."""
        there = 0
        for file in files:
            rows = self.archiver.read(file)
            while page := [row["id"] for row in islice(rows, PAGE)]:
                these = sql.SQL(" AND r.id = ANY ({}::uuid[])").format(sql.Literal(page))
                there += self._count(group, wanted + these)
        if there < self._count(group, wanted):
            logger.error("rows of a partition are not in the archive", partition=self.retirement["partition_name"])
            raise UnavailableError("Rows of a partition are not in the archive.")

    def _groups(self) -> list[Group]:
        """Return whose rows are left, in order."""
        bot = sql.SQL("bot_id" if self._dataset is not DatasetName.AUDIT_LOG else "NULL::uuid")
        query = sql.SQL(
            "SELECT organization_id, {bot} AS bot_id, count(*) AS rows FROM {table}"
            " WHERE %(organization_id)s::uuid IS NULL"
            " OR (organization_id, coalesce({bot}, %(nobody)s)) > (%(organization_id)s, %(bot_id)s::uuid)"
            " GROUP BY 1, 2 ORDER BY 1, coalesce({bot}, %(nobody)s)"
        ).format(bot=bot, table=self._table)
        values = {
            "organization_id": self.retirement["archived_organization"],
            "bot_id": self.retirement["archived_bot"],
            "nobody": NOBODY,
        }
        with self.database.transaction(None) as connection:
            return [Group(**row) for row in connection.execute(query, values)]

    def _read(self, group: Group, wanted: sql.Composable) -> Iterator[Row]:
        """Yield the rows that are to be archived, a page at a time."""
        query = DATASETS[self._dataset].select(self._table) + self._where(group) + wanted
        with self.database.transaction(None) as connection, connection.cursor(name="leaving") as cursor:
            cursor.itersize = PAGE
            yield from cursor.execute(query + sql.SQL(" ORDER BY r.created_at, r.id"))

    def _count(self, group: Group, wanted: sql.Composable) -> int:
        query = sql.SQL("SELECT count(*) AS rows FROM {} r").format(self._table) + self._where(group) + wanted
        with self.database.transaction(None) as connection:
            row = connection.execute(query).fetchone()
        return int(row["rows"]) if row else 0

    def _forget(self, group: Group, bot_id: UUID, policy: Policy) -> None:
        """Have what hangs on the messages deleted, too; ratings are archived where the messages are."""
        if policy.message_action == "archive":
            self._copy(group, DatasetName.FEEDBACK, self._ratings(group), policy)
        for page in self._pages(group):
            forget_messages(self.archiver, group.organization_id, bot_id, page, self.clock.now())

    def _ratings(self, group: Group) -> Iterator[Row]:
        query = DATASETS[DatasetName.FEEDBACK].select() + sql.SQL(RATINGS)
        for page in self._pages(group):
            values = {"messages": [message["id"] for message in page]}
            with self.archiver.database.transaction(group.organization_id) as connection:
                rows = connection.execute(query, values).fetchall()
            yield from rows

    def _pages(self, group: Group) -> Iterator[Sequence[Row]]:
        """Yield the group's messages in the order of their conversations."""
        query = sql.SQL("SELECT r.id, r.conversation_id, r.role, r.content FROM {} r").format(self._table)
        with self.database.transaction(None) as connection, connection.cursor(name="forgetting") as cursor:
            cursor.execute(query + self._where(group) + sql.SQL(" ORDER BY r.conversation_id, r.created_at, r.id"))
            while page := cursor.fetchmany(MESSAGES):
                yield page

    def _note(self, group: Group, rows: int) -> None:
        values = {
            "id": self.retirement["id"],
            "rows": rows,
            "organization_id": group.organization_id,
            "bot_id": group.bot_id or NOBODY,
            "until": self.clock.now() + self.lease,
        }
        with self.database.transaction(None) as connection:
            connection.execute(queries.ARCHIVED_UP_TO, values)

    def _where(self, group: Group) -> sql.Composable:
        condition = sql.SQL(" WHERE r.organization_id = {}").format(sql.Literal(group.organization_id))
        if self._dataset is DatasetName.AUDIT_LOG:
            return condition
        return condition + sql.SQL(" AND r.bot_id IS NOT DISTINCT FROM {}").format(sql.Literal(group.bot_id))

    @property
    def _dataset(self) -> DatasetName:
        return DatasetName(self.retirement["table_name"])

    @property
    def _table(self) -> sql.Identifier:
        return sql.Identifier("retired", self.retirement["partition_name"])


def _policy(connection: Connection, group: Group) -> Policy | None:
    """Return what the tenant decided for the bot; None where there is no such tenant any more."""
    found = connection.execute(queries.POLICIES, _values(group)).fetchall()
    return effective(*(row["rules"] for row in found if row["rules"])) if found else None


def _values(group: Group) -> dict[str, Any]:
    return {"organization_id": group.organization_id, "bot_id": group.bot_id}
