"""Killed at any step, two workers at once, receivers that fail at random: each event arrives, under one id."""

import os
import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from threading import Barrier
from typing import Any

import pytest

from chatsphere.db.database import Database
from chatsphere.webhooks.attempts import SECONDS
from chatsphere.webhooks.dispatching import LEASE, SENDING_SECONDS, Dispatcher
from chatsphere.webhooks.waking import WakeMessage
from functions.reap_stalled.handler import handler as reap
from infra.catalog import FUNCTIONS
from tests.builders.running_api import RunningApi
from tests.integration.ingestion.pipeline import WorkerKilled
from tests.integration.ingestion.tripwire import Tripwire, Wired, WiredDatabase, crash_stride
from tests.integration.webhooks.harness import Hooked, run
from tests.loopback.webhook_receiver import Inbox, Receivers
from tests.postgres import DatabaseUrls

STRIDE = crash_stride(3)


def worker(hooked: Hooked, wire: Tripwire | None = None, database: Database | None = None) -> Dispatcher:
    c = hooked.api.container
    parts: dict[str, Any] = {"database": database or c.database, "poster": c.web_poster, "queue": c.webhooks_queue}
    if wire is not None:
        parts["database"] = WiredDatabase(parts["database"], wire)
        parts["poster"] = Wired(parts["poster"], wire, frozenset({"post"}))
        parts["queue"] = Wired(parts["queue"], wire, frozenset({"send"}))
    return Dispatcher(**parts, box=c.webhook_box, clock=c.clock, random=lambda: 0.5, senders=1)


def settle(hooked: Hooked) -> None:
    """Let time pass, with the reaper looking from time to time, until nothing waits."""
    for _ in range(30):
        hooked.api.clock.advance(hours=6)
        reap({}, None)
        hooked.deliver()
        if not hooked.execute("SELECT id FROM webhook_deliveries WHERE status = 'pending'"):
            return
    raise AssertionError("something waits for ever")


def test_a_worker_that_is_killed_at_any_step_loses_nothing(hooked: Hooked, inbox: Inbox) -> None:
    webhook = hooked.webhook(inbox)
    steps, killed = 1 - STRIDE, True
    while killed:
        steps += STRIDE
        hooked.converse(2)
        inbox.received.clear()
        inbox.statuses = [500]
        wire = Tripwire()
        wire.arm(steps)
        try:
            worker(hooked, wire).run(WakeMessage(organization_id=hooked.organization_id))
            killed = False
        except WorkerKilled:
            pass
        settle(hooked)
        # Then both arrived, each with one id; a try whose result was lost was made again.
        found = hooked.deliveries(webhook)[:2]
        assert {one["status"] for one in found} == {"succeeded"}, steps
        assert set(inbox.ids) == {one["event_id"] for one in found}
        assert len(inbox.received) <= 4
    assert steps > 12


def test_two_workers_never_make_the_same_try(hooked: Hooked, inbox: Inbox, database_urls: DatabaseUrls) -> None:
    webhook = hooked.webhook(inbox)
    hooked.converse(12)
    hooked.api.webhooks_queue.sent.clear()
    databases, start = [Database(database_urls.app) for _ in range(3)], Barrier(3)

    def work(database: Database) -> None:
        start.wait()
        worker(hooked, database=database).run(WakeMessage(organization_id=hooked.organization_id))

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(work, databases))
    for database in databases:
        database.close()
    # What was left to another worker, that one may have left as well: then a message looks after it.
    for message, _ in hooked.api.webhooks_queue.sent:
        hooked.api.clock.advance(seconds=3)
        run(message)
    assert sorted(Counter(inbox.ids).values()) == [1] * 12
    found = hooked.deliveries(webhook)
    assert {(one["status"], one["attempts"]) for one in found} == {("succeeded", 1)}
    assert [one["sequence"] for one in found] == list(range(12, 0, -1))


def test_while_a_try_is_under_way_nobody_else_makes_it(hooked: Hooked, inbox: Inbox) -> None:
    hooked.webhook(inbox)
    hooked.converse()
    hooked.api.webhooks_queue.sent.clear()
    message = {"organization_id": hooked.account.organization_id}

    def meanwhile(handler: BaseHTTPRequestHandler) -> None:
        inbox.respond = None
        assert run(message) == []
        inbox.answer(handler)

    inbox.respond = meanwhile
    assert run(message) == []
    assert len(inbox.received) == 1
    # A worker that is gone is not waited for longer than its function may run.
    (spec,) = [spec for spec in FUNCTIONS if spec.name == "deliver_webhooks"]
    assert SENDING_SECONDS + SECONDS < spec.timeout_seconds <= LEASE.total_seconds()


@pytest.mark.parametrize("seed", range(int(os.environ.get("WEBHOOK_SEEDS", "1"))))
def test_each_event_reaches_a_receiver_that_fails_at_random_and_nobody_else(
    api: RunningApi, receivers: Receivers, seed: int
) -> None:
    chance = random.Random(seed)
    tenants = [(Hooked.of(api), receivers.inbox()) for _ in range(2)]
    for hooked, inbox in tenants:
        hooked.webhook(inbox)

        def unreliable(handler: BaseHTTPRequestHandler, inbox: Inbox = inbox) -> None:
            inbox.statuses = [chance.choice((200, 204, 400, 429, 500, 503))]
            respond, inbox.respond = inbox.respond, None
            inbox.answer(handler)
            inbox.respond = respond

        inbox.respond = unreliable
    for hooked, _ in tenants:
        hooked.converse(chance.randint(1, 6))
    for hooked, inbox in tenants:
        hooked.deliver()
        settle(hooked)
        events = hooked.execute("SELECT id::text, data ->> 'bot_id' AS bot_id FROM webhook_events ORDER BY id")
        delivered = hooked.execute("SELECT event_id::text AS id FROM webhook_deliveries WHERE status = 'succeeded'")
        assert {row["id"] for row in delivered} == {row["id"] for row in events}
        assert set(inbox.ids) == {row["id"] for row in events}
        assert {row["bot_id"] for row in events} == {hooked.bot_id}


def test_events_go_after_thirty_days_with_their_deliveries(hooked: Hooked, inbox: Inbox) -> None:
    webhook = hooked.webhook(inbox)
    hooked.execute("UPDATE organizations SET monthly_budget_tokens = 10")
    hooked.execute(
        "INSERT INTO budget_periods (organization_id, subject_id, period, tokens)"
        " VALUES (app.current_organization(), app.current_organization(), '2026-03-01', 9)"
    )
    hooked.converse()
    hooked.deliver()
    assert len(hooked.deliveries(webhook)) == 2
    hooked.api.clock.advance(days=30, hours=1)
    reap({}, None)
    # What is told once in a month is remembered for as long as one has days.
    assert [one["type"] for one in hooked.deliveries(webhook)] == ["budget.threshold"]
    hooked.api.clock.advance(days=5)
    reap({}, None)
    assert hooked.deliveries(webhook) == []
    assert hooked.execute("SELECT id FROM webhook_events") == []


def test_a_wait_of_hours_is_a_chain_of_messages(hooked: Hooked, inbox: Inbox) -> None:
    hooked.webhook(inbox)
    inbox.statuses = [500] * 3
    hooked.converse()
    (sent,) = hooked.deliver()
    for _ in range(2):
        hooked.api.clock.advance(minutes=40)
        (sent,) = hooked.deliver()
    assert sent["organization_id"] == hooked.account.organization_id
    # The third wait is of half an hour, longer than the queue keeps a message: it is sent on, unchanged.
    for _ in range(3):
        assert hooked.deliver() == [sent]
    hooked.api.clock.advance(minutes=40)
    assert hooked.deliver() == []
    assert len(inbox.received) == 4
