"""The restore of docs/deploy.md and the drill of docs/restore-drill.md, word for word: data moves between databases
whose administrator sees no row, and the two are compared."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from chatsphere.adapters.system import SystemClock, UuidV7Ids
from chatsphere.db.database import Database
from chatsphere.db.migrate import current_revision, migrate, with_iam
from infra.local.postgres_cluster import programs
from tests.conftest import FREE_PLAN
from tests.integration.cloud_runtime.conftest import ManagedDatabase, administered_database

DOCS = Path(__file__).parents[3] / "docs"
PAGES = [(DOCS / name).read_text(encoding="utf-8") for name in ("deploy.md", "restore-drill.md")]
BLOCKS = [
    re.sub(r"^   ", "", block, flags=re.MULTILINE)
    for page in PAGES
    for block in re.findall(r"```(?:sql|sh)\n(.*?)```", page, re.S)
]
ROWS = """
SELECT (SELECT count(*) FROM organizations), (SELECT count(*) FROM bots), (SELECT count(*) FROM messages),
       (SELECT count(*) FROM chunk_vectors), (SELECT max(name) FROM bots)
"""
SLEEPING_TRIGGERS = "SELECT tgname FROM pg_trigger WHERE tgenabled <> 'O'"
UNGUARDED = "SELECT relname FROM pg_class WHERE relrowsecurity AND NOT relforcerowsecurity"


def block(first_line: str) -> str:
    (found,) = (text for text in BLOCKS if text.strip().startswith(first_line))
    return found


@pytest.fixture
def restored(managed_server: str) -> Iterator[ManagedDatabase]:
    """What Aurora makes of a backup: another database with the same schema, roles and rows of then."""
    with administered_database(managed_server) as database:
        migrate(database.administrator, with_iam)
        yield database


def fill(database: ManagedDatabase, bot_name: str) -> UUID:
    """Make an organization with a bot, a message and a vector: plain, partitioned and guarded tables; return its id."""
    ids = UuidV7Ids(SystemClock())
    names = ("organization", "bot", "document", "chunk", "conversation", "message")
    made = {name: ids.new() for name in names}
    values = {**made, "plan": FREE_PLAN, "name": bot_name}
    with psycopg.connect(database.superuser) as connection:
        for statement in (
            "INSERT INTO organizations (id, name, plan_id) VALUES (%(organization)s, 'Acme', %(plan)s)",
            "INSERT INTO bots (id, organization_id, name) VALUES (%(bot)s, %(organization)s, %(name)s)",
            "INSERT INTO documents (id, organization_id, bot_id, name, source)"
            " VALUES (%(document)s, %(organization)s, %(bot)s, 'a.txt', 'text')",
            "INSERT INTO chunks (id, organization_id, bot_id, document_id, generation, batch, ordinal, content,"
            " char_start, char_end, token_count, vector_id)"
            " VALUES (%(chunk)s, %(organization)s, %(bot)s, %(document)s, 1, 0, 0, 'Said.', 0, 5, 2, 'v')",
            "INSERT INTO chunk_vectors (organization_id, bot_id, document_id, generation, ordinal, chunk_id,"
            " dimensions, embedding) VALUES (%(organization)s, %(bot)s, %(document)s, 1, 0, %(chunk)s, 3, '[1,0,0]')",
            "INSERT INTO conversations (id, organization_id, bot_id)"
            " VALUES (%(conversation)s, %(organization)s, %(bot)s)",
            "INSERT INTO messages (id, organization_id, bot_id, conversation_id, role, content, created_at)"
            " VALUES (%(message)s, %(organization)s, %(bot)s, %(conversation)s, 'user', 'Why?', now())",
        ):
            connection.execute(statement, values)
    return made["organization"]


def restore(restored: ManagedDatabase, deployed: ManagedDatabase, folder: Path) -> subprocess.CompletedProcess[str]:
    return run("# move the data", ("open.sql", "load.sql"), restored, deployed, folder)


def run(
    script: str, files: tuple[str, ...], restored: ManagedDatabase, deployed: ManagedDatabase, folder: Path
) -> subprocess.CompletedProcess[str]:
    """Run a block of the pages, beside the files that they say to write."""
    for name in files:
        (folder / name).write_text(block(f"-- {name}"))
    environment = {
        "PATH": f"{programs()}{os.pathsep}{os.environ['PATH']}",
        "RESTORED": restored.administrator,
        "DEPLOYED": deployed.administrator,
    }
    command = ["bash", "-euo", "pipefail", "-c", block(script)]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60)


def rows(database: ManagedDatabase) -> tuple[object, ...] | None:
    with psycopg.connect(database.superuser) as connection:
        assert connection.execute(UNGUARDED).fetchall() == []
        assert connection.execute(SLEEPING_TRIGGERS).fetchall() == []
        return connection.execute(ROWS).fetchone()


def test_the_deployed_database_has_what_the_restored_one_has(
    managed_database: ManagedDatabase, restored: ManagedDatabase, tmp_path: Path
) -> None:
    # Given: rows of then, and others that came since
    organization = fill(restored, "then")
    fill(managed_database, "since")
    fill(managed_database, "since")
    # When
    done = restore(restored, managed_database, tmp_path)
    # Then: those of then and no others, for the application too, and the guard is up again
    assert done.returncode == 0, done.stderr
    assert rows(managed_database) == (1, 1, 1, 1, "then")
    database = Database(managed_database.as_role("chatsphere_app"))
    with database.transaction(organization) as connection:
        assert connection.execute("SELECT name FROM bots").fetchall() == [{"name": "then"}]
    with database.transaction(None) as connection:
        assert connection.execute("SELECT name FROM bots").fetchall() == []
    database.close()


def test_a_load_that_fails_changes_nothing(
    managed_database: ManagedDatabase, restored: ManagedDatabase, tmp_path: Path
) -> None:
    # Given: the restored database has a column that the deployed one does not know
    fill(restored, "then")
    fill(managed_database, "since")
    with psycopg.connect(restored.superuser) as connection:
        connection.execute("ALTER TABLE messages ADD COLUMN mood text")
    # When
    done = restore(restored, managed_database, tmp_path)
    # Then
    assert done.returncode != 0
    assert rows(managed_database) == (1, 1, 1, 1, "since")


def test_the_drill_compares_the_copy_with_a_deployed_database_that_it_leaves_closed(
    managed_database: ManagedDatabase, restored: ManagedDatabase, tmp_path: Path
) -> None:
    # Given: since the copy's moment somebody has come
    fill(restored, "then")
    fill(managed_database, "then")
    fill(managed_database, "since")
    with psycopg.connect(managed_database.superuser) as connection:
        connection.execute("ANALYZE")
    # When
    done = run("# compare", ("open.sql", "count.sql", "estimate.sql"), restored, managed_database, tmp_path)
    # Then: every table has both numbers, and the guard of the deployed one never was down
    assert done.returncode == 0, done.stderr
    lines = {name: counts for name, *counts in (line.split() for line in done.stdout.splitlines())}
    with psycopg.connect(managed_database.superuser) as connection:
        assert connection.execute(UNGUARDED).fetchall() == []
    assert lines["organizations"] == lines["messages"] == lines["chunk_vectors"] == ["1", "2"]
    assert "-" not in {count for counts in lines.values() for count in counts}


def test_former_code_leaves_a_newer_database_as_it_is(managed_database: ManagedDatabase) -> None:
    # Given: a later release has migrated
    with psycopg.connect(managed_database.superuser) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    # When the former release is deployed again
    migrate(managed_database.administrator, with_iam)
    # Then
    assert current_revision(managed_database.administrator) == "9999"
