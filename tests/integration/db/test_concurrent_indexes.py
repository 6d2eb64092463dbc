"""Indexes of tables that hold much, built after the migrations."""

import psycopg

from chatsphere.db.concurrent_indexes import INDEXES
from chatsphere.db.migrate import LOGIN_ROLES, migrate, with_passwords
from tests.postgres import PASSWORD, fresh_database

BEFORE = "0010"

POPULATE = """
INSERT INTO organizations (id, name, plan_id) VALUES
    ('00000000-0000-7000-8000-00000000000a', 'Old', '01970000-0000-7000-8000-000000000001');
INSERT INTO bots (id, organization_id, name) VALUES
    ('00000000-0000-7000-8000-00000000000b', '00000000-0000-7000-8000-00000000000a', 'Old');
INSERT INTO conversations (id, organization_id, bot_id) VALUES
    ('00000000-0000-7000-8000-00000000000c', '00000000-0000-7000-8000-00000000000a',
     '00000000-0000-7000-8000-00000000000b');
INSERT INTO messages (id, organization_id, bot_id, conversation_id, role, content, created_at)
SELECT gen_random_uuid(), '00000000-0000-7000-8000-00000000000a', '00000000-0000-7000-8000-00000000000b',
    '00000000-0000-7000-8000-00000000000c', 'user', 'It stays.', at
FROM unnest(ARRAY[now(), now() + interval '40 days', '2020-01-01']) AS at;
"""

VALID = "SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indisvalid"


def run(url: str) -> None:
    migrate(url, with_passwords(dict.fromkeys(LOGIN_ROLES, PASSWORD)))


def test_they_are_built_of_what_is_there_and_a_run_that_was_ended_goes_on(database_server: str) -> None:
    with (
        fresh_database(database_server, revision=BEFORE) as urls,
        psycopg.connect(urls.admin, autocommit=True) as connection,
    ):
        connection.execute(POPULATE)
        run(urls.admin)
        everything = {name for (name,) in connection.execute(VALID)}
        assert {index.name for index in INDEXES} <= everything
        # As a run leaves them that was killed during a build.
        connection.execute("DROP INDEX conversations_used")
        connection.execute("CREATE INDEX conversations_used ON conversations (organization_id)")
        connection.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'conversations_used'::regclass")
        run(urls.admin)
        assert {name for (name,) in connection.execute(VALID)} == everything
        definition = connection.execute("SELECT pg_get_indexdef('conversations_used'::regclass)").fetchone()
        assert "updated_at DESC" in (definition or ("",))[0]
        found = connection.execute("SELECT count(*) FROM messages").fetchone()
        assert found == (3,)
