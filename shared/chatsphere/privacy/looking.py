"""Counting what is left of a tenant or of a person, table by table as the catalog lists them: a new table cannot be
forgotten. One that may not be read stops the count, and with it the receipt.
"""

# Only constants are put together here; every value is a parameter.
# ruff: noqa: S608

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from psycopg import sql

from chatsphere.db.database import Connection
from chatsphere.privacy.person_queries import TELLS_OF_PERSON

PERSON_COLUMNS: Final = ("user_id", "created_by", "invited_by", "principal_id")
"""Columns that say whose a row is, or who made it. In the audit log the person is a pseudonym and stays."""

# The tenant's tables. Where no index finds a tenant's rows, `parent` is a table that has one and on which the rows
# hang by a foreign key that carries the tenant: without a row there, there is none here.
TENANT_TABLES: Final = """
    WITH tables AS (
        SELECT c.oid, c.relname AS name, a.attnum,
            EXISTS (SELECT FROM pg_index i
                    WHERE i.indrelid = c.oid AND i.indpred IS NULL AND i.indkey[0] = a.attnum) AS indexed
        FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'organization_id' AND NOT a.attisdropped
        WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
    )
    SELECT child.name, hold.parent, hold.child_columns, hold.parent_columns
    FROM tables child
    LEFT JOIN LATERAL (
        SELECT parent.name AS parent,
            (SELECT array_agg(attname::text ORDER BY place)
             FROM pg_attribute JOIN unnest(k.conkey) WITH ORDINALITY u (number, place) ON attnum = number
             WHERE attrelid = child.oid) AS child_columns,
            (SELECT array_agg(attname::text ORDER BY place)
             FROM pg_attribute JOIN unnest(k.confkey) WITH ORDINALITY u (number, place) ON attnum = number
             WHERE attrelid = parent.oid) AS parent_columns
        FROM pg_constraint k
        JOIN tables parent ON parent.oid = k.confrelid AND parent.indexed
        WHERE NOT child.indexed AND k.conrelid = child.oid AND k.contype = 'f' AND k.convalidated
          AND child.attnum = ANY (k.conkey)
        ORDER BY k.conname LIMIT 1) hold ON true
    ORDER BY child.name
"""

PERSON_TABLES: Final = """
    SELECT c.relname AS name, array_agg(a.attname::text ORDER BY a.attname) AS columns
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = ANY (%(columns)s) AND NOT a.attisdropped
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
    GROUP BY c.relname ORDER BY c.relname
"""

ORGANIZATION_ROW: Final = "SELECT count(*) AS rows FROM organizations WHERE id = app.current_organization()"

# What is not found by a person's id: the person's row, what knows the mail address, and what the audit log still
# tells of somebody beyond the pseudonym.
PERSON_VALUES: Final = f"""
    SELECT
        (SELECT count(*) FROM users WHERE id = %(user_id)s) AS users,
        (SELECT count(*) FROM invitations
         WHERE lower(email) = lower(%(email)s) OR accepted_by = %(user_id)s) AS invitations_received,
        (SELECT count(*) FROM credential_throttles
         WHERE substring(subject FOR 32) = ANY (%(subjects)s)) AS credential_throttles,
        (SELECT count(*) FROM audit_log WHERE {TELLS_OF_PERSON}) AS audit_log_personal_values
"""


def count_tenant(connection: Connection) -> dict[str, int]:
    """Return how many rows of each table are the tenant's, without the tables that have none."""
    tables = connection.execute(TENANT_TABLES).fetchall()
    counts = _counted(connection, [(row["name"], _tenant_rows(row)) for row in tables], {})
    organization = connection.execute(ORGANIZATION_ROW).fetchone()
    counts["organizations"] = organization["rows"] if organization else 0
    return {table: rows for table, rows in counts.items() if rows}


def count_person(connection: Connection, user_id: UUID, email: str, subjects: Sequence[bytes]) -> dict[str, int]:
    """Return how many rows of each table are the person's or name them, without the tables that have none.

    `subjects` are what the person's tries of credentials are counted of.
    """
    values = {"user_id": user_id, "email": email, "subjects": list(subjects)}
    tables = connection.execute(PERSON_TABLES, {"columns": list(PERSON_COLUMNS)}).fetchall()
    counts = _counted(connection, [(row["name"], _person_rows(row)) for row in tables], values)
    counts |= connection.execute(PERSON_VALUES, values).fetchone() or {}
    return {table: rows for table, rows in counts.items() if rows}


def _counted(
    connection: Connection, queries: Sequence[tuple[str, sql.Composable]], values: dict[str, Any]
) -> dict[str, int]:
    columns = [sql.SQL("({}) AS {}").format(query, sql.Identifier(name)) for name, query in queries]
    row = connection.execute(sql.SQL("SELECT {}").format(sql.SQL(", ").join(columns)), values).fetchone()
    return dict(row or {})


def _tenant_rows(table: dict[str, Any]) -> sql.Composable:
    child = sql.Identifier(table["name"])
    if table["parent"] is None:
        return sql.SQL("SELECT count(*) FROM {} WHERE organization_id = app.current_organization()").format(child)
    pairs = zip(table["child_columns"], table["parent_columns"], strict=True)
    joined = sql.SQL(" AND ").join(
        sql.SQL("child.{} = parent.{}").format(sql.Identifier(mine), sql.Identifier(its)) for mine, its in pairs
    )
    query = (
        "SELECT count(*) FROM {} parent JOIN {} child ON {} WHERE parent.organization_id = app.current_organization()"
    )
    return sql.SQL(query).format(sql.Identifier(table["parent"]), child, joined)


def _person_rows(table: dict[str, Any]) -> sql.Composable:
    conditions = [sql.SQL("{} = %(user_id)s").format(sql.Identifier(column)) for column in table["columns"]]
    return sql.SQL("SELECT count(*) FROM {} WHERE {}").format(
        sql.Identifier(table["name"]), sql.SQL(" OR ").join(conditions)
    )
