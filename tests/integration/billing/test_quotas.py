"""Quotas where the thing is made, one at a time and many at once."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from chatsphere.access.permissions import BotLevel
from chatsphere.adapters.system import UuidV7Ids
from chatsphere.billing.quotas import Quota, require_room
from chatsphere.bots.author import Author
from chatsphere.bots.bots import create_bot
from chatsphere.bots.model import BotDraft
from chatsphere.db.database import Database
from chatsphere.errors import QuotaExceededError
from chatsphere.knowledge.ingestion.object_keys import ObjectKey
from chatsphere.knowledge.ingestion.submit import Submission
from tests.builders.running_api import RunningApi
from tests.conftest import Tenant
from tests.integration.billing.conftest import PutOnPlan
from tests.integration.ingestion.pipeline import Pipeline
from tests.postgres import DatabaseUrls
from tests.racing import race

NOW = datetime(2026, 1, 1, tzinfo=UTC)
RUNNERS = 12


@pytest.fixture
def pipeline(database: Database, database_urls: DatabaseUrls, ids: UuidV7Ids, tenant: Tenant) -> Iterator[Pipeline]:
    with closing(Database(database_urls.reaper)) as reaper:
        yield Pipeline(tenant, database, reaper, ids)


def rows(database: Database, tenant: Tenant, table: str) -> int:
    with database.transaction(tenant.organization_id) as connection:
        row = connection.execute(
            f"SELECT count(*) AS found FROM {table} WHERE organization_id = %s", (tenant.organization_id,)
        ).fetchone()
    assert row is not None
    return int(row["found"])


def file(pipeline: Pipeline, name: str, size: int) -> Submission:
    key = ObjectKey(pipeline.tenant.organization_id, pipeline.tenant.bot_id, name)
    return Submission(key, "upload", "text/plain", size)


def document(pipeline: Pipeline, name: str) -> dict[str, Any]:
    (found,) = [each for each in pipeline.documents() if each["name"] == name]
    return found


def add_bot(tenant: Tenant, ids: UuidV7Ids) -> Callable[[Database, int], UUID]:
    def add(database: Database, _: int) -> UUID:
        with database.transaction(tenant.organization_id, tenant.user_id) as connection:
            return create_bot(
                connection,
                BotDraft("Bot"),
                organization_id=tenant.organization_id,
                bot_id=ids.new(),
                author=Author(tenant.user_id, BotLevel.MANAGE, must_be_verified=False),
                now=NOW,
            ).id

    return add


def test_of_many_bots_at_once_exactly_those_pass_that_there_is_room_for(
    database: Database, database_urls: DatabaseUrls, tenant: Tenant, ids: UuidV7Ids, put_on_plan: PutOnPlan
) -> None:
    plan = put_on_plan(tenant.organization_id, max_bots=4)

    results = race(database_urls.app, RUNNERS, add_bot(tenant, ids))

    # One is there already.
    assert sum(isinstance(result, UUID) for result in results) == 3
    refused = [result for result in results if not isinstance(result, UUID)]
    assert {(type(error), error.detail) for error in refused} == {
        (QuotaExceededError, f"The plan {plan} permits 4 bots; 4 are in use.")
    }
    assert rows(database, tenant, "bots") == 4


def test_of_many_documents_at_once_exactly_those_pass_that_there_is_room_for(
    database: Database, database_urls: DatabaseUrls, pipeline: Pipeline, put_on_plan: PutOnPlan
) -> None:
    put_on_plan(pipeline.tenant.organization_id, max_documents_per_bot=5)

    def submit(own: Database, number: int) -> str:
        mine = Pipeline(pipeline.tenant, own, pipeline.reaper_database, pipeline.ids)
        submitted, _ = mine.submitter.permit_upload(file(pipeline, f"{number}.txt", 10))
        return submitted.outcome

    results = race(database_urls.app, RUNNERS, submit)

    assert results.count("created") == 5
    assert sum(isinstance(result, QuotaExceededError) for result in results) == RUNNERS - 5
    assert rows(database, pipeline.tenant, "documents") == 5


def test_of_many_bytes_at_once_exactly_those_pass_that_there_is_room_for(
    database: Database, database_urls: DatabaseUrls, pipeline: Pipeline, put_on_plan: PutOnPlan
) -> None:
    put_on_plan(pipeline.tenant.organization_id, max_bytes=1000)

    def submit(own: Database, number: int) -> str:
        mine = Pipeline(pipeline.tenant, own, pipeline.reaper_database, pipeline.ids)
        submitted, _ = mine.submitter.permit_upload(file(pipeline, f"{number}.txt", 300))
        return submitted.outcome

    results = race(database_urls.app, RUNNERS, submit)

    assert results.count("created") == 3
    assert sum(isinstance(result, QuotaExceededError) for result in results) == RUNNERS - 3


def test_of_many_members_at_once_exactly_those_pass_that_there_is_room_for(
    database: Database, database_urls: DatabaseUrls, tenant: Tenant, ids: UuidV7Ids, put_on_plan: PutOnPlan
) -> None:
    put_on_plan(tenant.organization_id, max_members=3)

    def join(own: Database, _: int) -> bool:
        person = ids.new()
        with own.transaction(tenant.organization_id, person) as connection:
            require_room(connection, Quota.MEMBERS)
            connection.execute(
                "INSERT INTO users (id, email, password_hash) VALUES (%s, %s, 'x')", (person, f"{person}@example.com")
            )
            connection.execute(
                "INSERT INTO memberships (organization_id, user_id, role) VALUES (%s, %s, 'viewer')",
                (tenant.organization_id, person),
            )
        return True

    results = race(database_urls.app, RUNNERS, join)

    assert results.count(True) == 2
    assert rows(database, tenant, "memberships") == 3


def test_a_plan_without_the_quota_is_unlimited(
    database_urls: DatabaseUrls, tenant: Tenant, ids: UuidV7Ids, put_on_plan: PutOnPlan
) -> None:
    put_on_plan(tenant.organization_id)

    results = race(database_urls.app, 6, add_bot(tenant, ids))

    assert all(isinstance(result, UUID) for result in results)


def test_the_api_answers_402_and_names_limit_and_use(api: RunningApi, put_on_plan: PutOnPlan) -> None:
    account = api.register()
    plan = put_on_plan(account.organization_id, max_bots=1)
    api.bot(account)

    answer = api.request("POST", "/v1/bots", {"name": "One too many"}, token=account.access_token)

    assert (answer.status, answer.code) == (402, "quota_exceeded")
    assert answer.json["detail"] == f"The plan {plan} permits 1 bots; 1 are in use."


def test_a_bot_that_was_deleted_makes_room(api: RunningApi, put_on_plan: PutOnPlan) -> None:
    account = api.register()
    put_on_plan(account.organization_id, max_bots=1)
    bot = api.bot(account)
    api.request("DELETE", f"/v1/bots/{bot['id']}", token=account.access_token)

    assert api.request("POST", "/v1/bots", {"name": "Next"}, token=account.access_token).status == 201


def test_after_a_smaller_plan_all_stays_and_no_more_is_made(api: RunningApi, put_on_plan: PutOnPlan) -> None:
    account = api.register()
    bots = [api.bot(account) for _ in range(3)]
    put_on_plan(account.organization_id, max_bots=1)

    assert api.request("POST", "/v1/bots", {"name": "More"}, token=account.access_token).status == 402
    listed = api.request("GET", "/v1/bots", token=account.access_token).json["data"]
    assert {bot["id"] for bot in listed} == {bot["id"] for bot in bots}
    renamed = api.request("PATCH", f"/v1/bots/{bots[0]['id']}", {"name": "Still mine"}, token=account.access_token)
    assert renamed.status == 200


# ------------------------------------------------------------------------------------------ documents and bytes


def test_replacing_a_document_takes_only_the_difference(pipeline: Pipeline, put_on_plan: PutOnPlan) -> None:
    put_on_plan(pipeline.tenant.organization_id, max_documents_per_bot=1, max_bytes=100)
    pipeline.drop("a.txt", "x" * 80)
    pipeline.run()

    replaced, _ = pipeline.submitter.permit_upload(file(pipeline, "a.txt", 100))

    assert replaced.outcome == "replaced"
    with pytest.raises(QuotaExceededError, match="permits 100 bytes"):
        pipeline.submitter.permit_upload(file(pipeline, "a.txt", 101))
    with pytest.raises(QuotaExceededError, match="permits 1 documents of a bot; 1 are in use"):
        pipeline.submitter.permit_upload(file(pipeline, "b.txt", 1))


def test_what_was_deleted_makes_room_again(pipeline: Pipeline, put_on_plan: PutOnPlan) -> None:
    put_on_plan(pipeline.tenant.organization_id, max_bytes=100)
    for _ in range(3):
        pipeline.drop("a.txt", "x" * 80)
        pipeline.run()
        assert document(pipeline, "a.txt")["status"] == "ready"
        pipeline.objects.remove(pipeline.key("a.txt"))
        pipeline.run()
        assert pipeline.documents() == []


def test_what_came_while_nothing_was_limited_counts_when_something_is(
    pipeline: Pipeline, put_on_plan: PutOnPlan
) -> None:
    organization = pipeline.tenant.organization_id
    put_on_plan(organization, max_bytes=100)
    pipeline.submitter.permit_upload(file(pipeline, "a.txt", 10))
    put_on_plan(organization)
    pipeline.submitter.permit_upload(file(pipeline, "b.txt", 70))
    put_on_plan(organization, max_bytes=100)

    with pytest.raises(QuotaExceededError, match="80 are in use"):
        pipeline.submitter.permit_upload(file(pipeline, "c.txt", 21))
    pipeline.submitter.permit_upload(file(pipeline, "c.txt", 20))


def test_a_text_is_counted_by_its_own_bytes(pipeline: Pipeline, put_on_plan: PutOnPlan) -> None:
    put_on_plan(pipeline.tenant.organization_id, max_bytes=10)
    text = "Grüße!!".encode()

    key = file(pipeline, "a.txt", 0).key
    pipeline.submitter.accept_text(Submission(key, "text", "text/plain", len(text)), text)

    second = file(pipeline, "b.txt", 0).key
    with pytest.raises(QuotaExceededError, match="9 are in use"):
        pipeline.submitter.accept_text(Submission(second, "text", "text/plain", 2), b"no")
    assert str(second) not in pipeline.objects.keys("")


def test_a_dropped_file_without_room_fails_and_can_be_sent_again_when_there_is(
    pipeline: Pipeline, put_on_plan: PutOnPlan
) -> None:
    put_on_plan(pipeline.tenant.organization_id, max_bytes=100)
    pipeline.drop("a.txt", "x" * 80)
    pipeline.drop("b.txt", "y" * 30)
    pipeline.run()

    failed = document(pipeline, "b.txt")
    assert (failed["status"], failed["error_code"], failed["retryable"]) == ("failed", "quota_exceeded", True)
    assert "permits 100 bytes of documents; 80 are in use" in failed["error_message"]
    assert document(pipeline, "a.txt")["status"] == "ready"
    assert not [key for key in pipeline.objects.keys("") if key.endswith("/b.txt")]

    put_on_plan(pipeline.tenant.organization_id, max_bytes=110)
    pipeline.drop("b.txt", "y" * 30)
    pipeline.run()

    assert document(pipeline, "b.txt")["status"] == "ready"


def test_a_refused_drop_takes_no_place(pipeline: Pipeline, put_on_plan: PutOnPlan) -> None:
    put_on_plan(pipeline.tenant.organization_id, max_documents_per_bot=2, max_bytes=100)
    for name in ("big1.txt", "big2.txt", "big3.txt"):
        pipeline.drop(name, "x" * 200)
    pipeline.run()

    pipeline.submitter.permit_upload(file(pipeline, "a.txt", 50))
    pipeline.submitter.permit_upload(file(pipeline, "b.txt", 50))


def test_the_same_event_again_needs_no_room(pipeline: Pipeline, put_on_plan: PutOnPlan) -> None:
    pipeline.drop("a.txt", "x" * 80)
    event = pipeline.events[0]
    pipeline.run()
    put_on_plan(pipeline.tenant.organization_id, max_documents_per_bot=0, max_bytes=10)

    assert pipeline.deliver(pipeline.register, event)

    assert document(pipeline, "a.txt")["status"] == "ready"


def test_another_tenants_use_does_not_count(
    database_urls: DatabaseUrls, make_tenant: Callable[[], Tenant], ids: UuidV7Ids, put_on_plan: PutOnPlan
) -> None:
    crowded, empty = make_tenant(), make_tenant()
    put_on_plan(crowded.organization_id)
    put_on_plan(empty.organization_id, max_bots=2)
    race(database_urls.app, 3, add_bot(crowded, ids))

    (made,) = race(database_urls.app, 1, add_bot(empty, ids))

    assert isinstance(made, UUID)
