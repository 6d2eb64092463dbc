"""Retention without HTTP: one tenant's history put into the database, runs driven by a clock that stands still."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from chatsphere.access.permissions import Role
from chatsphere.access.principal import Principal
from chatsphere.adapters.parquet import ParquetFiles
from chatsphere.archive.archiving import Archiver
from chatsphere.db.database import Database
from chatsphere.ports.system import Ids
from chatsphere.retention.hold_records import HoldDraft, make_hold
from chatsphere.retention.messages import RetentionMessage
from chatsphere.retention.policies import put_policy
from chatsphere.retention.running import RetentionRunner
from chatsphere.retention.runs import begin_run, get_run
from tests.conftest import Tenant
from tests.fakes import FixedClock, InMemoryObjectStore, InMemoryQueue
from tests.integration.retention.policy_model import Conversation, History, Hold, Listed


@dataclass
class Retention:
    """One tenant's runs, from the message to the last batch."""

    tenant: Tenant
    database: Database
    ids: Ids
    clock: FixedClock
    store: InMemoryObjectStore = field(init=False)
    jobs: InMemoryQueue = field(default_factory=InMemoryQueue)
    purge: InMemoryQueue = field(default_factory=InMemoryQueue)
    archive: Any = field(init=False)
    runner_database: Any = field(init=False)

    def __post_init__(self) -> None:
        self.runner_database = self.database
        self.store = InMemoryObjectStore(self.clock)
        self.archive = Archiver(self.database, self.store, ParquetFiles(), self.clock, self.ids)

    @property
    def runner(self) -> RetentionRunner:
        return RetentionRunner(self.runner_database, self.archive, self.jobs, self.purge, self.clock, self.ids)

    @property
    def caller(self) -> Principal:
        return Principal(self.tenant.organization_id, self.tenant.user_id, Role.OWNER)

    def begin(self, *, dry_run: bool = False, bot_id: UUID | None = None) -> UUID:
        run_id = self.ids.new()
        with self.database.transaction(self.tenant.organization_id) as connection:
            begin_run(connection, run_id, now=self.clock.now(), dry_run=dry_run, bot_id=bot_id)
        message = RetentionMessage(organization_id=self.tenant.organization_id, retention_run_id=run_id)
        self.jobs.send([message.to_json()], group=message.group)
        return run_id

    def work(self) -> None:
        """Work off the queue until it is empty."""
        while self.jobs.messages:
            self.runner.run(RetentionMessage.parse(self.jobs.messages.popleft()))

    def run(self, *, dry_run: bool = False, bot_id: UUID | None = None) -> dict[str, Any]:
        """Begin a run, see it through, and return its row."""
        run_id = self.begin(dry_run=dry_run, bot_id=bot_id)
        self.work()
        return self.row(run_id)

    def row(self, run_id: UUID) -> dict[str, Any]:
        with self.database.transaction(self.tenant.organization_id) as connection:
            return dict(get_run(connection, run_id))

    def listed(self, run_id: UUID) -> Counter[Listed]:
        rows = self.query(
            """
            SELECT kind, bot_id, COALESCE(subject_id::text, day::text) AS subject, action, reason, rows, messages
            FROM retention_items WHERE run_id = %(run_id)s
            """,
            run_id=run_id,
        )
        return Counter(tuple(row.values()) for row in rows)

    def query(self, statement: str, **values: Any) -> list[dict[str, Any]]:
        with self.database.transaction(self.tenant.organization_id) as connection:
            return connection.execute(statement, values).fetchall()

    def count(self, table: str) -> int:
        return int(self.query(f"SELECT count(*) AS n FROM {table}")[0]["n"])

    def stored(self, table: str) -> set[UUID]:
        return {row["id"] for row in self.query(f"SELECT id FROM {table}")}

    def archived(self, dataset: str) -> set[UUID]:
        """Ids of the rows in files that count, each once."""
        rows = list(self._archived_rows(dataset))
        assert len(rows) == len(set(rows)), "a row is in the archive twice"
        return set(rows)

    def _archived_rows(self, dataset: str) -> Iterable[UUID]:
        files = self.query(
            "SELECT key, version_id FROM archive_files WHERE dataset = %(dataset)s AND status = 'complete'",
            dataset=dataset,
        )
        with TemporaryDirectory() as folder:
            for file in files:
                path = Path(folder) / "file.parquet"
                self.store.download(file["key"], file["version_id"], path, max_bytes=2**30)
                yield from (UUID(row["id"]) for row in ParquetFiles().read(path, {"id"}))

    # ------------------------------------------------------------------------------------------------- histories

    def put(self, history: History) -> None:
        """Write a history down: bots, policies, rows, and last the holds."""
        organization = self.tenant.organization_id
        with self.database.transaction(organization) as connection:
            for bot_id in history.bots:
                connection.execute(
                    "INSERT INTO bots (id, organization_id, name) VALUES (%s, %s, 'Bot') ON CONFLICT DO NOTHING",
                    (bot_id, organization),
                )
            cursor = connection.cursor()
            for rules, bot in [(history.rules, None), *((rules, bot) for bot, rules in history.overrides.items())]:
                if rules:
                    put_policy(connection, bot, rules, ids=self.ids, now=self.clock.now())
            cursor.executemany(
                "INSERT INTO conversations (id, organization_id, bot_id, end_user_id, title, created_at, updated_at,"
                " kept_until) VALUES (%s, %s, %s, %s, '', %s, %s, %s)",
                [
                    (c.id, organization, c.bot_id, c.end_user_id, c.created_at, c.updated_at, c.kept_until)
                    for c in history.conversations
                ],
            )
            cursor.executemany(
                "INSERT INTO messages (id, organization_id, bot_id, conversation_id, role, content, created_at)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s)",
                [
                    (m.id, organization, c.bot_id, c.id, m.role, f"What of {m.id}?", m.created_at)
                    for c in history.conversations
                    for m in c.messages
                ],
            )
            for answered in (each for each in history.conversations if each.answered):
                self._answer_under_way(cursor, answered)
            cursor.executemany(
                "INSERT INTO documents (id, organization_id, bot_id, name, source, status, stage, size, created_at,"
                " updated_at) VALUES (%s, %s, %s, 'a.txt', 'text', 'ready', 'done', 100, %s, %s)",
                [(d.id, organization, d.bot_id, d.created_at, d.updated_at) for d in history.documents],
            )
            cursor.executemany(
                "INSERT INTO error_logs (id, organization_id, bot_id, service, error_type, message, created_at)"
                " VALUES (%s, %s, %s, 'chat', 'x', 'x', %s)",
                [(e.id, organization, e.bot_id, e.created_at) for e in history.errors],
            )
        for hold in history.holds:
            self.hold(hold)

    def hold(self, hold: Hold) -> UUID:
        bot_id = None if hold.subject in ("organization", "conversation") else hold.bot_id
        draft = HoldDraft("a case", bot_id, hold.conversation_id, hold.end_user_id)
        with self.database.transaction(self.tenant.organization_id) as connection:
            made: UUID = make_hold(connection, draft, self.caller, self.ids.new(), self.clock.now())["id"]
        return made

    def _answer_under_way(self, cursor: Any, conversation: Conversation) -> None:
        now = self.clock.now()
        cursor.execute(
            "INSERT INTO answers_under_way (message_id, organization_id, bot_id, conversation_id, turn, asked_at,"
            " expires_at) VALUES (%s, %s, %s, %s, %s, %s, %s)",
            (self.ids.new(), self.tenant.organization_id, conversation.bot_id, conversation.id, Jsonb({}), now, now),
        )
