"""Partitions that are made ahead, and what rows find when there is none for them."""

from datetime import timedelta

import psycopg
import pytest
from psycopg import sql

from chatsphere.errors import UnavailableError
from chatsphere.retention.horizon import SLACK
from chatsphere.retention.policy import DEFAULT
from chatsphere.upkeep.partitions import TABLES
from tests.integration.upkeep.world import World


def overlaps(world: World) -> list[dict[str, object]]:
    return world.rows(
        "SELECT a.partition_name FROM app.list_partitions() a JOIN app.list_partitions() b USING (table_name)"
        " WHERE a.partition_name <> b.partition_name AND a.starts_at < b.ends_at AND b.starts_at < a.ends_at"
    )


def test_partitions_are_there_before_their_time_and_making_them_again_changes_nothing(world: World) -> None:
    before = {table: world.names(table) for table in TABLES}
    ahead = world.clock.now() + timedelta(days=world.settings.partitions_ahead_days)
    assert all(f"{table}_y{ahead:%Y}m{ahead:%m}" in before[table] for table in TABLES)
    made = world.partitions().make_ahead()
    assert (made.partitions, made.moved_rows) == (0, 0)
    assert {table: world.names(table) for table in TABLES} == before


def test_the_next_month_is_made_however_few_days_ahead_are_wanted(world: World) -> None:
    world.clock.advance(world.clock.now().replace(month=6, day=1) - world.clock.now())
    partitions = world.partitions(partitions_ahead_days=7)
    partitions.make_ahead()
    assert partitions.missing() == []
    assert f"messages_y{world.clock.now():%Y}m07" in world.names("messages")


@pytest.mark.parametrize("role", ["app", "maintainer", "reaper", "eraser", "authenticator"])
def test_days_are_those_of_utc_whatever_the_server_goes_by(world_of_partitions: World, role: str) -> None:
    world, database = world_of_partitions, sql.Identifier(world_of_partitions.admin.info.dbname)
    world.admin.execute(sql.SQL("ALTER DATABASE {} SET timezone = 'America/New_York'").format(database))
    with psycopg.connect(getattr(world.urls, role)) as connection:
        found = connection.execute("SHOW timezone").fetchone()
    world.admin.execute(sql.SQL("ALTER DATABASE {} RESET timezone").format(database))
    assert found == ("UTC",)


def test_a_new_partition_has_all_indexes_of_its_table(world: World) -> None:
    query = """
        SELECT c.relname FROM pg_class parent JOIN pg_inherits i ON i.inhparent = parent.oid
        JOIN pg_class c ON c.oid = i.inhrelid
        WHERE parent.relname = ANY (%s) AND (SELECT count(*) FROM pg_index x WHERE x.indrelid = c.oid)
            <> (SELECT count(*) FROM pg_index x WHERE x.indrelid = parent.oid)"""
    assert world.rows(query, list(TABLES)) == []
    words = "SELECT 1 FROM pg_index WHERE indexrelid = 'messages_words'::regclass AND indisvalid"
    assert world.rows(words)


def test_days_follow_months_and_months_days_where_nothing_was_written(world: World) -> None:
    # Given the months of March, April and May, and a message in May
    tenant, year = world.tenant(), f"y{world.clock.now():%Y}"
    world.say(tenant, at=world.clock.now() + timedelta(days=60))
    # When the setting changes
    world.partitions(partition_by="day", partitions_ahead_days=25).make_ahead()
    # Then days follow March, May stays as it is, and nothing overlaps
    by_day = world.names("messages")
    days = {f"messages_{year}m04d0{day}" for day in (1, 2, 3, 4)}
    assert days | {f"messages_{year}m03", f"messages_{year}m05"} <= by_day
    assert f"messages_{year}m04" not in by_day
    assert overlaps(world) == []
    # And when it changes back, the days give way
    world.partitions().make_ahead()
    assert days.isdisjoint(world.names("messages"))
    assert f"messages_{year}m04" in world.names("messages")
    assert overlaps(world) == []
    assert world.count(tenant, "messages") == 1


def test_rows_of_another_time_wait_in_the_default_partition_and_are_moved_without_being_new(world: World) -> None:
    # Given a message of long ago, as one that comes back from the archive, already remembered
    tenant, then = world.tenant(), world.clock.now() - timedelta(days=1500)
    world.say(tenant, at=then)
    world.use(tenant, at=then)
    assert world.rows("SELECT 1 FROM messages_default WHERE organization_id = %s", tenant.organization_id)
    world.admin.execute("DELETE FROM memory_pending WHERE organization_id = %s", (tenant.organization_id,))
    # When
    made = world.partitions().make_ahead()
    # Then
    assert made.moved_rows == 2
    name = f"messages_y{then:%Y}m{then:%m}"
    assert world.rows(f"SELECT 1 FROM {name} WHERE organization_id = %s", tenant.organization_id)
    assert world.count(tenant, "messages") == world.count(tenant, "usage_events") == 1
    for written in ("memory_pending", "usage_marks"):
        assert world.count(tenant, written) == 0


def test_a_lock_that_cannot_be_had_is_given_up_and_the_missing_partition_told(world: World) -> None:
    # Given no partition of the next period, and somebody who reads all of the table for long
    coming = (world.clock.now().replace(day=1) + timedelta(days=32)).replace(day=1)
    with world.maintainer.transaction(None) as connection:
        connection.execute("SELECT app.drop_empty_partition(%s)", (f"audit_log_y{coming:%Y}m{coming:%m}",))
    with psycopg.connect(world.urls.admin) as reader:
        reader.execute("SELECT 1 FROM audit_log_default")
        # Then it is told, after some tries
        with world.impatient(), pytest.raises(UnavailableError, match="audit_log"):
            world.partitions().make_ahead()
    assert len(world.waits) >= 4
    # And made as soon as it can be
    assert world.partitions().make_ahead().partitions == 1
    assert world.partitions().missing() == []


def test_a_partition_that_another_run_makes_meanwhile_is_made_once(world: World) -> None:
    coming = (world.clock.now().replace(day=1) + timedelta(days=32)).replace(day=1)
    name = f"audit_log_y{coming:%Y}m{coming:%m}"
    with world.maintainer.transaction(None) as connection:
        connection.execute("SELECT app.drop_empty_partition(%s)", (name,))
    partitions = world.partitions()

    def make_meanwhile(_seconds: float) -> None:
        reader.rollback()
        world.partitions().make_ahead()

    with psycopg.connect(world.urls.admin) as reader:
        reader.execute("SELECT 1 FROM audit_log_default")
        object.__setattr__(partitions, "wait", make_meanwhile)
        assert partitions.make_ahead().partitions == 0
    assert name in world.names("audit_log")
    assert partitions.missing() == []


def test_the_server_can_lock_what_statements_on_a_table_by_day_touch(world_of_partitions: World) -> None:
    # Given a table by day: as far ahead as is made, what is kept by default, and a month that waits for its end
    days = world_of_partitions.settings.partitions_ahead_days + (DEFAULT.message_days or 0) + SLACK.days + 31
    (indexes,) = world_of_partitions.rows("SELECT count(*) AS n FROM pg_index WHERE indrelid = 'messages'::regclass")
    (server,) = world_of_partitions.rows(
        "SELECT current_setting('max_locks_per_transaction')::int * current_setting('max_connections')::int AS n"
    )
    # Then statements at the same time that name no time are no few
    assert server["n"] >= 16 * days * (1 + indexes["n"])


@pytest.mark.parametrize(
    "call",
    [
        "app.make_partition('bots', '2040-01-01Z', '2040-02-01Z')",
        "app.make_partition('messages', '2040-01-01Z', '2040-02-02Z')",
        "app.make_partition('messages', '2040-01-01 01:00Z', '2040-01-02Z')",
        "app.make_partition('messages; DROP TABLE bots', '2040-01-01Z', '2040-02-01Z')",
        "app.drop_empty_partition('bots')",
        "app.drop_empty_partition('messages_default')",
        "app.partition_is_empty('users')",
        "app.held_rows('users', '{}', 1)",
        "app.detach_partition(gen_random_uuid(), 'bots', '{}', now())",
        "app.detach_partition(gen_random_uuid(), 'pg_class', '{}', now())",
        "app.drop_retired_partition(gen_random_uuid(), now())",
    ],
)
def test_the_functions_touch_partitions_of_three_tables_and_nothing_else(world_of_partitions: World, call: str) -> None:
    with psycopg.connect(world_of_partitions.urls.maintainer) as connection, pytest.raises(psycopg.Error) as raised:
        connection.execute(f"SELECT {call}")
    assert raised.value.sqlstate in {"42P01", "22023", "55000"}


@pytest.mark.parametrize("role", ["app", "reaper", "eraser", "authenticator"])
def test_nobody_else_may_call_them_or_read_what_is_retired(world_of_partitions: World, role: str) -> None:
    with psycopg.connect(getattr(world_of_partitions.urls, role), autocommit=True) as connection:
        for call in ("app.drop_empty_partition('messages_y2026m11')", "app.default_rows('{}')"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"SELECT {call}")
        row = connection.execute("SELECT has_schema_privilege('retired', 'USAGE')").fetchone()
    assert row == (False,)
