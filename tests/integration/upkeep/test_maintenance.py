"""The report on a database of which some things are known to be wrong."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from chatsphere.bootstrap import Container
from chatsphere.upkeep.maintenance.findings import findings_of
from chatsphere.upkeep.maintenance.maintenance import Maintenance
from chatsphere.upkeep.maintenance.model import Finding, Measures, Report
from functions.maintain_database import handler as function
from tests.fakes import InMemoryObjectStore
from tests.integration.upkeep.world import FAR, World

TROUBLE = """
CREATE TABLE neglected (id integer PRIMARY KEY, other integer REFERENCES neglected (id), word text);
CREATE INDEX neglected_one ON neglected (word);
CREATE INDEX neglected_two ON neglected (word);
INSERT INTO neglected SELECT n, NULL, n::text FROM generate_series(1, 2000) n;
"""


@pytest.fixture
def report(world_of_partitions: World) -> Iterator[Report]:
    world = world_of_partitions
    world.admin.execute(TROUBLE)
    world.admin.execute("SELECT pg_stat_force_next_flush()")
    try:
        yield Maintenance(world.maintainer, world.store, world.clock).run(FAR)[0]
    finally:
        world.admin.execute("DROP TABLE neglected")


def about(report: Report, code: str) -> list[Finding]:
    return [finding for finding in report.findings if finding.code == code and "neglected" in finding.about]


def test_it_finds_what_is_wrong_and_says_what_to_do(report: Report, world_of_partitions: World) -> None:
    # Then
    (double,) = about(report, "duplicate_index")
    assert double.sql == "DROP INDEX CONCURRENTLY public.neglected_two;"
    (key,) = about(report, "unindexed_foreign_key")
    assert key.sql == "CREATE INDEX CONCURRENTLY ON public.neglected (other);"
    # And the SQL does what it says
    for finding in (double, key):
        world_of_partitions.admin.execute(finding.sql or "")
    again, _ = Maintenance(world_of_partitions.maintainer, world_of_partitions.store, world_of_partitions.clock).run(
        FAR
    )
    assert about(again, "duplicate_index") == about(again, "unindexed_foreign_key") == []


def test_what_changed_is_analyzed(report: Report, world_of_partitions: World) -> None:
    assert "neglected" in report.analyzed
    (known,) = world_of_partitions.rows("SELECT reltuples FROM pg_class WHERE relname = 'neglected'")
    assert known["reltuples"] == 2000


def test_our_own_schema_has_no_double_index_and_no_key_without_one(report: Report) -> None:
    ours = {f.about for f in report.findings if f.code in {"duplicate_index", "unindexed_foreign_key"}}
    # No plan is ever deleted.
    assert {name for name in ours if "neglected" not in name} == {"organizations.organizations_plan_id_fkey"}


def test_the_report_is_kept_as_json_without_anybodys_data(report: Report, world_of_partitions: World) -> None:
    store = world_of_partitions.store
    (key,) = [key for key in store.keys("operations/maintenance/") if f"{report.made_at:%Y-%m-%dT%H%M%S}" in key]
    kept = json.loads(store.read(key, None, start=0, length=10_000_000))
    assert kept["counts"] == report.counts()
    assert {"version", "connections", "oldest_xid_age"} <= kept["measures"]["server"].keys()
    assert any(table["table_name"] == "neglected" for table in kept["measures"]["tables"])
    assert "Said." not in json.dumps(kept)


def test_the_function_runs_as_the_maintainer(world_of_partitions: World, monkeypatch: pytest.MonkeyPatch) -> None:
    container = Container({})
    store = InMemoryObjectStore(world_of_partitions.clock)
    vars(container).update(
        maintainer_database=world_of_partitions.maintainer, archive_store=store, clock=world_of_partitions.clock
    )
    monkeypatch.setattr(function, "container", lambda: container)
    answer = function.handler({}, None)
    assert list(store.keys("operations/")) == [answer["report"]]


SERVER: dict[str, Any] = {
    "version": "16",
    "blocks_hit": 0,
    "blocks_read": 0,
    "connections": 1,
    "max_connections": 100,
    "oldest_xid_age": 1,
    "freeze_max_age": 200_000_000,
    "oldest_mxid_age": 1,
    "multixact_freeze_max_age": 400_000_000,
    "counts_statements": True,
    "counted_seconds": 10**7,
}
TABLE: dict[str, Any] = {
    "schema_name": "public",
    "table_name": "t",
    "xid_age": 7,
    "rows_read_sequentially": 0,
    "live_rows": 50_000,
    "dead_rows": 0,
    "bytes": 2**30,
    "sequential_scans": 0,
    "index_scans": 0,
    "analyzed_at": FAR,
}

WHOLE = {"sequential_scans": 200, "rows_read_sequentially": 200 * 50_000}
FORGOTTEN = {"process": 7, "role_name": "r", "application": "psql", "state": "idle", "transaction_seconds": 900.0}


@pytest.mark.parametrize(
    "table",
    [
        # Only the first rows were read
        {"sequential_scans": 10_000, "rows_read_sequentially": 10_000},
        # As a backup does, once a day
        {"index_scans": 10**9} | WHOLE,
    ],
)
def test_a_table_that_is_not_read_from_end_to_end_all_the_time_is_no_finding(table: dict[str, Any]) -> None:
    assert findings_of(Measures(SERVER | {"counted_seconds": 200 * 86_400}, tables=[TABLE | table]), FAR) == []


def test_the_oldest_tables_are_to_be_vacuumed_first() -> None:
    ages = {"one": 10, "two": 40, "three": 30, "four": 20}
    tables = [TABLE | {"table_name": name, "xid_age": age} for name, age in ages.items()]
    (finding,) = findings_of(Measures(SERVER | {"oldest_xid_age": 10**9}, tables=tables), FAR)
    assert finding.severity == "critical"
    assert (finding.sql or "").split(";")[:3] == [
        "VACUUM (FREEZE, VERBOSE) public.two",
        " VACUUM (FREEZE, VERBOSE) public.three",
        " VACUUM (FREEZE, VERBOSE) public.four",
    ]


def test_what_was_prepared_and_forgotten_is_rolled_back_by_its_name() -> None:
    prepared = FORGOTTEN | {"process": None, "application": "", "prepared": "it's", "state": "prepared"}
    (finding,) = findings_of(Measures(SERVER, sessions=[prepared]), FAR)
    assert (finding.about, finding.sql) == ("r, prepared", "ROLLBACK PREPARED 'it''s';")


@pytest.mark.parametrize(
    ("measures", "code"),
    [
        (Measures(SERVER | {"blocks_hit": 600_000, "blocks_read": 400_000}), "cache_hit_rate"),
        (Measures(SERVER | {"connections": 90}), "connections"),
        (Measures(SERVER | {"oldest_xid_age": 190_000_000}), "transaction_ids"),
        (Measures(SERVER | {"oldest_mxid_age": 390_000_000}), "multixact_ids"),
        (Measures(SERVER | {"counts_statements": False}), "statements_not_counted"),
        (Measures(SERVER, tables=[TABLE | {"dead_rows": 20_000}]), "bloat"),
        (Measures(SERVER, tables=[TABLE | WHOLE]), "read_as_a_whole"),
        (
            Measures(SERVER | {"counted_seconds": 86_400}, tables=[TABLE | WHOLE | {"index_scans": 10**9}]),
            "read_as_a_whole",
        ),
        (Measures(SERVER, tables=[TABLE | {"analyzed_at": None}]), "never_analyzed"),
        (Measures(SERVER, unused_indexes=[{"index_name": "i", "bytes": 2**21}]), "unused_index"),
        (Measures(SERVER, replicas=[{"replica": "r", "seconds": 90.0, "bytes": 1}]), "replication_lag"),
        (
            Measures(SERVER, statements=[{"role_name": "r", "statement": "S", "calls": 9, "mean_ms": 1500.0}]),
            "slow_statement",
        ),
        (
            Measures(SERVER, sessions=[FORGOTTEN]),
            "long_transaction",
        ),
        (
            Measures(SERVER, default_rows=[{"table_name": "t", "starts_at": FAR, "rows": 3}]),
            "default_partition",
        ),
        (
            Measures(
                SERVER,
                retirements=[{"partition_name": "p", "status": "detached", "detached_at": FAR - timedelta(days=3)}],
            ),
            "retirement_stuck",
        ),
    ],
)
def test_each_measure_beyond_its_bound_is_one_finding(measures: Measures, code: str) -> None:
    assert findings_of(Measures(SERVER, tables=[TABLE]), FAR) == []
    (finding,) = findings_of(measures, FAR)
    assert (finding.code, bool(finding.meaning), bool(finding.advice)) == (code, True, True)


def test_the_maintainer_analyzes_tables_of_ours_and_nothing_else(world_of_partitions: World) -> None:
    with psycopg.connect(world_of_partitions.urls.maintainer, autocommit=True) as connection:
        for name in ("pg_class", "nothing", "bots; DROP TABLE bots"):
            with pytest.raises(psycopg.errors.UndefinedTable):
                connection.execute("SELECT app.analyze_table(%s)", (name,))
