"""Reports agree with the events to the unit, whatever comes late, twice or at once; percentiles to one percent."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg.rows import dict_row

from chatsphere.adapters.system import UuidV7Ids
from chatsphere.db.database import Connection, Database
from chatsphere.insights import reports
from chatsphere.insights.asking import Group, Narrowed, Period
from chatsphere.insights.histograms import RELATIVE_ERROR
from chatsphere.insights.measures import MEASURES
from chatsphere.insights.rolling import roll_day
from tests.conftest import Tenant
from tests.integration.insights.events import REFUSALS, Event, add_events, added_up, by_group, exact_percentile
from tests.postgres import DatabaseUrls

FIRST = date(2026, 3, 1)
PERIOD = Period(FIRST, FIRST + timedelta(days=3))
BOTS = [UUID(int=n) for n in (1, 2)]

moments = st.datetimes(
    datetime(2026, 3, 1), datetime(2026, 3, 4, 23, 59, 59, 999_999), timezones=st.just(UTC)
) | st.sampled_from([datetime(2026, 3, day, tzinfo=UTC) for day in (1, 2, 3, 4)])
small = st.none() | st.integers(0, 5000)
events = st.builds(
    Event,
    id=st.just(UUID(int=0)),
    created_at=moments,
    metric=st.sampled_from(["chat.answer"] * 4 + ["search", "embedding", "feedback", "feedback.withdrawn"]),
    value=st.integers(1, 5),
    bot_id=st.none() | st.sampled_from(BOTS),
    api_key_id=st.none() | st.just(UUID(int=3)),
    end_user_id=st.none() | st.sampled_from(["ada", "béa"]),
    model=st.none() | st.sampled_from(["small", "large"]),
    channel=st.none() | st.sampled_from(["api", "public"]),
    reason=st.none() | st.sampled_from([*REFUSALS, "unavailable"]),
    finish_reason=st.sampled_from(["stop", "refused", "stopped", "interrupted"]),
    cached=st.none() | st.booleans(),
    citations=small,
    dropped_citations=small,
    prompt_tokens=small,
    completion_tokens=small,
    embedding_tokens=small,
    cost_microdollars=st.integers(0, 10**12),
    total_ms=st.none() | st.integers(0, 10**6),
    first_token_ms=small,
    metadata=st.sampled_from([{}, {"document_id": "x"}, {"memory_messages": 7}]),
)
batches = st.lists(events, min_size=1, max_size=4)
steps = st.lists(
    st.tuples(st.sampled_from(["add", "add", "again", "hold", "release", "roll"]), batches), min_size=3, max_size=9
)


@pytest.fixture
def other(database_urls: DatabaseUrls) -> Iterator[Connection]:
    """Another writer's connection, whose transaction the test ends when it likes."""
    with psycopg.connect(database_urls.app, row_factory=dict_row) as connection:
        yield connection


def marked(connection: Connection) -> list[date]:
    return [row["day"] for row in connection.execute("SELECT DISTINCT day FROM usage_marks ORDER BY day")]


def check(connection: Connection, events: list[Event], groups: Iterable[Group]) -> None:
    """Compare reports with the model."""
    for group in groups:
        report = reports.measured(connection, reports.Wanted(PERIOD, group, Narrowed()))
        assert {row["key"]: {name: row[name] for name in MEASURES} for row in report.rows} == by_group(events, group)
    total = reports.measured(connection, reports.Wanted(PERIOD, Group.DAY, Narrowed())).total[0]
    assert {name: total[name] for name in MEASURES} == added_up(events)
    told = reports.timed(connection, reports.Wanted(PERIOD, Group.DAY, Narrowed()))
    took = [event for event in events if event.outcome not in (None, "failed", "interrupted")]
    exact = {
        "total": [event.total_ms for event in took if event.total_ms is not None],
        "first_token": [event.first_token_ms for event in took if event.first_token_ms is not None],
    }
    assert {row["stage"]: row["answers"] for row in told.total} == {k: len(v) for k, v in exact.items() if v}
    for row in told.total:
        values = exact[row["stage"]]
        assert row["milliseconds"] == sum(values)
        for name, share in (("p50_ms", 0.5), ("p90_ms", 0.9), ("p95_ms", 0.95), ("p99_ms", 0.99)):
            assert row[name] == pytest.approx(exact_percentile(values, share), rel=RELATIVE_ERROR * 1.0001, abs=1e-9)


@settings(max_examples=15)
@given(steps=steps)
def test_reports_are_the_events_at_every_moment(
    make_tenant: Callable[[], Tenant],
    database: Database,
    ids: UuidV7Ids,
    other: Connection,
    steps: list[tuple[str, list[Event]]],
) -> None:
    """Each step is followed by a comparison, of days that are summed up and of those that are not."""
    tenant = make_tenant()
    there: dict[UUID, Event] = {}
    held: list[Event] = []
    other.rollback()
    for step, given_events in steps:
        # Ids are new, also to other examples: only "again" delivers what was delivered.
        fresh = [replace(event, id=ids.new()) for event in given_events]
        if step == "hold" and not held:
            other.execute("SELECT app.begin_request(%s, NULL, '{}'::jsonb)", (tenant.organization_id,))
            add_events(other, fresh)
            held = fresh
        elif step == "release":
            other.commit()
            there |= {event.id: event for event in held}
            held = []
        with database.transaction(tenant.organization_id) as connection:
            if step == "add":
                add_events(connection, fresh)
                there |= {event.id: event for event in fresh}
            elif step == "again":
                add_events(connection, list(there.values())[:3])
            elif step == "roll":
                for day in marked(connection):
                    assert roll_day(connection, day)
                assert marked(connection) == []
        with database.transaction(tenant.organization_id) as connection:
            check(connection, list(there.values()), [Group.DAY, Group.END_USER])
    other.rollback()
    with database.transaction(tenant.organization_id) as connection:
        check(connection, list(there.values()), Group)
