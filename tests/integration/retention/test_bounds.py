"""What one run takes is bounded, whatever an organization has, and by whatever clock it was begun."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import UUID

import psycopg
from psycopg.rows import DictRow

from chatsphere.db.database import Connection, Database
from chatsphere.job_reviving import JobReviver
from chatsphere.retention.daily import DailyRetention
from chatsphere.retention.messages import RetentionMessage
from chatsphere.retention.reviving import STALLED_RETENTION
from tests.fakes import FixedClock, InMemoryQueue
from tests.integration.retention.driving import Retention
from tests.integration.retention.policy_model import Conversation, History, Message, listed
from tests.integration.retention.test_against_the_model import as_text
from tests.postgres import DatabaseUrls

BOTS = 10


@dataclass
class SlowClock:
    """Moves each time that somebody looks, as where each statement takes long."""

    moment: datetime
    seconds: int = 7

    def now(self) -> datetime:
        self.moment += timedelta(seconds=self.seconds)
        return self.moment


def of_many_bots(retention: Retention) -> History:
    """Each bot has messages of two days that go by themselves, and a conversation that goes."""
    now, ids = retention.clock.now(), retention.ids
    history = History([retention.tenant.bot_id, *(ids.new() for _ in range(BOTS - 1))])
    for number, bot in enumerate(history.bots):
        history.overrides[bot] = {"message_days": 60 + number}
        times = [now - timedelta(days=days) for days in (200, 150, 95)]
        said = [Message(ids.new(), "user", at) for at in times]
        history.conversations.append(Conversation(ids.new(), bot, "ann", times[0], now, said[:2]))
        history.conversations.append(Conversation(ids.new(), bot, "ann", times[2], times[2], said[2:]))
    return history


def work_slowly(retention: Retention) -> None:
    """Work off one delivery of a message, by a clock that moves."""
    fixed, slow = retention.clock, SlowClock(retention.clock.now())
    retention.clock = slow  # type: ignore[assignment]
    try:
        retention.runner.run(RetentionMessage.parse(retention.jobs.messages.popleft()))
    finally:
        fixed.advance(slow.moment - fixed.now())
        retention.clock = fixed


def test_a_list_that_takes_long_is_made_in_several_invocations(retention: Retention) -> None:
    # Given
    history = of_many_bots(retention)
    retention.put(history)
    expected = as_text(listed(history, retention.clock.now()))
    run_id = retention.begin(dry_run=True)
    # When an invocation's time ends before the list is made
    work_slowly(retention)
    # Then what was listed is kept, and the others go on from there
    row = retention.row(run_id)
    assert (row["status"], row["step"]) == ("running", "list")
    assert 0 < row["listed"] < expected.total()
    invocations = 1
    while retention.jobs.messages:
        work_slowly(retention)
        invocations += 1
    assert invocations > 2
    assert as_text(retention.listed(run_id)) == expected
    # And no run keeps the policies of its bots for ever
    assert (retention.row(run_id)["status"], retention.row(run_id)["policies"]) == ("done", None)


def test_the_number_of_statements_is_a_few_for_each_bot_with_something_due(
    retention: Retention, database_urls: DatabaseUrls
) -> None:
    history = of_many_bots(retention)
    retention.put(history)
    counted = Counting(database_urls.app)
    retention.runner_database = counted
    run_id = retention.begin(dry_run=True)
    retention.work()
    counted.close()
    assert as_text(retention.listed(run_id)) == as_text(listed(history, retention.clock.now()))
    # Where something may be due, a look and a listing; who has anything is asked once for each field of the policy.
    assert counted.statements < 4 * BOTS + 30


class Counting(Database):
    """Counts the statements of its transactions."""

    statements = 0

    def _open(self) -> Connection:
        connection, counting = super()._open(), self

        class Cursor(psycopg.Cursor[DictRow]):
            def execute(self, *arguments: Any, **named: Any) -> Self:
                counting.statements += 1
                return super().execute(*arguments, **named)

        connection.cursor_factory = Cursor
        return connection


def test_a_clock_that_was_ahead_for_a_while_stops_no_runs(
    make_retention: Callable[[], Retention], database_urls: DatabaseUrls
) -> None:
    # Given a tenant whose last daily run has ended in a year to come, and one whose run was left there
    ended, left = make_retention(), make_retention()
    for each in (ended, left):
        each.clock.advance(timedelta(days=400))
    ended.run()
    stuck = left.begin()
    with left.database.transaction(left.tenant.organization_id) as connection:
        connection.execute("UPDATE retention_runs SET lease_token = %s", (left.ids.new(),))
    # When the clock is right again
    clock, queue = FixedClock(ended.clock.now() - timedelta(days=400)), InMemoryQueue()
    maintainer, reaper = Database(database_urls.maintainer), Database(database_urls.reaper)
    DailyRetention(maintainer, ended.database, queue, clock, ended.ids).begin(clock.now() + timedelta(hours=1))
    JobReviver(reaper, queue, clock, STALLED_RETENTION).revive()
    # Then the one gets its run, and the other's is gone on with
    assert ended.tenant.organization_id in tenants_of(queue)
    assert left.tenant.organization_id in tenants_of(queue)
    left.clock = clock
    left.work()
    assert left.row(stuck)["status"] == "done"
    maintainer.close()
    reaper.close()


def tenants_of(queue: InMemoryQueue) -> set[UUID]:
    return {UUID(str(message["organization_id"])) for message in queue.messages}
