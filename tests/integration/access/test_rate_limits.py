"""The bucket in the database does what a bucket does."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatsphere.access.rate_limits import WINDOW, RateLimit, take
from chatsphere.db.database import Connection, Database
from tests.conftest import Tenant
from tests.integration.access.conftest import MakeLimitedKey
from tests.postgres import DatabaseUrls

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
FREE, ENTERPRISE = 300, UUID("01970000-0000-7000-8000-000000000004")
MINUTE = 60_000_000


@dataclass
class Bucket:
    """A bucket as one draws it: it holds a minute, fills up with time, and a request takes an interval out of it."""

    quota: int
    held: int = field(default=MINUTE)

    def fill(self, microseconds: int) -> None:
        self.held = min(MINUTE, self.held + microseconds)

    def take(self) -> bool:
        interval = MINUTE // self.quota
        if self.held < interval:
            return False
        self.held -= interval
        return True

    @property
    def requests(self) -> int:
        return min(self.quota, self.held // (MINUTE // self.quota))


@contextmanager
def undone(database: Database, tenant: Tenant) -> Iterator[Connection]:
    """Yield a transaction that leaves nothing behind."""
    with database.transaction(tenant.organization_id, tenant.user_id) as connection:
        yield connection
        connection.execute("ROLLBACK")


# Steps from none to more than a minute, those of about an interval among them.
STEPS = st.lists(st.integers(0, 300_000) | st.integers(0, 70_000_000), min_size=1, max_size=25)
QUOTAS = st.integers(1, 12) | st.integers(1, 7_000) | st.sampled_from([300, 600, 6_000, 60_000])


@given(quota=QUOTAS, steps=STEPS)
@settings(max_examples=40)
def test_it_agrees_with_a_bucket(
    database: Database, tenant: Tenant, make_limited_key: MakeLimitedKey, quota: int, steps: list[int]
) -> None:
    now, bucket = NOW, Bucket(quota)
    with undone(database, tenant) as connection:
        connection.execute("UPDATE organizations SET plan_id = %s", (ENTERPRISE,))
        key = make_limited_key(connection, tenant, quota)
        for microseconds in steps:
            now += timedelta(microseconds=microseconds)
            bucket.fill(microseconds)
            allowed = bucket.take()
            rate = take(connection, key, key, now)
            assert rate is not None
            assert (rate.quota, rate.allowed, rate.remaining) == (quota, allowed, bucket.requests)
            if not rate.remaining:
                # The wait that it asks for is enough, and no longer than it must be.
                interval = MINUTE // quota
                assert round(rate.reset * 1_000_000) == interval - bucket.held


@pytest.mark.parametrize("quota", [1, 7, 11, 300, 6_999])
def test_a_full_bucket_holds_exactly_the_quota(
    database: Database, tenant: Tenant, make_limited_key: MakeLimitedKey, quota: int
) -> None:
    with undone(database, tenant) as connection:
        connection.execute("UPDATE organizations SET plan_id = %s", (ENTERPRISE,))
        key = make_limited_key(connection, tenant, quota)
        interval = timedelta(microseconds=MINUTE // quota)
        first = take(connection, key, key, NOW)
        # All but the last two at once.
        connection.execute("UPDATE rate_limits SET theoretical_arrival_at = %s", (NOW + max(quota - 2, 0) * interval,))
        rest = [take(connection, key, key, NOW) for _ in range(3)]

    assert first is not None
    assert first.remaining == quota - 1
    taken = [rate.allowed for rate in rest if rate is not None]
    assert taken == ([True, True, False] if quota > 1 else [True, False, False])


def limited(database: Database, tenant: Tenant, key_id: UUID | None = None) -> RateLimit | None:
    with database.transaction(tenant.organization_id, tenant.user_id) as connection:
        return take(connection, key_id or tenant.user_id, key_id, NOW)


@pytest.mark.parametrize(("own", "effective"), [(None, FREE), (5, 5), (FREE, FREE), (100_000, FREE)])
def test_a_key_has_at_most_what_the_plan_has(
    database: Database, tenant: Tenant, make_limited_key: MakeLimitedKey, own: int | None, effective: int
) -> None:
    with database.transaction(tenant.organization_id) as connection:
        key = make_limited_key(connection, tenant, own)

    rate = limited(database, tenant, key)

    assert rate is not None
    assert rate.quota == effective


def test_a_person_and_each_key_have_a_bucket_of_their_own(
    database: Database, tenant: Tenant, make_limited_key: MakeLimitedKey
) -> None:
    with database.transaction(tenant.organization_id) as connection:
        keys = [make_limited_key(connection, tenant, 1) for _ in range(2)]

    assert [rate.allowed for key in keys * 2 if (rate := limited(database, tenant, key))] == [True, True, False, False]
    person = limited(database, tenant)
    assert person is not None
    assert person.remaining == FREE - 1


def test_a_plan_without_a_limit_limits_nobody(database_urls: DatabaseUrls, tenant: Tenant) -> None:
    administrator = Database(database_urls.admin)
    with undone(administrator, tenant) as connection:
        connection.execute("UPDATE subscription_plans SET features = '{}'")
        assert take(connection, tenant.user_id, None, NOW) is None
        row = connection.execute("SELECT 1 FROM rate_limits WHERE principal_id = %s", (tenant.user_id,)).fetchone()
    administrator.close()

    assert row is None


@pytest.mark.parametrize("warm", [True, False], ids=["there is a row", "nobody came before"])
def test_of_many_at_once_exactly_the_quota_pass(
    database: Database, database_urls: DatabaseUrls, tenant: Tenant, make_limited_key: MakeLimitedKey, warm: bool
) -> None:
    quota, threads, tries = 20, 8, 5
    with database.transaction(tenant.organization_id) as connection:
        key = make_limited_key(connection, tenant, quota)
        if warm:
            take(connection, key, key, NOW - WINDOW)

    def ask(_: int) -> list[RateLimit | None]:
        own = Database(database_urls.app)
        try:
            return [limited(own, tenant, key) for _ in range(tries)]
        finally:
            own.close()

    with ThreadPoolExecutor(threads) as pool:
        rates = [rate for answers in pool.map(ask, range(threads)) for rate in answers if rate is not None]

    passed = [rate for rate in rates if rate.allowed]
    assert (len(rates), len(passed)) == (threads * tries, quota)
    # Nothing is lost: each that passed has taken a request of its own.
    assert sorted(rate.remaining for rate in passed) == list(range(quota))
    assert {rate.remaining for rate in rates if not rate.allowed} == {0}
    with database.transaction(tenant.organization_id) as connection:
        row = connection.execute(
            "SELECT theoretical_arrival_at AS at FROM rate_limits WHERE principal_id = %s", (key,)
        ).fetchone()
    assert row is not None
    assert row["at"] == NOW + WINDOW
