"""SQL of rolling up. Which days are due is found as the reaper; they are summed up as the tenant."""

# Only constants are put together here; every value is a parameter.
# ruff: noqa: S608

from typing import Final

from chatsphere.insights.measures import DAYS, DIMENSIONS, EVENTS, MEASURED, MEASURES, TIMED
from chatsphere.knowledge.ingestion.reap_queries import in_turn

_CELL: Final = ", ".join(DIMENSIONS)
_COLUMNS: Final = ", ".join(MEASURES)

DUE_DAYS: Final = in_turn(
    "organization_id, day",
    "SELECT DISTINCT organization_id, day, day AS since FROM usage_marks",
)
"""Days of tenants with events that may not be in their sums."""

NAMED_TOO_LONG: Final = """
    SELECT DISTINCT organization_id
    FROM usage_daily_end_users
    WHERE day < (SELECT before FROM usage_closed)
    LIMIT %(limit)s
"""
"""Tenants with sums of end users whose events are gone."""

TAKE_MARKS: Final = """
    WITH taken AS (
        DELETE FROM usage_marks WHERE organization_id = app.current_organization() AND day = %(day)s
        RETURNING 1)
    SELECT count(*) AS marks, %(day)s < (SELECT before FROM usage_closed) AS is_closed FROM taken
"""
"""Take the marks that are there from a day. Who takes them at the same time waits, and finds none: what follows sees
all that was committed with them. One that is set meanwhile stays."""

FORGET_SUMS: Final = tuple(
    f"DELETE FROM {table} WHERE organization_id = app.current_organization() AND day = %(day)s"
    for table in ("usage_daily", "usage_daily_end_users", "usage_daily_latencies")
)
"""Forget a day's sums."""

SUM_UP: Final = f"""
    WITH days AS MATERIALIZED ({DAYS} FROM (SELECT %(day)s::date AS day) one),
    events AS MATERIALIZED ({EVENTS}),
    named AS (
        INSERT INTO usage_daily_end_users (organization_id, day, bot_id, end_user_id, {_COLUMNS})
        SELECT app.current_organization(), day, bot_id, end_user_id, {MEASURED}
        FROM events WHERE end_user_id IS NOT NULL GROUP BY day, bot_id, end_user_id),
    timed AS ({TIMED}),
    latencies AS (
        INSERT INTO usage_daily_latencies
            (organization_id, day, {_CELL}, stage, milliseconds, buckets, counts)
        SELECT app.current_organization(), day, {_CELL}, stage, sum(milliseconds),
            array_agg(bucket ORDER BY bucket), array_agg(answers ORDER BY bucket)
        FROM timed GROUP BY day, {_CELL}, stage)
    INSERT INTO usage_daily (organization_id, day, {_CELL}, {_COLUMNS})
    SELECT app.current_organization(), day, {_CELL}, {MEASURED} FROM events GROUP BY day, {_CELL}
"""
"""Sum up a day of which there are no sums."""

FORGET_NAMED: Final = """
    DELETE FROM usage_daily_end_users
    WHERE organization_id = app.current_organization() AND day < (SELECT before FROM usage_closed)
"""
"""Forget the sums of end users on days that are closed."""

IS_MARKED: Final = """
    SELECT EXISTS (
        SELECT FROM usage_marks WHERE (%(first)s::date IS NULL OR day >= %(first)s) AND day <= %(last)s) AS found
"""
"""Whether a day of any tenant is to be summed up."""

CLOSE: Final = """
    UPDATE usage_closed SET before = GREATEST(before, %(before)s)
"""
"""Let all days before this one be as they are."""
