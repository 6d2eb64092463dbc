"""Who is tried next: endpoints that do not answer, a great many events, and faults of ours keep nobody else."""

from base64 import b64decode
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest

from chatsphere.cli.webhook_receiver import is_signed
from chatsphere.db.database import Database
from chatsphere.webhooks import dispatch_queries as queries
from chatsphere.webhooks import dispatching
from chatsphere.webhooks.attempts import Attempt
from chatsphere.webhooks.dispatching import AT_ONCE, FAILING_AT_ONCE, LEASE, Dispatcher
from chatsphere.webhooks.schedule import OWN_FAULT_WAIT
from tests.integration.webhooks.harness import Hooked
from tests.loopback.webhook_receiver import Inbox, Receivers
from tests.postgres import DatabaseUrls
from tests.waiting import wait_for

Webhook = dict[str, Any]


@pytest.fixture
def dispatcher(hooked: Hooked) -> Dispatcher:
    c = hooked.api.container
    return Dispatcher(c.database, c.web_poster, c.webhook_box, c.webhooks_queue, c.clock, lambda: 0.5)


def claim(hooked: Hooked, dispatcher: Dispatcher) -> Attempt | None:
    """Take what is due, and leave it under way."""
    return dispatcher._claim(hooked.organization_id)


def claimed(hooked: Hooked, dispatcher: Dispatcher, webhooks: dict[str, Webhook]) -> list[str]:
    """Take all that may be under way at a time; return the names of the webhooks in turn."""
    names = {webhook["id"]: name for name, webhook in webhooks.items()}
    attempts = iter(lambda: claim(hooked, dispatcher), None)
    return [names[str(attempt.endpoint_id)] for attempt in attempts if attempt]


def fail(hooked: Hooked, *webhooks: Webhook) -> None:
    """Let these be endpoints whose last try failed."""
    hooked.execute(
        "UPDATE webhook_endpoints SET failing_since = now() WHERE id = ANY(%(ids)s::uuid[])",
        {"ids": [webhook["id"] for webhook in webhooks]},
    )


def test_endpoints_are_tried_in_turn_and_each_a_few_times_at_once(
    hooked: Hooked, receivers: Receivers, dispatcher: Dispatcher
) -> None:
    # Given one that has had events for longer than the other
    webhooks = {"long": hooked.webhook(receivers.inbox())}
    hooked.converse(5)
    dispatcher.dispatch(hooked.organization_id, until=0)
    hooked.api.clock.advance(seconds=1)
    webhooks["new"] = hooked.webhook(receivers.inbox())
    hooked.converse(2)
    dispatcher.dispatch(hooked.organization_id, until=0)
    # Then
    assert claimed(hooked, dispatcher, webhooks) == ["long", "new", "long", "new", "long"]
    hooked.api.clock.advance(seconds=LEASE.total_seconds() + 1)
    assert len(claimed(hooked, dispatcher, webhooks)) == AT_ONCE + 2


def test_what_the_release_before_takes_meanwhile_is_not_sent_twice(
    hooked: Hooked, inbox: Inbox, dispatcher: Dispatcher, database_urls: DatabaseUrls
) -> None:
    hooked.webhook(inbox)
    hooked.converse()
    dispatcher.dispatch(hooked.organization_id, until=0)
    admin, former = Database(database_urls.admin), Database(database_urls.app)

    def somebody_waits() -> bool:
        waiting = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        with admin.transaction(None) as connection:
            return connection.execute(waiting).fetchone() is not None

    with closing(admin), closing(former), ThreadPoolExecutor(1) as pool:
        # Its claims hold the delivery, and not what ours wait for.
        with former.transaction(hooked.organization_id) as connection:
            taken = "UPDATE webhook_deliveries SET attempts = 1, lease_expires_at = %s"
            connection.execute(taken, (hooked.api.clock.now() + LEASE,))
            ours = pool.submit(claim, hooked, dispatcher)
            wait_for(somebody_waits, what="our claim")
        assert ours.result() is None


def test_many_that_fail_leave_room_for_who_answers(
    hooked: Hooked, receivers: Receivers, dispatcher: Dispatcher
) -> None:
    webhooks = {name: hooked.webhook(receivers.inbox()) for name in ("slow", "dead", "gone", "quick")}
    fail(hooked, *(webhooks[name] for name in ("slow", "dead", "gone")))
    hooked.converse(4)
    dispatcher.dispatch(hooked.organization_id, until=0)
    taken = claimed(hooked, dispatcher, webhooks)
    # Each of those that fail has its turn, together they have no more than one of them would.
    assert sorted(taken[:4]) == ["dead", "gone", "quick", "slow"]
    assert (taken.count("quick"), len(taken)) == (AT_ONCE, AT_ONCE + FAILING_AT_ONCE)


def test_of_a_great_many_events_the_first_are_sent_before_the_last_are_read(
    hooked: Hooked, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatching, "BATCH", 2)
    monkeypatch.setattr(dispatching, "DISPATCHING_SECONDS", 0)
    webhook = hooked.webhook(inbox)
    hooked.converse(5)
    waiting = hooked.api.webhooks_queue.sent
    waiting[:] = [entry for entry in waiting if entry[1] == hooked.account.organization_id][:1]
    arrived = []
    while waiting:
        (sent,) = waiting
        waiting.clear()
        hooked.api.clock.advance(seconds=3)
        waiting.append(sent)
        hooked.deliver()
        arrived.append(len(inbox.received))
    assert arrived == [2, 4, 5]
    assert [one["sequence"] for one in hooked.deliveries(webhook)] == [5, 4, 3, 2, 1]


def rows_read(plan: dict[str, Any]) -> int:
    """Return how many deliveries the plan's scans have read."""
    below = sum(rows_read(part) for part in plan.get("Plans", ()))
    if plan.get("Relation Name") != "webhook_deliveries" or not plan["Node Type"].endswith("Scan"):
        return below
    kept = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0) + plan.get("Rows Removed by Index Recheck", 0)
    return below + int(kept * plan["Actual Loops"])


def test_a_claim_costs_the_same_however_many_wait(hooked: Hooked, inbox: Inbox, dispatcher: Dispatcher) -> None:
    webhook = hooked.webhook(inbox)
    hooked.execute(
        """
        WITH told AS (
            INSERT INTO webhook_events (organization_id, id, type, data, occurred_at, dispatched_at)
            SELECT app.current_organization(), app.uuid_v7(), 'webhook.test', '{}', %(now)s, %(now)s
            FROM generate_series(1, 2000) RETURNING id)
        INSERT INTO webhook_deliveries
            (id, organization_id, endpoint_id, event_id, sequence, next_attempt_at, created_at)
        SELECT app.uuid_v7(), app.current_organization(), %(id)s, id, row_number() OVER (), %(now)s, %(now)s FROM told
        """,
        {"id": webhook["id"], "now": hooked.api.clock.now()},
    )
    assert claim(hooked, dispatcher) is not None
    now = hooked.api.clock.now()
    values = {"now": now, "lease_expires_at": now + LEASE, "at_once": AT_ONCE, "failing_at_once": FAILING_AT_ONCE}
    for query in (queries.CLAIM, queries.NEXT_DUE):
        (row,) = hooked.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {query}", values)
        assert rows_read(row["QUERY PLAN"][0]["Plan"]) < 50, query


def test_a_secret_that_nobody_can_read_keeps_no_other_endpoint_and_is_no_failure(
    hooked: Hooked, inbox: Inbox, receivers: Receivers
) -> None:
    other = receivers.inbox()
    lost, well = hooked.webhook(inbox), hooked.webhook(other)
    hooked.execute("UPDATE webhook_endpoints SET secret = 'sealed elsewhere' WHERE id = %(id)s", {"id": lost["id"]})
    hooked.converse(5)
    hooked.deliver()
    assert (len(other.received), inbox.received) == (5, [])
    assert {one["status"] for one in hooked.deliveries(well)} == {"succeeded"}
    assert {(one["status"], one["last_error"]) for one in hooked.deliveries(lost)} == {("pending", "secret_unreadable")}
    assert hooked.shown(lost)["failing_since"] is None
    # A new one mends it, although the former, which signs for a while, too, is lost.
    rotated = hooked.request("POST", f"/v1/webhooks/{lost['id']}/rotate-secret", {}).json
    hooked.deliver_at(hooked.api.clock.now() + OWN_FAULT_WAIT)
    assert len(inbox.received) == 5
    key, now = b64decode(rotated["secret"].removeprefix("whsec_")), hooked.api.clock.now().timestamp()
    assert all(is_signed(key, dict(received.headers), received.body, now) for received in inbox.received)


def test_what_an_endpoint_asks_for_holds_from_then_on(hooked: Hooked, inbox: Inbox, receivers: Receivers) -> None:
    """However late deliveries are made: here, whoever should have been woken was not."""
    disabled, narrowed, late = (receivers.inbox() for _ in range(3))
    hooked.webhook(inbox)
    sleeping = hooked.webhook(disabled, is_enabled=False)
    other = hooked.webhook(narrowed)
    hooked.converse()
    # When
    hooked.request("PATCH", f"/v1/webhooks/{sleeping['id']}", {"is_enabled": True})
    hooked.request("PATCH", f"/v1/webhooks/{other['id']}", {"event_types": ["document.ready"]})
    hooked.webhook(late)
    hooked.api.clock.advance(minutes=5)
    hooked.deliver()
    # Then
    assert (disabled.received, late.received) == ([], [])
    assert inbox.ids == narrowed.ids
    assert len(inbox.ids) == 1
