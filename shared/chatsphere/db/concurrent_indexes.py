"""Indexes of tables that may hold much: built without a lock that writers wait for, and therefore outside of the
migrations' transaction, after it. A run that was ended goes on where it was: a half-built index is built anew.
"""

from dataclasses import dataclass
from typing import Final, LiteralString

import psycopg
from psycopg import sql

BUILDING: Final = "5min"
"""How long a build waits for the transactions that were open before it; nobody waits for the build."""

ATTACHING: Final = "5s"
"""How long to wait for a lock that others queue behind."""

TIMEOUT: Final = "SELECT set_config('lock_timeout', %s, false)"


@dataclass(frozen=True, slots=True)
class ConcurrentIndex:
    """`definition` is what follows the table's name. `partitioned`: the parent's index is made by a migration, and each
    partition's is attached to it.
    """

    name: str
    table: str
    definition: LiteralString
    partitioned: bool = False


INDEXES: Final = (
    ConcurrentIndex("messages_words", "messages", "USING gin (app.message_lexemes(bot_id, content))", partitioned=True),
    ConcurrentIndex("messages_age", "messages", "(organization_id, bot_id, created_at)", partitioned=True),
    ConcurrentIndex(
        "messages_system", "messages", "(organization_id, bot_id, created_at) WHERE role = 'system'", partitioned=True
    ),
    ConcurrentIndex("conversations_used", "conversations", "(organization_id, bot_id, updated_at DESC, id DESC)"),
    ConcurrentIndex(
        "webhook_deliveries_first",
        "webhook_deliveries",
        "(organization_id, endpoint_id, next_attempt_at, sequence) WHERE status = 'pending'",
    ),
    ConcurrentIndex(
        "webhook_deliveries_under_way",
        "webhook_deliveries",
        "(organization_id, lease_expires_at) WHERE status = 'pending' AND lease_expires_at IS NOT NULL",
    ),
)

# Partitions whose index is not attached to the parent's.
MISSING: Final = """
    SELECT c.relname FROM pg_inherits part JOIN pg_class c ON c.oid = part.inhrelid
    WHERE part.inhparent = %(table)s::regclass AND NOT EXISTS (
        SELECT FROM pg_inherits i JOIN pg_index x ON x.indexrelid = i.inhrelid
        WHERE i.inhparent = %(index)s::regclass AND x.indrelid = c.oid)
    ORDER BY c.relname DESC
"""

IS_VALID: Final = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)"


def build_indexes(connection: psycopg.Connection) -> None:
    """Build what is missing, each partition's by itself, the latest first. The connection is in autocommit mode.

    Raises:
        psycopg.Error: an index could not be built; the next run goes on with it.
    """
    for index in INDEXES:
        if not index.partitioned:
            _build(connection, index.name, index.table, index.definition)
            continue
        names = {"table": f"public.{index.table}", "index": f"public.{index.name}"}
        for (partition,) in connection.execute(MISSING, names).fetchall():
            own = partition + index.name.removeprefix(index.table)
            _build(connection, own, partition, index.definition)
            connection.execute(TIMEOUT, (ATTACHING,))
            connection.execute(
                sql.SQL("ALTER INDEX public.{} ATTACH PARTITION public.{}").format(
                    sql.Identifier(index.name), sql.Identifier(own)
                )
            )
    connection.execute("RESET lock_timeout")


def _build(connection: psycopg.Connection, name: str, table: str, definition: LiteralString) -> None:
    found = connection.execute(IS_VALID, (f"public.{name}",)).fetchone()
    if found == (True,):
        return
    index = sql.Identifier(name)
    connection.execute(TIMEOUT, (BUILDING,))
    if found is not None:
        connection.execute(sql.SQL("DROP INDEX CONCURRENTLY public.{}").format(index))
    connection.execute(
        sql.SQL("CREATE INDEX CONCURRENTLY {} ON public.{} " + definition).format(index, sql.Identifier(table))
    )
