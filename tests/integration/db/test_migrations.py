"""The migrations: repeatable, and no tenant table without its policy."""

import psycopg
import pytest

from chatsphere.db.migrate import LOGIN_ROLES, migrate, with_passwords
from tests.postgres import PASSWORD, DatabaseUrls, fresh_database

UNPROTECTED = """
SELECT c.relname
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'organization_id' AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND NOT (
      c.relrowsecurity AND c.relforcerowsecurity AND a.attnotnull
      AND EXISTS (
          SELECT FROM pg_policy p
          JOIN pg_roles r ON r.oid = ANY (p.polroles) AND r.rolname = 'chatsphere_app'
          WHERE p.polrelid = c.oid AND p.polcmd = '*'
            AND pg_get_expr(p.polqual, p.polrelid) LIKE '%organization_id = app.current_organization()%'
            AND pg_get_expr(p.polwithcheck, p.polrelid) LIKE '%organization_id = app.current_organization()%'))
ORDER BY 1
"""

# A partition has no policy of its own: nobody but its parent may reach it.
REACHABLE_PARTITIONS = """
SELECT c.relname FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
WHERE c.relispartition AND c.relkind = 'r'
  AND (has_table_privilege('chatsphere_app', c.oid, 'SELECT')
       OR has_table_privilege('chatsphere_search', c.oid, 'SELECT'))
"""

# Foreign keys between tenant tables that do not carry the organization.
SIMPLE_KEYS = """
WITH tenant_tables AS (
    SELECT a.attrelid AS oid, a.attnum FROM pg_attribute a
    JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
    WHERE a.attname = 'organization_id' AND c.relkind IN ('r', 'p') AND NOT c.relispartition)
SELECT k.conname FROM pg_constraint k
JOIN tenant_tables child ON child.oid = k.conrelid
JOIN tenant_tables parent ON parent.oid = k.confrelid
WHERE k.contype = 'f' AND NOT (child.attnum = ANY (k.conkey) AND parent.attnum = ANY (k.confkey))
"""


@pytest.mark.parametrize("query", [UNPROTECTED, REACHABLE_PARTITIONS, SIMPLE_KEYS])
def test_every_tenant_table_is_protected(database_urls: DatabaseUrls, query: str) -> None:
    with psycopg.connect(database_urls.admin) as connection:
        assert connection.execute(query).fetchall() == []


def test_a_tenant_table_without_a_policy_is_found(database_server: str) -> None:
    with fresh_database(database_server) as urls, psycopg.connect(urls.admin) as connection:
        connection.execute("CREATE TABLE forgotten (id uuid PRIMARY KEY, organization_id uuid NOT NULL)")
        assert connection.execute(UNPROTECTED).fetchall() == [("forgotten",)]


def test_only_search_functions_run_as_their_definer(database_urls: DatabaseUrls) -> None:
    with psycopg.connect(database_urls.admin) as connection:
        definers = connection.execute(
            "SELECT p.proname, r.rolname, p.proconfig FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner"
            " JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.prosecdef AND n.nspname IN ('app', 'public')"
        ).fetchall()
        (tables_owner,) = connection.execute("SELECT relowner::regrole::text FROM pg_class WHERE relname = 'bots'")
    assert {owner for _, owner, _ in definers} == {"chatsphere_search", *tables_owner}
    for name, _, configuration in definers:
        assert any(setting.startswith("search_path=") for setting in configuration or []), name


def test_the_application_role_owns_nothing_and_bypasses_nothing(database_urls: DatabaseUrls) -> None:
    with psycopg.connect(database_urls.admin) as connection:
        roles = connection.execute(
            "SELECT rolname FROM pg_roles"
            " WHERE rolname LIKE 'chatsphere%' AND (rolsuper OR rolbypassrls OR rolcreaterole)"
        ).fetchall()
        owned = connection.execute("SELECT tablename FROM pg_tables WHERE tableowner LIKE 'chatsphere%'").fetchall()
    assert (roles, owned) == ([], [])


def test_migrating_again_changes_nothing(database_server: str) -> None:
    with fresh_database(database_server) as urls:
        before = _schema(urls.admin)
        migrate(urls.admin, with_passwords(dict.fromkeys(LOGIN_ROLES, PASSWORD)))
        assert _schema(urls.admin) == before


def test_a_populated_database_is_migrated_to_the_same_schema(database_server: str) -> None:
    with fresh_database(database_server) as expected, fresh_database(database_server, revision="0001") as urls:
        with psycopg.connect(urls.admin) as connection:
            connection.execute(POPULATE)
        migrate(urls.admin, with_passwords(dict.fromkeys(LOGIN_ROLES, PASSWORD)))
        assert _schema(urls.admin) == _schema(expected.admin)
        with psycopg.connect(urls.admin) as connection:
            assert connection.execute("SELECT content FROM chunks").fetchall() == [("What was there stays.",)]
            used = "SELECT tableoid::regclass::text, metric FROM usage_events"
            assert connection.execute(used).fetchall() == [("usage_events_first", "old")]


def _schema(url: str) -> list[tuple[str, ...]]:
    """Return every column and index, for comparison."""
    with psycopg.connect(url) as connection:
        return connection.execute(
            "SELECT table_name, column_name, data_type, is_nullable, coalesce(column_default, '')"
            " FROM information_schema.columns WHERE table_schema = 'public'"
            " UNION ALL SELECT tablename, indexname, indexdef, '', '' FROM pg_indexes WHERE schemaname = 'public'"
            " ORDER BY 1, 2, 3"
        ).fetchall()


POPULATE = """
INSERT INTO organizations (id, name, plan_id) VALUES
    ('00000000-0000-7000-8000-00000000000a', 'Old', '01970000-0000-7000-8000-000000000001');
INSERT INTO bots (id, organization_id, name) VALUES
    ('00000000-0000-7000-8000-00000000000b', '00000000-0000-7000-8000-00000000000a', 'Old');
INSERT INTO documents (id, organization_id, bot_id, name, source, status, live_generation) VALUES
    ('00000000-0000-7000-8000-00000000000c', '00000000-0000-7000-8000-00000000000a',
     '00000000-0000-7000-8000-00000000000b', 'old.txt', 's3', 'ready', 1);
INSERT INTO chunks (id, organization_id, bot_id, document_id, generation, batch, ordinal, content,
                    char_start, char_end, token_count, vector_id) VALUES
    ('00000000-0000-7000-8000-00000000000d', '00000000-0000-7000-8000-00000000000a',
     '00000000-0000-7000-8000-00000000000b', '00000000-0000-7000-8000-00000000000c', 1, 0, 0,
     'What was there stays.', 0, 21, 5, 'c:1:0');
INSERT INTO usage_events (id, organization_id, metric, created_at) VALUES
    ('00000000-0000-7000-8000-00000000000e', '00000000-0000-7000-8000-00000000000a', 'old', '2020-02-02');
"""
