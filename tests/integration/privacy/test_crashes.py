"""The job is killed at every single step; whatever the step, what the reaper brings back ends the erasure."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from chatsphere.db.database import Database
from chatsphere.knowledge.ingestion.messages import ErasureMessage
from chatsphere.privacy.erasing import ErasureJob
from chatsphere.privacy.model import ERASURE_LEASE
from chatsphere.privacy.organization_erasing import OrganizationEraser
from chatsphere.privacy.part_erasing import PartEraser
from chatsphere.privacy.part_erasures import PartErasures
from chatsphere.privacy.person_erasing import PersonEraser
from chatsphere.privacy.whole_erasures import WholeErasures
from chatsphere.queue_batches import NotNowError
from tests.fakes import InMemoryObjectStore
from tests.integration.ingestion.pipeline import Pipeline, WorkerKilled
from tests.integration.ingestion.tripwire import Tripwire, Wired, WiredDatabase, crash_stride
from tests.integration.privacy.means import means_of

WHAT_THERE_IS = {
    "organization": {"organizations", "memberships", "documents", "chunks", "vectors", "objects"},
    "person": {"users", "memberships", "bot_members"},
}
STRIDE = crash_stride(24)
"""Each commit and each call is two steps, one before and one after it; 2 kills at every one of them."""

STORE_CALLS = frozenset({"delete", "delete_prefix", "count_versions", "delete_document", "delete_namespace", "count"})


def job(pipeline: Pipeline, eraser: Any, wire: Tripwire) -> ErasureJob:
    database: Any = WiredDatabase(pipeline.database, wire)
    eraser = WiredDatabase(eraser, wire)
    objects: Any = Wired(pipeline.objects, wire, STORE_CALLS)
    vectors: Any = Wired(pipeline.vectors, wire, STORE_CALLS)
    means = means_of(pipeline, database, eraser, objects, vectors, InMemoryObjectStore(pipeline.clock))
    organizations = OrganizationEraser(means, objects, vectors)
    wholes = WholeErasures(organizations, PersonEraser(eraser, means.archives), pipeline.clock)
    return ErasureJob(eraser, wholes, PartErasures(PartEraser(means), pipeline.clock), pipeline.clock)


def request(pipeline: Pipeline, admin: psycopg.Connection, kind: str) -> ErasureMessage:
    """An organization with a document, or a person who made a bot in another's, is to be deleted."""
    tenant = pipeline.tenant
    if kind == "organization":
        pipeline.drop("a.txt", "One.")
        pipeline.run()
    message = ErasureMessage(erasure_id=uuid4())
    values = {
        "id": message.erasure_id,
        "kind": kind,
        "subject": tenant.user_id if kind == "person" else tenant.organization_id,
        "organization": tenant.organization_id,
        "organizations": [tenant.organization_id] if kind == "organization" else [],
        "bot": tenant.bot_id,
        "user": tenant.user_id,
        "hash": uuid4().bytes,
        "now": pipeline.clock.now(),
    }
    for statement in (
        "UPDATE organizations SET status = 'deleting' WHERE id = ANY (%(organizations)s::uuid[])",
        "INSERT INTO bot_members (organization_id, bot_id, user_id, permission)"
        " VALUES (%(organization)s, %(bot)s, %(user)s, 'manage') ON CONFLICT DO NOTHING",
        "UPDATE users SET is_active = false WHERE id = %(user)s",
        "INSERT INTO erasures"
        " (id, kind, subject_id, organizations, requested_by, requested_at, receipt_hash, lease_expires_at)"
        " VALUES (%(id)s, %(kind)s, %(subject)s, %(organizations)s, %(user)s, %(now)s, %(hash)s, %(now)s)",
    ):
        admin.execute(statement, values)
    return message


def removed(admin: psycopg.Connection, message: ErasureMessage) -> dict[str, int]:
    row = admin.execute("SELECT status, receipt FROM erasures WHERE id = %s", (message.erasure_id,)).fetchone()
    assert row is not None
    assert row[0] == "done"
    assert set(row[1]["left"].values()) == {0}
    # The job's own steps are noted, too, until the log is deleted.
    return {store: number for store, number in row[1]["removed"].items() if store != "audit_log"}


@pytest.mark.parametrize("kind", ["organization", "person"])
def test_an_erasure_survives_a_kill_after_every_step(
    make_pipeline: Callable[[], Pipeline], eraser_database: Database, admin: psycopg.Connection, kind: str
) -> None:
    # Given an erasure that nobody disturbs
    pipeline, wire = make_pipeline(), Tripwire()
    message = request(pipeline, admin, kind)
    job(pipeline, eraser_database, wire).run(message)
    expected = removed(admin, message)
    assert expected.keys() >= WHAT_THERE_IS[kind]
    assert wire.passed > 12
    for fatal in range(2, wire.passed + 1, STRIDE):
        pipeline, wire = make_pipeline(), Tripwire()
        message = request(pipeline, admin, kind)
        erasures = job(pipeline, eraser_database, wire)
        # When
        wire.arm(fatal)
        with pytest.raises(WorkerKilled):
            erasures.run(message)
        # Then nobody else takes it up before its lease has expired
        row = admin.execute("SELECT status FROM erasures WHERE id = %s", (message.erasure_id,)).fetchone()
        if row == ("running",):
            with pytest.raises(NotNowError):
                erasures.run(message)
        # And then everything is as if nothing had happened
        pipeline.clock.advance(ERASURE_LEASE)
        erasures.run(message)
        assert removed(admin, message) == expected
        if kind == "organization":
            assert pipeline.objects.count_versions(f"{pipeline.tenant.organization_id}/") == 0
            assert pipeline.vectors.count(pipeline.namespace) == 0
        assert _rows(admin, message) == 0


def _rows(admin: psycopg.Connection, message: ErasureMessage) -> int:
    tables = ("organizations WHERE id", "memberships WHERE organization_id", "bots WHERE organization_id",
              "audit_log WHERE organization_id", "documents WHERE organization_id", "users WHERE id",
              "memberships WHERE user_id", "bots WHERE created_by")  # fmt: skip
    subject = "(SELECT subject_id FROM erasures WHERE id = %(erasure)s)"
    counted = " + ".join(f"(SELECT count(*) FROM {table} = {subject})" for table in tables)
    row = admin.execute(f"SELECT {counted}", {"erasure": message.erasure_id}).fetchone()
    return int(row[0]) if row else 0
