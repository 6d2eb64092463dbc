"""Erasures of parts are killed at step after step; the end is as if nothing had happened."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from chatsphere.archive.model import WRITE_LEASE
from chatsphere.db.database import Database
from chatsphere.privacy.model import ERASURE_LEASE
from chatsphere.privacy.requesting import Requested
from chatsphere.queue_batches import NotNowError
from tests.integration.ingestion.pipeline import Pipeline, WorkerKilled
from tests.integration.ingestion.tripwire import Tripwire, Wired, WiredDatabase, crash_stride
from tests.integration.privacy.means import means_of
from tests.integration.privacy.planted import Planted

STORE_CALLS = frozenset(
    {
        "put_file", "delete", "delete_prefix", "delete_versions", "count_versions", "delete_conversation",
        "delete_end_user", "delete_namespace", "delete_document", "count",
    }
)  # fmt: skip

STRIDE = crash_stride(64)
"""Each commit and each call is two steps, one before and one after it; 2 kills at every one of them."""

Make = Callable[[str], Planted]


@pytest.fixture
def make(make_pipeline: Callable[[], Pipeline], eraser_database: Database, admin: psycopg.Connection) -> Make:
    """Return a function that makes an organization in which there is something to erase of every kind."""

    def make(kind: str) -> Planted:
        planted = Planted(make_pipeline(), eraser_database, admin)
        word = planted.word
        # What an end user says stays when a document goes, and the other way round.
        person, text = ("ada" if kind == "document" else word), ("It says so." if kind == "end_user" else f"So {word}.")
        document = planted.add_document(f"{text}txt", text)
        for _ in range(2):
            answer = planted.ask(f"Who is {person}?", text, document, f"{text}txt", user=person)
            planted.rate(answer, person, person)
        planted.archive_conversation(answer["conversation_id"])
        planted.archive_audit_log()
        planted.put_elsewhere(about_documents=kind != "end_user")
        planted.document_id = document
        return planted

    return make


def request(planted: Planted, kind: str) -> Requested:
    subjects: dict[str, dict[str, Any]] = {
        "end_user": {"end_user_id": planted.word},
        "document": {"document_id": planted.document_id},
        "bot": {},
    }
    subject = subjects[kind]
    return planted.request(kind, **subject)


def wired_run(planted: Planted, wire: Tripwire) -> Callable[[Requested], None]:
    """Return what runs the job with a tripwire around every store."""
    p = planted.pipeline
    database: Any = WiredDatabase(p.database, wire)
    eraser: Any = WiredDatabase(planted.eraser_database, wire)
    objects, vectors, archive = (Wired(each, wire, STORE_CALLS) for each in (p.objects, p.vectors, planted.archive))
    means = means_of(p, database, eraser, objects, vectors, archive, Wired(p.messages, wire, STORE_CALLS))
    return lambda requested: planted.run(requested, planted.job(means, eraser, objects))


@pytest.mark.parametrize("kind", ["end_user", "document", "bot"])
def test_an_erasure_of_a_part_survives_kills_at_all_steps(make: Make, kind: str) -> None:
    # Given one that nobody disturbs
    calm, wire = make(kind), Tripwire()
    expected = request(calm, kind)
    wired_run(calm, wire)(expected)
    assert wire.passed > 60
    # When another one is killed a step later each time
    planted = make(kind)
    requested, kills = request(planted, kind), 0
    while planted.row(requested)["status"] != "done":
        wire = Tripwire()
        wire.arm(2 + STRIDE * kills)
        with pytest.raises(WorkerKilled):
            wired_run(planted, wire)(requested)
            raise WorkerKilled
        kills += 1
        if planted.row(requested)["status"] != "done":
            # Then nobody else takes it up before its lease has expired
            with pytest.raises(NotNowError):
                planted.run(requested)
            planted.pipeline.clock.advance(max(ERASURE_LEASE, WRITE_LEASE))
    # And the receipts are the same, and nothing is left but what the last look needs
    assert kills >= 4
    first, second = (each.row(erasure)["receipt"] for each, erasure in ((calm, expected), (planted, requested)))
    del first["checked_at"], second["checked_at"]
    # What a killed writer left in the archive's bucket is counted with what it was to rewrite.
    assert second["removed"].pop("archived_rows", 0) >= first["removed"].pop("archived_rows", 0)
    assert second == first
    assert planted.where() <= {"erasures"}
