"""A token bucket for each principal, as GCRA: one time stamp a principal, one statement a request.

The bucket holds a minute's requests and fills up evenly, so that nobody waits for the next full minute.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from chatsphere.db.database import Connection

# Takes one request out of the bucket. A refused one takes nothing: the row stays as it is. A key may have less than its
# organization's plan, never more; without a limit of either, nothing is limited and there is no row. The interval is
# rounded down, so that a full bucket holds the whole quota.
TAKE: Final = """
    WITH policy AS (
        SELECT LEAST(
            %(most)s::integer,
            (SELECT requests_per_minute FROM api_keys
             WHERE organization_id = app.current_organization() AND id = %(api_key_id)s),
            (plan.features ->> 'requests_per_minute')::integer) AS quota
        FROM organizations
        JOIN subscription_plans plan ON plan.id = organizations.plan_id
        WHERE organizations.id = app.current_organization()
    ), taken AS (
        INSERT INTO rate_limits AS bucket (organization_id, principal_id, theoretical_arrival_at)
        SELECT app.current_organization(), %(principal_id)s,
            %(now)s + GREATEST(1, 60000000 / quota) * interval '1 microsecond'
        FROM policy WHERE quota IS NOT NULL
        ON CONFLICT (organization_id, principal_id) DO UPDATE
        SET theoretical_arrival_at = GREATEST(bucket.theoretical_arrival_at, %(now)s)
            + (EXCLUDED.theoretical_arrival_at - %(now)s)
        WHERE GREATEST(bucket.theoretical_arrival_at, %(now)s) + (EXCLUDED.theoretical_arrival_at - %(now)s)
            <= %(now)s + interval '1 minute'
        RETURNING theoretical_arrival_at
    )
    SELECT policy.quota, taken.theoretical_arrival_at IS NOT NULL AS allowed,
        COALESCE(taken.theoretical_arrival_at, bucket.theoretical_arrival_at) AS arrival
    FROM policy
    LEFT JOIN taken ON true
    LEFT JOIN rate_limits bucket
        ON bucket.organization_id = app.current_organization() AND bucket.principal_id = %(principal_id)s
"""

# A bucket that is full again is like none. None that somebody is using, and only a principal's neighbours by id, which
# are as good as any: to look for such buckets among all would take the longer the more visitors come.
PRUNE: Final = """
    WITH neighbours AS (
        (SELECT principal_id FROM rate_limits
         WHERE organization_id = app.current_organization() AND principal_id > %(principal_id)s
         ORDER BY principal_id LIMIT 100)
        UNION ALL
        (SELECT principal_id FROM rate_limits
         WHERE organization_id = app.current_organization() AND principal_id < %(principal_id)s
         ORDER BY principal_id DESC LIMIT 100)
    )
    DELETE FROM rate_limits
    WHERE organization_id = app.current_organization() AND principal_id IN (
        SELECT principal_id FROM rate_limits
        WHERE organization_id = app.current_organization() AND theoretical_arrival_at < %(now)s
          AND principal_id = ANY(ARRAY(SELECT principal_id FROM neighbours))
        FOR UPDATE SKIP LOCKED)
"""

WINDOW_SECONDS: Final = 60
WINDOW: Final = timedelta(seconds=WINDOW_SECONDS)
MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class RateLimit:
    """A principal's bucket after a request: `quota` requests a minute, `remaining` at once.

    `reset`: seconds until there are more: until the next request passes where none does now, else until it is full.
    """

    quota: int
    allowed: bool
    remaining: int
    reset: float

    @property
    def headers(self) -> dict[str, str]:
        """Return the fields `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-11)."""
        return {
            "RateLimit-Policy": f'"requests";q={self.quota};w={WINDOW_SECONDS}',
            "RateLimit": f'"requests";r={self.remaining};t={math.ceil(self.reset)}',
        }


def take(
    connection: Connection, principal_id: UUID, api_key_id: UUID | None, now: datetime, *, most: int | None = None
) -> RateLimit | None:
    """Take a request out of the principal's bucket; None where nothing limits it.

    `most`: requests a minute that this kind of principal may make at most, whatever the plan says.
    """
    return taking(connection, principal_id, api_key_id, now, most=most)()


def taking(
    connection: Connection, principal_id: UUID, api_key_id: UUID | None, now: datetime, *, most: int | None = None
) -> Callable[[], RateLimit | None]:
    """As `take`, in a pipelined transaction: what is returned is called when the transaction has ended."""
    values = {"principal_id": principal_id, "api_key_id": api_key_id, "now": now, "most": most}
    taken = connection.execute(TAKE, values)

    def read() -> RateLimit | None:
        row = taken.fetchone()
        if row is None or row["quota"] is None:
            return None
        return _after(row["quota"], row["allowed"], row["arrival"], now)

    return read


def prune(connection: Connection, principal_id: UUID, now: datetime) -> None:
    """Drop up to 200 of the tenant's buckets that are full again, for where principals come and go without end."""
    connection.execute(PRUNE, {"principal_id": principal_id, "now": now})


def _after(quota: int, allowed: bool, arrival: datetime | None, now: datetime) -> RateLimit:
    # What others took at this moment, the statement that was refused cannot see yet: to it the bucket is full.
    used = WINDOW if arrival is None else min(max(arrival - now, timedelta(0)), WINDOW)
    free, interval = WINDOW - used, max(MICROSECOND, WINDOW // quota)
    remaining = min(free // interval, quota) if allowed else 0
    wait = used if remaining else max(interval - free, MICROSECOND)
    return RateLimit(quota, allowed, remaining, wait.total_seconds())
