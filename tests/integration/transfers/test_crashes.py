"""A worker that is killed at any step of an export or import: what comes after it makes the same, once."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from chatsphere.job_reviving import JobReviver
from chatsphere.queue_batches import NotNowError
from chatsphere.transfers.messages import ExportMessage, ImportMessage
from chatsphere.transfers.places import import_key
from chatsphere.transfers.reviving import STALLED_TRANSFERS
from chatsphere.transfers.times import UPLOADED_BY
from tests.fakes import FixedClock
from tests.integration.ingestion.pipeline import WorkerKilled
from tests.integration.ingestion.tripwire import Tripwire, Wired, WiredDatabase, crash_stride
from tests.integration.transfers.moving import Moving, members

PORTS = frozenset({"put_stream", "put", "head", "delete", "delete_prefix", "upsert", "fetch", "send"})


@pytest.fixture
def wire(moving: Moving) -> Tripwire:
    """A tripwire around everything that the jobs touch; the source's bot knows a text."""
    moving.source.drop("a.txt", "What a.txt says.\nAnd what it says then.")
    moving.source.run()
    moving.source.events.clear()
    return Tripwire()


def wired(moving: Moving, wire: Tripwire) -> None:
    moving.archive = Wired(moving.archive, wire, PORTS)
    moving.jobs = Wired(moving.jobs, wire, PORTS)
    for pipeline in (moving.source, moving.target):
        pipeline.database = WiredDatabase(pipeline.database, wire)  # type: ignore[assignment]
        pipeline.vectors = Wired(pipeline.vectors, wire, PORTS)
        pipeline.objects = Wired(pipeline.objects, wire, PORTS)
        for name in ("embed_queue", "purge_queue"):
            setattr(pipeline, name, Wired(getattr(pipeline, name), wire, PORTS))


def killed_steps(run: Any, wire: Tripwire) -> Iterator[int]:
    """Run again and again, killed some steps further each time, until a run gets through."""
    stride = crash_stride(5)
    fatal = 1 - stride
    while True:
        fatal += stride
        wire.arm(fatal)
        try:
            run(fatal)
        except WorkerKilled:
            yield fatal
        else:
            return
        finally:
            wire.disarm()


def test_an_export_killed_at_any_step_is_written_once_and_whole(moving: Moving, wire: Tripwire) -> None:
    expected = members(moving.file_of(moving.export()))
    wired(moving, wire)
    messages: list[ExportMessage] = []

    def run(_: int) -> None:
        fatal, wire._fatal = wire._fatal, None
        messages.append(moving.ask_for_export())
        wire.arm(fatal or 0)
        moving.export_job.run(messages[-1])

    steps = 0
    for steps in killed_steps(run, wire):
        moving.revive()
        done = moving.exported(messages[-1])
        assert done.status == "done", steps
        made = members(moving.file_of(done))
        assert {name: held for name, held in made.items() if name != "manifest.json"} == {
            name: held for name, held in expected.items() if name != "manifest.json"
        }
    assert steps > 15


def test_an_import_killed_at_any_step_makes_one_bot(moving: Moving, wire: Tripwire) -> None:
    file = moving.file_of(moving.export())
    expected = moving.found(moving.source, moving.source.tenant.bot_id, "What says a.txt?")
    raw = moving.target.database
    wired(moving, wire)
    messages: list[ImportMessage] = []

    def run(_: int) -> None:
        fatal, wire._fatal = wire._fatal, None
        messages.append(moving.upload(file))
        wire.arm(fatal or 0)
        moving.import_job.run(messages[-1])

    steps = 0
    for steps in killed_steps(run, wire):
        moving.revive()
        done = moving.imported(messages[-1])
        assert (done.status, done.error_message) == ("done", None), steps
        assert done.bot_id is not None
        moved = moving.at_target(done.bot_id)
        assert moving.found(moved, done.bot_id, "What says a.txt?") == expected, steps
        assert [row["status"] for row in moved.documents()] == ["ready"]
        assert moving.archive.count_versions("imports/") == 0
        assert_only_bot(moving, raw, done.bot_id)
    assert steps > 25


def assert_only_bot(moving: Moving, database: Any, bot_id: UUID) -> None:
    """The import made this bot and no other; it is taken away, so that the plan has room for the next."""
    tenant = moving.target.tenant
    with database.transaction(tenant.organization_id) as connection:
        rows = connection.execute("SELECT id FROM bots WHERE id <> %s", (tenant.bot_id,)).fetchall()
        assert [row["id"] for row in rows] == [bot_id]
        connection.execute("DELETE FROM bots WHERE id = %s", (bot_id,))


def test_a_second_delivery_of_either_message_changes_nothing(moving: Moving, wire: Tripwire) -> None:
    # Given
    asked = moving.ask_for_export()
    moving.export_job.run(asked)
    export = moving.exported(asked)
    message = moving.upload(moving.file_of(export))
    moving.import_job.run(message)
    done = moving.imported(message)
    # When
    moving.export_job.run(asked)
    moving.import_job.run(message)
    # Then
    assert moving.exported(asked) == export
    assert moving.imported(message) == done
    assert wire.passed == 0


def test_what_is_uploaded_after_the_end_does_not_stay(moving: Moving, wire: Tripwire) -> None:
    # Given an import that is done, and its form, which permits uploads for a while
    message = moving.upload(moving.file_of(moving.export()))
    moving.import_job.run(message)
    key = import_key(message.organization_id, message.import_id)
    moving.archive.put(key, b"once more", content_type="application/zip", metadata={})
    # When the form is not valid any more
    moving.source.clock.advance(UPLOADED_BY)
    moving.revive()
    # Then
    assert moving.imported(message).status == "done"
    assert moving.archive.count_versions("imports/") == 0
    # And nobody comes again
    moving.source.clock.advance(UPLOADED_BY)
    JobReviver(moving.source.reaper_database, moving.jobs, moving.source.clock, STALLED_TRANSFERS).revive()
    assert not [body for body in moving.jobs.messages if body.get("import_id") == str(message.import_id)]


def test_an_export_during_which_the_bot_is_embedded_anew_is_begun_again(moving: Moving, wire: Tripwire) -> None:
    # Given readers who search another revision when the vectors are fetched
    message = moving.ask_for_export()
    fetch = moving.source.vectors.fetch

    def too_late(*_: Any) -> dict[str, Any]:
        moving.source.vectors.fetch = fetch
        with moving.source.connection() as connection:
            connection.execute("UPDATE bots SET embedding_revision = 1 WHERE id = %s", (message.bot_id,))
        return {}

    moving.source.vectors.fetch = too_late
    # When
    with pytest.raises(NotNowError):
        moving.export_job.run(message)
    with moving.source.connection() as connection:
        connection.execute("UPDATE bots SET embedding_revision = 0 WHERE id = %s", (message.bot_id,))
    moving.export_job.run(message)
    # Then
    assert moving.exported(message).status == "done"


def test_who_comes_while_another_is_at_it_does_nothing(moving: Moving, wire: Tripwire) -> None:
    # Given a worker that was killed at its first document
    wired(moving, wire)
    message = moving.ask_for_export()
    wire.arm(8)
    with pytest.raises(WorkerKilled):
        moving.export_job.run(message)
    # When another comes before its lease is over
    moving.export_job.run(message)
    # Then
    assert moving.exported(message).status == "running"


def test_a_long_import_goes_on_where_it_was_in_later_deliveries(moving: Moving) -> None:
    # Given a document of many batches, and a clock that runs: a delivery gets through a few of them
    moving.source.drop("long.txt", "\n".join(f"Line {number}." for number in range(64 * 6)))
    moving.source.run()
    file = moving.file_of(moving.export())
    moving.target.clock = RunningClock(moving.source.clock)
    message = moving.upload(file)
    # When
    deliveries = 0
    moving.jobs.send([message.to_json()], group="")
    while moving.jobs.messages:
        moving.jobs.messages.clear()
        deliveries += 1
        moving.import_job.run(message)
    # Then
    done = moving.imported(message)
    assert (done.status, done.error_message) == ("done", None)
    assert deliveries > 2
    assert done.bot_id is not None
    assert len(moving.at_target(done.bot_id).chunks()) == 64 * 6


class RunningClock(FixedClock):
    """Two thirds of a minute later each time that it is looked at."""

    def __init__(self, clock: FixedClock) -> None:
        super().__init__(clock.now())

    def now(self) -> datetime:
        self.advance(timedelta(seconds=40))
        return super().now()
