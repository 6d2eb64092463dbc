"""A run that is killed at any step, and delivered again: the same end as if nothing had happened."""

from collections.abc import Callable
from datetime import timedelta

from chatsphere.ports.system import Ids
from chatsphere.retention.runs import LEASE
from tests.integration.ingestion.pipeline import WorkerKilled
from tests.integration.ingestion.tripwire import Tripwire, Wired, WiredDatabase, crash_stride
from tests.integration.retention.driving import Retention
from tests.integration.retention.policy_model import Conversation, Document, ErrorLog, History, Hold, Message
from tests.integration.retention.test_against_the_model import check_what_is_left

STRIDE = crash_stride(13)


def test_a_run_that_is_killed_at_any_step_ends_as_any_other(make_retention: Callable[[], Retention]) -> None:
    # Given every kind of item, and a worker that dies
    fatal, killed = 1, 0
    while True:
        retention, wire = make_retention(), Tripwire()
        history = of_every_kind(retention)
        retention.put(history)
        run_id = retention.begin()
        message = dict(retention.jobs.messages[0])
        wired(retention, wire)
        # When
        wire.arm(fatal)
        try:
            retention.work()
        except WorkerKilled:
            killed += 1
        else:
            break
        finally:
            wire.disarm()
        # And its message comes again, when its lease has expired
        retention.clock.advance(LEASE + timedelta(minutes=10))
        retention.jobs.messages.append(message)
        retention.work()
        # Then
        assert retention.row(run_id)["status"] == "done", fatal
        retention.clock.advance(-LEASE - timedelta(minutes=10))
        check_what_is_left(retention, history)
        fatal += STRIDE
    assert killed > 40 // STRIDE


def wired(retention: Retention, wire: Tripwire) -> None:
    methods = frozenset({"put", "download", "delete", "delete_versions", "versions"})
    database = WiredDatabase(retention.database, wire)
    retention.archive = type(retention.archive)(
        database, Wired(retention.store, wire, methods), retention.archive.files, retention.clock, retention.ids
    )
    retention.runner_database = database
    retention.purge = Wired(retention.purge, wire, frozenset({"send"}))  # type: ignore[assignment]


def of_every_kind(retention: Retention) -> History:
    now, ids, bot = retention.clock.now(), retention.ids, retention.tenant.bot_id
    history = History([bot], rules={"document_days": 100, "message_days": 60, "message_action": "delete"})
    for age, used in ((200, 100), (150, 1), (95, 91), (200, 180)):
        history.conversations.append(conversation(ids, retention, age, used))
    history.documents.append(Document(ids.new(), bot, now - timedelta(days=101), now - timedelta(days=101)))
    history.errors.append(ErrorLog(ids.new(), bot, now - timedelta(days=91)))
    history.holds.append(Hold("conversation", bot, history.conversations[-1].id))
    return history


def conversation(ids: Ids, retention: Retention, begun: int, used: int) -> Conversation:
    first, last = (retention.clock.now() - timedelta(days=days) for days in (begun, used))
    times = [("user", first), ("system", first), ("assistant", (first + (last - first) / 2)), ("user", last)]
    messages = [Message(ids.new(), role, at) for role, at in times]
    return Conversation(ids.new(), retention.tenant.bot_id, "ann", first, last, messages)
