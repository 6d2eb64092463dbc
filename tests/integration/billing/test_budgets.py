"""What answers may use in a month: reserved before, settled after, and never more than there is."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from chatsphere.adapters.system import UuidV7Ids
from chatsphere.billing.budgets import (
    RESERVED_FOR,
    MonthUsage,
    Spending,
    key_usage,
    organization_usage,
    reserve,
    settle,
)
from chatsphere.db.database import Database
from chatsphere.errors import BudgetExhaustedError, QuotaExceededError
from tests.conftest import Tenant
from tests.integration.billing.conftest import PutOnPlan
from tests.postgres import DatabaseUrls
from tests.racing import race

NOW = datetime(2026, 3, 31, 23, 59, tzinfo=UTC)
RUNNERS = 12
HUNDRED = Spending(100, 1000)


@pytest.fixture
def set_budget(database_urls: DatabaseUrls, tenant: Tenant) -> Callable[..., None]:
    """Return a function that sets columns of the tenant's organization."""

    def change(**columns: int | None) -> None:
        with psycopg.connect(database_urls.admin, autocommit=True) as connection:
            for column, value in columns.items():
                connection.execute(
                    f"UPDATE organizations SET {column} = %s WHERE id = %s".encode(), (value, tenant.organization_id)
                )

    return change


@pytest.fixture
def add_key(database: Database, tenant: Tenant, ids: UuidV7Ids) -> Callable[..., UUID]:
    def add(**columns: Any) -> UUID:
        key = ids.new()
        values = {"monthly_budget_tokens": None, "monthly_budget_microdollars": None, "rotated_to": None} | columns
        with database.transaction(tenant.organization_id, tenant.user_id) as connection:
            connection.execute(
                "INSERT INTO api_keys (id, organization_id, created_by, name, prefix, secret_hash, scopes,"
                " monthly_budget_tokens, monthly_budget_microdollars, rotated_to) VALUES (%(id)s, %(organization)s,"
                " %(user)s, 'key', %(prefix)s, '', '{chat}', %(monthly_budget_tokens)s,"
                " %(monthly_budget_microdollars)s, %(rotated_to)s)",
                {"id": key, "organization": tenant.organization_id, "user": tenant.user_id, "prefix": str(key)}
                | values,
            )
        return key

    return add


class Ledger:
    """One tenant's reservations."""

    def __init__(self, database: Database, tenant: Tenant, ids: UuidV7Ids) -> None:
        self.database, self.tenant, self.ids = database, tenant, ids

    def reserve(self, most: Spending = HUNDRED, key: UUID | None = None, now: datetime = NOW) -> UUID:
        reservation = self.ids.new()
        organization = self.tenant.organization_id
        with self.database.transaction(organization) as connection:
            reserve(connection, reservation, most, organization_id=organization, api_key_id=key, now=now)
        return reservation

    def settle(self, reservation: UUID, used: Spending, *, messages: int = 1) -> None:
        with self.database.transaction(self.tenant.organization_id) as connection:
            settle(connection, reservation, used, messages=messages)

    def month(self, now: datetime = NOW) -> MonthUsage:
        with self.database.transaction(self.tenant.organization_id) as connection:
            return organization_usage(connection, self.tenant.organization_id, now)

    def key_month(self, key: UUID, now: datetime = NOW) -> MonthUsage:
        with self.database.transaction(self.tenant.organization_id) as connection:
            return key_usage(connection, key, now)

    def over(self, database: Database) -> "Ledger":
        return Ledger(database, self.tenant, self.ids)


@pytest.fixture
def ledger(database: Database, tenant: Tenant, ids: UuidV7Ids) -> Ledger:
    return Ledger(database, tenant, ids)


def used(month: MonthUsage) -> tuple[int, int, int]:
    return month.messages, month.tokens, month.cost_microdollars


# --------------------------------------------------------------------------------------------------- one by one


def test_what_was_used_takes_the_place_of_what_was_reserved(ledger: Ledger) -> None:
    reservation = ledger.reserve(Spending(100, 1000))
    assert used(ledger.month()) == (1, 100, 1000)

    ledger.settle(reservation, Spending(30, 7))

    assert used(ledger.month()) == (1, 30, 7)


def test_settling_twice_counts_once(ledger: Ledger) -> None:
    reservation = ledger.reserve()

    ledger.settle(reservation, Spending(30, 7))
    ledger.settle(reservation, Spending(30, 7))

    assert used(ledger.month()) == (1, 30, 7)


def test_more_than_was_reserved_is_counted_in_full(ledger: Ledger) -> None:
    ledger.settle(ledger.reserve(Spending(100, 1000)), Spending(150, 1200))

    assert used(ledger.month()) == (1, 150, 1200)


@pytest.mark.parametrize(
    ("columns", "detail"),
    [
        ({"monthly_budget_tokens": 199}, "The organization's monthly budget is 199 tokens, of which 100 are used"),
        ({"monthly_budget_microdollars": 1999}, "The organization's monthly budget is 1999 micro-dollars"),
        ({"monthly_budget_tokens": 0}, "The organization's monthly budget is 0 tokens"),
    ],
)
def test_the_organizations_budget_is_named(
    ledger: Ledger, set_budget: Callable[..., None], columns: dict[str, int], detail: str
) -> None:
    ledger.reserve()
    set_budget(**columns)

    with pytest.raises(BudgetExhaustedError) as refused:
        ledger.reserve()

    assert detail in refused.value.detail
    assert "this may take" in refused.value.detail


def test_a_keys_budget_is_its_own(ledger: Ledger, add_key: Callable[..., UUID]) -> None:
    poor, rich = add_key(monthly_budget_tokens=100), add_key()
    ledger.reserve(key=poor)

    with pytest.raises(BudgetExhaustedError, match="The API key's monthly budget is 100 tokens"):
        ledger.reserve(key=poor)

    ledger.reserve(key=rich)
    ledger.reserve()
    assert used(ledger.key_month(poor)) == (1, 100, 1000)
    assert used(ledger.month()) == (3, 300, 3000)


def test_a_rotated_key_has_its_predecessors_budget_and_use(ledger: Ledger, add_key: Callable[..., UUID]) -> None:
    newest = add_key(monthly_budget_tokens=300)
    middle = add_key(monthly_budget_tokens=300, rotated_to=newest)
    oldest = add_key(monthly_budget_tokens=300, rotated_to=middle)
    for key in (oldest, middle, newest):
        ledger.settle(ledger.reserve(key=key), Spending(100))

    for key in (oldest, middle, newest):
        assert ledger.key_month(key).tokens == 300
        with pytest.raises(BudgetExhaustedError):
            ledger.reserve(Spending(1), key=key)


def test_what_costs_nothing_passes_a_budget_of_money_that_is_used_up(
    ledger: Ledger, set_budget: Callable[..., None]
) -> None:
    set_budget(monthly_budget_microdollars=0)

    ledger.reserve(Spending(1000, 0))

    assert used(ledger.month()) == (1, 1000, 0)


def test_messages_are_a_quota_of_the_plan(ledger: Ledger, tenant: Tenant, put_on_plan: PutOnPlan) -> None:
    put_on_plan(tenant.organization_id, messages_per_month=2)
    ledger.settle(ledger.reserve(), Spending(1))
    ledger.reserve()

    with pytest.raises(QuotaExceededError, match="permits 2 messages a month; 2 are in use"):
        ledger.reserve()


def test_an_answer_that_failed_is_no_message(ledger: Ledger, tenant: Tenant, put_on_plan: PutOnPlan) -> None:
    put_on_plan(tenant.organization_id, messages_per_month=1)

    ledger.settle(ledger.reserve(), Spending(5, 1), messages=0)

    assert used(ledger.month()) == (0, 5, 1)
    ledger.reserve()


def test_a_month_begins_at_midnight_utc_and_an_answer_belongs_to_the_month_it_was_asked_in(
    ledger: Ledger, set_budget: Callable[..., None]
) -> None:
    set_budget(monthly_budget_tokens=100)
    reservation = ledger.reserve()
    april = NOW + timedelta(minutes=1)

    second = ledger.reserve(now=april)
    ledger.settle(reservation, Spending(60))
    ledger.settle(second, Spending(70))

    assert (ledger.month().tokens, ledger.month(april).tokens) == (60, 70)


def test_what_never_ends_stops_counting_when_it_expires(ledger: Ledger, set_budget: Callable[..., None]) -> None:
    set_budget(monthly_budget_tokens=100)
    now = NOW - timedelta(days=1)
    killed = ledger.reserve(now=now)

    with pytest.raises(BudgetExhaustedError):
        ledger.reserve(now=now + RESERVED_FOR - timedelta(seconds=1))
    ledger.reserve(now=now + RESERVED_FOR)

    # Should it have ended after all, it counts.
    ledger.settle(killed, Spending(80))
    assert ledger.month(now + RESERVED_FOR).tokens == 180


def test_forgotten_reservations_are_cleared_away(ledger: Ledger, tenant: Tenant) -> None:
    ledger.reserve()
    ledger.reserve(now=NOW + timedelta(days=2))

    with ledger.database.transaction(tenant.organization_id) as connection:
        row = connection.execute("SELECT count(*) AS kept FROM budget_reservations").fetchone()
    assert row == {"kept": 1}


# ----------------------------------------------------------------------------------------------- many at once


@pytest.mark.parametrize("columns", [{"monthly_budget_tokens": 550}, {"monthly_budget_microdollars": 5500}], ids=str)
def test_of_many_at_once_exactly_those_pass_that_the_budget_holds(
    ledger: Ledger, database_urls: DatabaseUrls, set_budget: Callable[..., None], columns: Mapping[str, int]
) -> None:
    set_budget(**columns)

    results = race(database_urls.app, RUNNERS, lambda database, _: ledger.over(database).reserve())

    assert sum(isinstance(result, UUID) for result in results) == 5
    assert sum(isinstance(result, BudgetExhaustedError) for result in results) == RUNNERS - 5
    assert used(ledger.month()) == (5, 500, 5000)


def test_of_many_at_once_exactly_those_pass_that_a_keys_budget_holds(
    ledger: Ledger, database_urls: DatabaseUrls, add_key: Callable[..., UUID]
) -> None:
    key = add_key(monthly_budget_tokens=300)

    results = race(database_urls.app, RUNNERS, lambda database, _: ledger.over(database).reserve(key=key))

    assert sum(isinstance(result, UUID) for result in results) == 3
    assert ledger.key_month(key).tokens == 300


def test_of_many_at_once_exactly_those_pass_that_the_plan_has_messages_for(
    ledger: Ledger, tenant: Tenant, database_urls: DatabaseUrls, put_on_plan: PutOnPlan
) -> None:
    put_on_plan(tenant.organization_id, messages_per_month=7)

    results = race(database_urls.app, RUNNERS, lambda database, _: ledger.over(database).reserve())

    assert sum(isinstance(result, UUID) for result in results) == 7
    assert sum(isinstance(result, QuotaExceededError) for result in results) == RUNNERS - 7


def test_reserving_and_settling_at_once_loses_nothing(
    ledger: Ledger, database_urls: DatabaseUrls, add_key: Callable[..., UUID], set_budget: Callable[..., None]
) -> None:
    set_budget(monthly_budget_tokens=10**9)
    keys = [add_key(monthly_budget_tokens=10**9), None]

    def spend(database: Database, number: int) -> int:
        own = ledger.over(database)
        for _ in range(10):
            own.settle(own.reserve(key=keys[number % 2]), Spending(3, 2))
        return number

    results = race(database_urls.app, 8, spend)

    assert sorted(number for number in results if isinstance(number, int)) == list(range(8))
    assert used(ledger.month()) == (80, 240, 160)
    assert keys[0] is not None
    assert used(ledger.key_month(keys[0])) == (40, 120, 80)
