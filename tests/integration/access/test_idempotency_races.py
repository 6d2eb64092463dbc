"""Keyed requests that meet, or that are cut short: what they make is made once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier, Event
from typing import Any
from uuid import UUID

import pytest

from chatsphere.access.permissions import Role
from chatsphere.access.principal import Principal
from chatsphere.adapters.system import SystemClock, UuidV7Ids
from chatsphere.db.database import Connection, Database
from chatsphere.errors import RequestInProgressError, UnavailableError
from chatsphere.http import idempotency_store
from chatsphere.http.idempotency import LONGEST_REQUEST, Undertaking, keep_answer, under_way, undertake
from chatsphere.http.idempotency_store import KeptAnswer
from functions.manage_bots.handler import handler
from tests.builders.rest_api import proxy_event
from tests.builders.running_api import Account, Answer, FixedClock, RunningApi
from tests.conftest import Tenant
from tests.integration.ingestion.pipeline import WorkerKilled
from tests.integration.ingestion.tripwire import Tripwire, WiredDatabase
from tests.postgres import DatabaseUrls
from tests.racing import race

INSERT_BOT = "INSERT INTO bots (id, organization_id, name, created_by) VALUES (%s, %s, 'Made', %s)"
DONE = KeptAnswer(201, None, "")


def caller_of(tenant: Tenant) -> Principal:
    return Principal(tenant.organization_id, tenant.user_id, Role.OWNER)


def make_bot(connection: Connection, tenant: Tenant, ids: UuidV7Ids) -> None:
    connection.execute(INSERT_BOT, (ids.new(), tenant.organization_id, tenant.user_id))


def made(database: Database, tenant: Tenant) -> int:
    with database.transaction(tenant.organization_id) as connection:
        return len(connection.execute("SELECT 1 FROM bots WHERE name = 'Made'").fetchall())


def test_of_many_at_once_one_does_the_work(
    database: Database, database_urls: DatabaseUrls, tenant: Tenant, ids: UuidV7Ids
) -> None:
    threads = 16
    barrier = Barrier(threads)

    def request(_: int) -> str:
        own = Database(database_urls.app)
        with own.transaction(None):
            barrier.wait()
        try:
            taken = undertake("key", caller_of(tenant), b"request", database=own, clock=SystemClock())
            if isinstance(taken, KeptAnswer):
                return "replayed"
            with own.transaction(tenant.organization_id, tenant.user_id) as connection:
                make_bot(connection, tenant, ids)
                taken.keep_in(connection, DONE)
        except RequestInProgressError:
            return "in progress"
        else:
            return "made"
        finally:
            own.close()

    with ThreadPoolExecutor(threads) as pool:
        outcomes = list(pool.map(request, range(threads)))

    assert outcomes.count("made") == made(database, tenant) == 1
    assert set(outcomes) <= {"made", "replayed", "in progress"}


def taken(database: Database, tenant: Tenant, clock: FixedClock) -> Undertaking:
    begun = undertake("key", caller_of(tenant), b"request", database=database, clock=clock)
    assert isinstance(begun, Undertaking)
    return begun


def test_a_request_that_lost_its_lease_undoes_its_work(database: Database, tenant: Tenant, ids: UuidV7Ids) -> None:
    clock = FixedClock()
    slow = taken(database, tenant, clock)
    clock.advance(seconds=LONGEST_REQUEST.total_seconds())
    other = taken(database, tenant, clock)

    with (
        pytest.raises(RequestInProgressError),
        under_way(slow),
        database.transaction(tenant.organization_id, tenant.user_id) as connection,
    ):
        make_bot(connection, tenant, ids)
        keep_answer(connection, 201)

    assert made(database, tenant) == 0
    slow.end(KeptAnswer(409, None, "not this one"))
    with database.transaction(tenant.organization_id) as connection:
        other.keep_in(connection, DONE)
    again = undertake("key", caller_of(tenant), b"request", database=database, clock=clock)
    assert again == DONE


def test_two_who_use_expired_keys_again_do_not_wait_for_each_other(
    database: Database, database_urls: DatabaseUrls, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency_store, "EXPIRED_AT_ONCE", 1)
    clock = FixedClock()

    def use_again(own: Database, number: int) -> bool:
        # Each finds the other's expired row first.
        key = ("second", "first")[number]
        return isinstance(undertake(key, caller_of(tenant), b"request", database=own, clock=clock), Undertaking)

    for _ in range(20):
        for key in ("first", "second"):
            undertake(key, caller_of(tenant), b"request", database=database, clock=clock)
        clock.advance(hours=25)
        assert race(database_urls.app, 2, use_again) == [True, True]
        clock.advance(hours=25)


def test_a_lease_is_not_taken_over_before_its_end(database: Database, tenant: Tenant) -> None:
    clock = FixedClock()
    taken(database, tenant, clock)
    clock.advance(seconds=(LONGEST_REQUEST - timedelta(seconds=1)).total_seconds())

    with pytest.raises(RequestInProgressError):
        taken(database, tenant, clock)


def test_whoever_works_is_waited_for_while_their_answer_is_committed(
    database: Database, database_urls: DatabaseUrls, tenant: Tenant
) -> None:
    clock = FixedClock()
    first, kept = taken(database, tenant, clock), Event()

    def second() -> Undertaking | KeptAnswer:
        kept.wait(60)
        own = Database(database_urls.app)
        try:
            return undertake("key", caller_of(tenant), b"request", database=own, clock=clock)
        finally:
            own.close()

    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(second)
        with database.transaction(tenant.organization_id) as connection:
            first.keep_in(connection, DONE)
            kept.set()
        assert waiting.result(60) == DONE


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_what_may_pass_later_gives_the_key_free(database: Database, tenant: Tenant, status: int) -> None:
    clock = FixedClock()

    taken(database, tenant, clock).end(KeptAnswer(status, None, ""))

    taken(database, tenant, clock).end(DONE)


@pytest.mark.parametrize("status", [200, 400, 402, 403, 404, 409, 422])
def test_what_was_decided_stays_decided(database: Database, tenant: Tenant, status: int) -> None:
    clock, answer = FixedClock(), KeptAnswer(status, "text/plain", "first")

    taken(database, tenant, clock).end(answer)

    assert undertake("key", caller_of(tenant), b"request", database=database, clock=clock) == answer


def test_work_that_was_rolled_back_is_not_answered_as_if_done(
    database: Database, tenant: Tenant, ids: UuidV7Ids
) -> None:
    clock = FixedClock()
    first = taken(database, tenant, clock)
    with pytest.raises(UnavailableError), under_way(first), database.transaction(tenant.organization_id) as connection:
        make_bot(connection, tenant, ids)
        keep_answer(connection, 201)
        raise UnavailableError

    first.end(KeptAnswer(503, None, ""))

    assert made(database, tenant) == 0
    taken(database, tenant, clock)


def test_an_answer_is_kept_from_another_tenants_transaction(
    database: Database, tenant: Tenant, make_tenant: Callable[[], Tenant], ids: UuidV7Ids
) -> None:
    clock, new = FixedClock(), make_tenant()
    first = taken(database, tenant, clock)

    with under_way(first), database.transaction(new.organization_id, tenant.user_id) as connection:
        keep_answer(connection, 201)
        connection.execute(INSERT_BOT, (ids.new(), new.organization_id, None))

    assert undertake("key", caller_of(tenant), b"request", database=database, clock=clock) == DONE
    assert (made(database, new), made(database, tenant)) == (1, 0)


ROUTES = {
    "a bot": ("POST", "/v1/bots", {"name": "Made"}),
    "a key": ("POST", "/v1/api-keys", {"name": "Made"}),
}


def send(api: RunningApi, account: Account, method: str, path: str, body: Any) -> Answer:
    return api.request(method, path, body, token=account.access_token, headers={"Idempotency-Key": "key"})


@pytest.mark.parametrize("what", ROUTES)
def test_wherever_the_function_dies_a_repeated_request_makes_one(api: RunningApi, what: str) -> None:
    method, path, body = ROUTES[what]
    clock, real = api.clock.moment, api.container.database
    deaths = 0
    for fatal in range(1, 20):
        api.clock.moment = clock
        account, wire = api.register(), Tripwire()
        vars(api.container)["database"] = WiredDatabase(real, wire)
        wire.arm(fatal)
        try:
            send(api, account, method, path, body)
        except WorkerKilled:
            deaths += 1
        wire.disarm()
        vars(api.container)["database"] = real
        if wire.passed < fatal:
            break
        api.clock.advance(seconds=LONGEST_REQUEST.total_seconds())

        second, third = (send(api, account, method, path, body) for _ in range(2))

        listed = api.request("GET", path, token=account.access_token).json["data"]
        assert [second.status, len(listed)] == [201, 1], f"died at step {fatal}"
        assert second.json["id"] == listed[0]["id"]
        assert (third.text, third.headers["Idempotency-Replayed"]) == (second.text, "true")
    # The gate, the claim, and the work with its answer: before and after each commit.
    assert deaths == 6


def test_an_answer_that_cannot_be_kept_is_given_all_the_same(
    api: RunningApi, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/v1/bots/{UUID(api.bot(account)['id'])}"

    def lost(*_: Any) -> None:
        raise UnavailableError

    monkeypatch.setattr("chatsphere.http.idempotency_store.Lease.keep", lost)

    assert send(api, account, "PATCH", path, {"name": "New"}).json["name"] == "New"
    assert send(api, account, "PATCH", path, {"name": "New"}).code == "request_in_progress"


class Context:
    """What Lambda hands a function that has two seconds left."""

    def get_remaining_time_in_millis(self) -> int:
        return 2_000


def test_a_lease_ends_soon_after_its_function_must(
    api: RunningApi, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/v1/bots/{api.bot(account)['id']}"
    event = proxy_event("PATCH", path, path, {}, {"Idempotency-Key": "key"}, {}) | {"body": '{"name": "New"}'}
    caller = Principal(UUID(account.organization_id), UUID(account.user_id), Role.OWNER)
    event["requestContext"]["authorizer"] = caller.to_context()

    def die(*_: Any, **__: Any) -> None:
        raise WorkerKilled

    with monkeypatch.context() as dying:
        dying.setattr("chatsphere.bots.routes.change_bot", die)
        with pytest.raises(WorkerKilled):
            handler(event, Context())

    api.clock.advance(seconds=6)
    assert handler(event, Context())["statusCode"] == 409
    api.clock.advance(seconds=1)
    assert handler(event, Context())["statusCode"] == 200
