"""What is under way for somebody who is being erased writes nothing, or is found."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from chatsphere.archive.model import WRITE_LEASE
from chatsphere.chat import under_way, under_way_queries
from chatsphere.chat.draft import Draft
from chatsphere.chat.keeping import AnswerInterruptedError, holding, keep_turn, write_turn
from chatsphere.db.database import Database
from chatsphere.errors import EndUserErasedError, LegalHoldError, NotFoundError, UnavailableError
from chatsphere.privacy.model import ERASURE_LEASE, HELD_AGAIN, KEPT_OUT, LATE_WRITES_END, Part
from chatsphere.privacy.parts.archived_answers import ArchivedAnswers
from chatsphere.queue_batches import NotNowError
from tests.fakes import InMemoryObjectStore
from tests.integration.ingestion.pipeline import Pipeline, WorkerKilled
from tests.integration.privacy.planted import Planted
from tests.postgres import DatabaseUrls
from tests.unit.privacy.test_archived_files import TwoSteps
from tests.waiting import wait_for

WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


@pytest.fixture
def planted(make_pipeline: Callable[[], Pipeline], eraser_database: Database, admin: psycopg.Connection) -> Planted:
    return Planted(make_pipeline(), eraser_database, admin)


def test_an_answer_that_is_being_written_is_not_kept(planted: Planted) -> None:
    # Given
    turn = planted.begin_answer("ada", f"Who is {planted.word}?")
    # When
    requested = planted.request("end_user", end_user_id="ada")
    planted.run(requested)
    # Then
    with pytest.raises((AnswerInterruptedError, NotFoundError)):
        keep_turn(turn, Draft(text=planted.word), {}, planted.services)
    assert planted.row(requested)["receipt"]["removed"]["answers_under_way"] == 1
    assert planted.where() == set()


def test_an_answer_that_begins_too_late_is_not_begun_or_kept(planted: Planted) -> None:
    # Given one whose beginning is committed only after the job has looked
    turn = planted.begin_answer("ada", f"Who is {planted.word}?")
    with planted.acting() as connection:
        connection.execute("DELETE FROM answers_under_way")
    requested = planted.request("end_user", end_user_id="ada")
    # Then nobody begins another
    with pytest.raises(EndUserErasedError):
        planted.begin_answer("ada", "Am I there?")
    planted.begin_answer("grace", "Am I there?")
    # And what got past that question is not noted, nor kept
    planted.run(requested)
    with planted.acting() as connection:
        under_way.begin(connection, turn)
        found = connection.execute("SELECT turn ->> 'end_user_id' AS who FROM answers_under_way").fetchall()
        with pytest.raises(Exception, match="deleted"):
            holding(connection, turn, planted.pipeline.clock.now())()
    assert found == [{"who": "grace"}]
    assert planted.where() == set()
    # And some minutes after the receipt they may come back, and the last look lets them be
    planted.pipeline.clock.advance(KEPT_OUT)
    answer = planted.ask("Am I back?", "Yes.", user="ada")
    planted.pipeline.clock.advance(LATE_WRITES_END)
    planted.run(requested)
    row = planted.row(requested)
    assert (row["receipt"]["late"], row["end_user_id"], row["recheck_at"]) == ({}, None, None)
    with planted.acting() as connection:
        (kept,) = connection.execute("SELECT id FROM conversations").fetchall()
    assert str(kept["id"]) == answer["conversation_id"]
    (memory,) = planted.pipeline.messages.records
    assert planted.pipeline.messages.count(memory, UUID(answer["conversation_id"])) == 2


def test_an_answer_that_is_kept_at_the_same_time_is_waited_for_and_erased(
    planted: Planted, database_urls: DatabaseUrls
) -> None:
    # Given a keeping that has not committed yet
    turn = planted.begin_answer("ada", f"Who is {planted.word}?")
    requested = planted.request("end_user", end_user_id="ada")
    with planted.acting() as connection:
        # It had begun before the request: its row was not kept out.
        connection.execute("DELETE FROM erased_end_users")
    other, now = Database(database_urls.app), planted.pipeline.clock.now()
    with ThreadPoolExecutor(1) as pool:
        with other.transaction(planted.tenant.organization_id) as connection:
            connection.execute(under_way_queries.END, {"message_id": turn.answer_id})
            holding(connection, turn, now)()
            write_turn(connection, turn, Draft(text=planted.word), {}, planted.pipeline.ids, now)
            # When
            erasing = pool.submit(planted.run, requested)
            wait_for(lambda: _waiting(planted.admin) or erasing.done(), what="the erasure to wait")
            assert not erasing.done()
        # Then
        erasing.result(timeout=60)
    other.close()
    assert planted.row(requested)["receipt"]["removed"]["conversations"] == 1
    assert planted.where() == set()


def test_a_documents_erasure_waits_for_answers_that_may_quote_it(planted: Planted) -> None:
    # Given
    document = planted.add_document("a.txt", f"It says {planted.word}.")
    turn = planted.begin_answer("ada", "What does it say?")
    requested = planted.request("document", document_id=document)
    # When
    with pytest.raises(NotNowError):
        planted.run(requested)
    with planted.acting() as connection:
        connection.execute("DELETE FROM answers_under_way WHERE message_id = %s", (turn.answer_id,))
    planted.run(requested)
    # Then
    assert planted.row(requested)["status"] == "done"
    assert planted.where() == set()


def test_a_hold_that_comes_after_the_request_is_waited_for(planted: Planted) -> None:
    # Given
    planted.ask(f"I am {planted.word}", "Hello.", user=planted.word)
    requested = planted.request("end_user", end_user_id=planted.word)
    planted.hold(planted.word)
    # When
    planted.run(requested)
    # Then it waits, and who is not erased for now may ask
    assert planted.row(requested)["status"] == "held"
    planted.ask(f"I am still {planted.word}", "Hello.", user=planted.word)
    with pytest.raises(LegalHoldError):
        planted.request("end_user", end_user_id=planted.word)
    # And goes on when the hold is released
    planted.release()
    planted.run(requested)
    assert planted.row(requested)["status"] == "held"
    planted.pipeline.clock.advance(HELD_AGAIN)
    planted.run(requested)
    assert planted.row(requested)["receipt"]["removed"]["conversations"] == 2
    planted.pipeline.clock.advance(LATE_WRITES_END)
    planted.run(requested)
    assert planted.where() == set()


def test_a_held_conversation_that_quotes_a_document_is_not_rewritten(planted: Planted) -> None:
    # Given
    document = planted.add_document("a.txt", f"It says {planted.word}.")
    planted.ask("What does it say?", f"It says {planted.word}.", document, "a.txt", user="ada")
    requested = planted.request("document", document_id=document)
    planted.hold("ada")
    # When, Then
    planted.run(requested)
    assert planted.row(requested)["status"] == "held"
    assert planted.where() >= {"messages"}
    planted.release()
    planted.pipeline.clock.advance(HELD_AGAIN)
    planted.run(requested)
    assert planted.row(requested)["status"] == "done"
    assert planted.where() == set()


def test_of_two_erasures_of_a_bot_at_once_each_tells_the_same(planted: Planted) -> None:
    # Given one that finds everything gone when it looks again, for another one ended just then
    planted.add_document("a.txt", "It says so.")
    first, second = planted.request("bot"), planted.request("bot")
    store = Overtaken(planted.pipeline.objects, lambda: planted.run(second))
    means: Any = replace(planted.means, purger=replace(planted.means.purger, objects=store))
    # When
    planted.run(first, planted.job(means))
    # Then
    receipts = [planted.row(each)["receipt"] for each in (first, second)]
    assert [(one["removed"]["bots"], one["removed"]["documents"]) for one in receipts] == [(1, 1)] * 2


def test_a_former_version_that_a_dead_writer_left_in_the_archive_is_no_longer_there(planted: Planted) -> None:
    # Given an erasure that was killed when what quoted the document was written anew, and the former version is there
    document = planted.add_document("a.txt", f"It says {planted.word}.")
    quoted = planted.ask("What does it say?", f"It says {planted.word}.", document, "a.txt")
    planted.archive_conversation(quoted["conversation_id"])
    requested = planted.request("document", document_id=document)
    means: Any = planted.means
    means = replace(means, archives=replace(means.archives, store=Deathly(planted.archive)))
    with pytest.raises(WorkerKilled):
        planted.run(requested, planted.job(means))
    # When somebody goes on while the dead one's place is not free yet
    planted.pipeline.clock.advance(ERASURE_LEASE)
    with pytest.raises(UnavailableError):
        planted.run(requested)
    assert planted.where() >= {"archive"}
    # Then there is no receipt before it is gone
    planted.pipeline.clock.advance(WRITE_LEASE)
    planted.run(requested)
    assert planted.where() == set()


def test_more_archived_files_than_one_try_can_read_are_read_in_several(planted: Planted) -> None:
    # Given four months of answers that quote a document
    document = planted.add_document("a.txt", f"It says {planted.word}.")
    for _ in range(4):
        quoted = planted.ask("What does it say?", f"It says {planted.word}.", document, "a.txt")
        planted.archive_conversation(quoted["conversation_id"])
        planted.pipeline.clock.advance(timedelta(days=31))
    t, steps, tries = planted.tenant, TwoSteps(), 1
    part = Part("document", t.organization_id, t.bot_id, planted.pipeline.clock.now(), document_id=document)
    # When each try ends after two files
    place = ArchivedAnswers(planted.pipeline.database, planted.means.archives)
    while not erased(place, part, steps):
        tries += 1
        assert tries < 10
    # Then
    assert "archive" not in planted.where()


def erased(place: ArchivedAnswers, part: Part, steps: TwoSteps) -> bool:
    try:
        place.erase(part, steps)
    except NotNowError:
        return False
    return True


@dataclass
class Deathly:
    """A bucket; who deletes versions in it dies."""

    objects: InMemoryObjectStore

    def delete_versions(self, *_: Any) -> int:
        raise WorkerKilled

    def __getattr__(self, name: str) -> Any:
        return getattr(self.objects, name)


@dataclass
class Overtaken:
    """A bucket; what is done meanwhile is done once, when it is found to be empty."""

    objects: InMemoryObjectStore
    meanwhile: Callable[[], None] | None

    def count_versions(self, prefix: str) -> int:
        found = self.objects.count_versions(prefix)
        if not found and self.meanwhile:
            work, self.meanwhile = self.meanwhile, None
            work()
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self.objects, name)


def _waiting(admin: psycopg.Connection) -> bool:
    row = admin.execute(WAITING).fetchone()
    return bool(row and row[0])
