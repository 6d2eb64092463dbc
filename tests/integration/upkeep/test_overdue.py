"""What the report says of work that should be done by now, of guards that are down, and of forgotten transactions."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from chatsphere.upkeep.maintenance.findings import findings_of
from chatsphere.upkeep.maintenance.measuring import analyze_stale, measure
from chatsphere.upkeep.maintenance.model import Finding, Measures
from chatsphere.upkeep.maintenance.overdue import OVERDUE, UNGUARDED
from chatsphere.upkeep.maintenance.overdue_queries import OVERDUE as OVERDUE_SQL
from tests.conftest import Tenant
from tests.integration.upkeep.world import World

LATE = {
    "retention_late": "UPDATE organizations SET created_at = %(now)s - interval '27 hours' WHERE id = %(organization)s",
    "retention_failed": """
        INSERT INTO retention_runs (id, organization_id, dry_run, status, as_of, step, started_at)
        VALUES (gen_random_uuid(), %(organization)s, false, 'failed', %(now)s, 'done', %(now)s)""",
    "roll_up_late": """
        INSERT INTO usage_marks (organization_id, day)
        VALUES (%(organization)s, (%(now)s AT TIME ZONE 'UTC')::date - 2)""",
    "erasure_late": """
        INSERT INTO erasures (id, kind, subject_id, organizations, requested_by, requested_at, receipt_hash,
            lease_expires_at)
        VALUES (%(organization)s, 'person', gen_random_uuid(), '{}', gen_random_uuid(), %(now)s - interval '25 hours',
            convert_to(%(organization)s::text, 'UTF8'), %(now)s)""",
    "document_late": """
        INSERT INTO documents (id, organization_id, bot_id, name, source, status, stage, deadline_at)
        VALUES (gen_random_uuid(), %(organization)s, %(bot)s, 'n', 'text', 'extracting', 'extract',
            %(now)s - interval '8 hours')""",
    "webhook_off": """
        INSERT INTO webhook_endpoints (id, organization_id, url, is_enabled, disabled_reason, disabled_at, secret,
            created_at, updated_at)
        VALUES (gen_random_uuid(), %(organization)s, 'https://example.com', false, 'gone', %(now)s, 's', %(now)s,
            %(now)s)""",
}

NOTHING_LATE = (
    "UPDATE organizations SET created_at = %s",
    "DELETE FROM usage_marks",
    "DELETE FROM retention_runs",
    "DELETE FROM documents",
    "DELETE FROM webhook_endpoints",
    "DELETE FROM erasures",
)

DOWN = {
    "row_security_off": ("ALTER TABLE bots NO FORCE ROW LEVEL SECURITY", "bots"),
    "role_too_strong": ("ALTER ROLE chatsphere_reaper BYPASSRLS", "chatsphere_reaper"),
    "grant_missing": ("REVOKE SELECT ON audit_log FROM chatsphere_app", "audit_log to chatsphere_app"),
}


@pytest.fixture
def in_time(world_of_partitions: World) -> World:
    """A world in which nothing is late."""
    created, *rest = NOTHING_LATE
    world_of_partitions.admin.execute(created, (world_of_partitions.clock.now(),))
    for statement in rest:
        world_of_partitions.admin.execute(statement)
    return world_of_partitions


def newcomer(world: World) -> Tenant:
    """Return an organization that was made at this moment."""
    tenant = world.tenant()
    world.admin.execute(NOTHING_LATE[0] + " WHERE id = %s", (world.clock.now(), tenant.organization_id))
    return tenant


def found(world: World) -> dict[str, Finding]:
    """Return what the report says of anything that is overdue or unguarded."""
    now = world.clock.now()
    return {
        finding.code: finding
        for finding in findings_of(measure(world.maintainer, now), now)
        if finding.code in OVERDUE.keys() | UNGUARDED.keys()
    }


def test_nothing_is_said_where_nothing_is_late(in_time: World) -> None:
    newcomer(in_time)
    assert found(in_time) == {}


@pytest.mark.parametrize("kind", OVERDUE)
def test_each_kind_of_late_work_is_told_with_how_much_and_since_when(in_time: World, kind: str) -> None:
    # Given two tenants, of whom one has work that should be done by now
    tenant, _ = newcomer(in_time), newcomer(in_time)
    values = {"now": in_time.clock.now(), "organization": tenant.organization_id, "bot": tenant.bot_id}
    # When
    in_time.admin.execute(LATE[kind], values)
    # Then
    finding = found(in_time)[kind]
    assert finding.meaning != OVERDUE[kind].meaning
    assert (": 1, " in finding.meaning, "203" in finding.meaning, bool(finding.advice)) == (True, True, True)
    assert found(in_time).keys() == {kind}


@pytest.mark.parametrize("kind", UNGUARDED)
def test_each_guard_that_is_down_is_told_and_its_remedy_puts_it_back(in_time: World, kind: str) -> None:
    statement, about = DOWN[kind]
    in_time.admin.execute(statement)
    try:
        finding = found(in_time)[kind]
        assert (finding.about, finding.severity) == (about, "critical")
    finally:
        sql = UNGUARDED[kind].sql
        assert sql is not None
        in_time.admin.execute(sql.format(about=about))
    assert found(in_time) == {}


def test_every_kind_that_is_looked_for_has_its_rule() -> None:
    assert all(f"'{kind}'" in OVERDUE_SQL for kind in OVERDUE)
    assert OVERDUE_SQL.count("UNION ALL SELECT '") + 1 == len(OVERDUE)


@contextmanager
def transaction(world: World) -> Iterator[psycopg.Connection]:
    """Leave a transaction open, as somebody does who forgets a psql."""
    with psycopg.connect(world.urls.admin, application_name="psql of Ada") as connection:
        connection.execute("SELECT 'the text of Ada'")
        yield connection


def test_a_transaction_that_nobody_of_ours_left_open_is_told_and_can_be_ended(in_time: World) -> None:
    now = in_time.clock.now()
    with pytest.raises(psycopg.OperationalError), transaction(in_time) as forgotten:
        measures = measure(in_time.maintainer, now)
        # Then it is there without what it says
        (session,) = [each for each in measures.sessions if each["application"] == "psql of Ada"]
        assert (session["state"], session["statement"]) == ("idle in transaction", None)
        # And once it is old it is a finding, whose remedy ends it
        (finding,) = [finding for finding in findings_of(aged(measures), now) if finding.about.endswith("psql of Ada")]
        in_time.admin.execute(finding.sql or "")
        forgotten.execute("SELECT 1")


def aged(measures: Measures) -> Measures:
    """Return the same with transactions that are fifteen minutes old."""
    return replace(measures, sessions=[{**each, "transaction_seconds": 900.0} for each in measures.sessions])


class Late:
    """A clock that is past the deadline from its second look on."""

    def __init__(self, begun: datetime) -> None:
        self.begun, self.looks = begun, 0

    def now(self) -> datetime:
        self.looks += 1
        return self.begun + timedelta(hours=self.looks - 1)


def test_analyzing_ends_at_its_deadline(in_time: World) -> None:
    # Given more tables that changed than there is time for
    for name in ("changed_one", "changed_two"):
        in_time.admin.execute(f"CREATE TABLE {name} AS SELECT generate_series(1, 2000) AS n")
    in_time.admin.execute("SELECT pg_stat_force_next_flush()")
    try:
        begun = datetime(2031, 1, 1, tzinfo=UTC)
        measures = measure(in_time.maintainer, begun)
        analyzed = analyze_stale(in_time.maintainer, measures, Late(begun), begun + timedelta(minutes=90))
        assert len(analyzed) == 1
    finally:
        in_time.admin.execute("DROP TABLE changed_one, changed_two")
