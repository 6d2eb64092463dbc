"""All that the database holds: a digest of it, the victim's part apart, and a way back to an earlier moment."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final
from uuid import UUID

import psycopg
from psycopg import sql

TABLES: Final = """
    SELECT c.relname, array_agg(a.attname ORDER BY a.attnum) FILTER (WHERE a.attgenerated = '') AS columns
    FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    GROUP BY c.relname ORDER BY c.relname
"""
# Each request with a credential is counted there, also one that is then refused.
COUNTERS: Final = {"rate_limits", "credential_throttles", "alembic_version"}

UUIDS: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

Digest = dict[str, tuple[str | None, str | None]]
"""By table: of the victim's rows, and of all others."""


@dataclass(frozen=True)
class Victim:
    """Whose rows are told apart."""

    organization_id: UUID
    people: Collection[UUID]


class State:
    """Reads and restores the database as its superuser, whom no policy restricts."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True)
        self._columns: dict[str, list[str]] = dict(self._connection.execute(TABLES).fetchall())

    @property
    def tables(self) -> list[str]:
        """Every table, a partitioned one once."""
        return list(self._columns)

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def execute(self, query: str, parameters: Any = None) -> list[Any]:
        """Run one statement and return its rows."""
        cursor = self._connection.execute(query, parameters)
        return cursor.fetchall() if cursor.description else []

    def save(self) -> None:
        """Keep a copy of every row."""
        self.execute("DROP SCHEMA IF EXISTS saved CASCADE")
        self.execute("CREATE SCHEMA saved")
        for table in self.tables:
            self._run("CREATE TABLE saved.{0} AS SELECT * FROM public.{0}", table)

    def restore(self, tables: Iterable[str]) -> None:
        """Put the tables back to what was saved."""
        # No trigger: what is restored shall neither be audited nor checked again.
        self.execute("SET session_replication_role = replica")
        for table in tables:
            columns = sql.SQL(", ").join(map(sql.Identifier, self._columns[table]))
            self._run("DELETE FROM public.{0}", table)
            statement = sql.SQL("INSERT INTO public.{0} ({1}) SELECT {1} FROM saved.{0}")
            self._connection.execute(statement.format(sql.Identifier(table), columns))
        self.execute("RESET session_replication_role")

    def digest(self, victim: Victim) -> Digest:
        """Return a digest of every table but the counters."""
        values = {"organization": victim.organization_id, "people": list(victim.people)}
        rows = self._connection.execute(self._digest_query, values)
        return {table: (theirs, others) for table, theirs, others in rows}

    @cached_property
    def _digest_query(self) -> bytes:
        parts = [self._digest_of(table) for table in self.tables if table not in COUNTERS]
        return sql.SQL(" UNION ALL ").join(parts).as_bytes(self._connection)

    def identifiers(self, victim: Victim) -> set[str]:
        """Return every UUID in the victim's rows."""
        found: set[str] = set()
        for table in self.tables:
            query = sql.SQL("SELECT to_jsonb(t)::text FROM public.{} t WHERE {}").format(
                sql.Identifier(table), self._belongs(table)
            )
            values = {"organization": victim.organization_id, "people": list(victim.people)}
            for (row,) in self._connection.execute(query, values):
                found.update(UUIDS.findall(row))
        return found

    def _digest_of(self, table: str) -> sql.Composed:
        digest = "md5(string_agg(md5(t::text), '' ORDER BY md5(t::text)) FILTER (WHERE {} {}))"
        columns = [sql.SQL(digest).format(sql.SQL(negation), self._belongs(table)) for negation in ("", "NOT")]
        query = sql.SQL("SELECT {}, {}, {} FROM public.{} t")
        return query.format(sql.Literal(table), *columns, sql.Identifier(table))

    def _belongs(self, table: str) -> sql.Composable:
        columns = self._columns[table]
        if table == "users":
            return sql.SQL("(t.id = ANY(%(people)s))")
        if table == "organizations":
            return sql.SQL("(t.id = %(organization)s)")
        if "organization_id" in columns:
            return sql.SQL("(t.organization_id IS NOT DISTINCT FROM %(organization)s)")
        if "user_id" in columns:
            return sql.SQL("(t.user_id = ANY(%(people)s))")
        return sql.SQL("false")

    def _run(self, statement: str, table: str) -> None:
        self._connection.execute(sql.SQL(statement).format(sql.Identifier(table)))
