"""Another try and reconciliation over HTTP."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest

from chatsphere.adapters.system import UuidV7Ids
from chatsphere.db.database import Database
from chatsphere.knowledge.ingestion.messages import ReconcileMessage
from tests.builders.running_api import Account, Answer, RunningApi, running_api
from tests.conftest import Tenant
from tests.fakes import FixedClock
from tests.integration.ingestion.pipeline import Pipeline, read_lines
from tests.integration.ingestion.test_redrive import refuse
from tests.postgres import DatabaseUrls


@dataclass
class Client:
    """One account with one bot, and its ingestion."""

    api: RunningApi
    account: Account
    pipeline: Pipeline

    def ask(self, method: str, path: str, body: Any = None, **named: Any) -> Answer:
        bot = self.pipeline.tenant.bot_id
        return self.api.request(method, f"/v1/bots/{bot}{path}", body, token=self.account.access_token, **named)


@pytest.fixture
def client(
    database_urls: DatabaseUrls, database: Database, reaper_database: Database, ids: UuidV7Ids
) -> Iterator[Client]:
    with running_api(database_urls, UPLOADS_BUCKET="uploads") as api:
        account = api.register()
        tenant = Tenant(UUID(account.organization_id), UUID(account.user_id), UUID(api.bot(account)["id"]))
        pipeline = Pipeline(tenant, database, reaper_database, ids, clock=FixedClock(api.clock.now()))
        vars(api.container).update(
            object_store=pipeline.objects,
            vector_store=pipeline.vectors,
            extract_queue=pipeline.extract_queue,
            reconcile_queue=pipeline.reconcile_queue,
            clock=pipeline.clock,
        )
        yield Client(api, account, pipeline)


def test_a_bot_is_reconciled_on_demand(client: Client) -> None:
    # Given an object of which nobody was told
    pipeline = client.pipeline
    pipeline.drop("a.txt", "A line.")
    pipeline.events.clear()
    # When
    asked = client.ask("POST", "/reconcile", {})
    # Then
    assert asked.status == 202, asked.text
    running = asked.json["reconciliation"]
    assert (running["status"], running["dry_run"], running["remaining"]) == ("running", False, None)
    pipeline.reconciler().run(ReconcileMessage.parse(pipeline.reconcile_queue.messages.popleft()))
    report = client.ask("GET", f"/reconciliations/{running['id']}").json
    assert (report["status"], report["found"], report["remaining"]) == ("succeeded", {"object_unregistered": 1}, {})
    assert report["examples"] == [
        {"difference": "object_unregistered", "subject": pipeline.key("a.txt"), "repaired": True}
    ]
    assert client.ask("GET", "/reconciliations").json["data"] == [report]
    pipeline.run()
    pipeline.assert_ready(["A line."])


def test_a_repeated_request_gets_the_same_reconciliation(client: Client) -> None:
    first = client.ask("POST", "/reconcile", {"dry_run": True}, headers={"Idempotency-Key": "k"})
    client.pipeline.reconciler().run(ReconcileMessage.parse(client.pipeline.reconcile_queue.messages.popleft()))
    again = client.ask("POST", "/reconcile", {"dry_run": True}, headers={"Idempotency-Key": "k"})
    assert (first.status, again.json) == (202, first.json)


def test_one_that_repairs_is_not_begun_beside_one_that_only_reports(client: Client) -> None:
    assert client.ask("POST", "/reconcile", {"dry_run": True}).status == 202
    refused = client.ask("POST", "/reconcile", {})
    assert (refused.status, refused.json["code"]) == (409, "reconciliation_running")


def test_failed_documents_are_processed_again_on_demand(client: Client) -> None:
    # Given
    pipeline = client.pipeline
    pipeline.read = refuse
    pipeline.drop("a.txt", "A line.")
    pipeline.run()
    pipeline.read = read_lines
    stranger = str(uuid4())
    # When, Then
    assert client.ask("POST", "/redrive", {}).json == {"redriven": 0, "skipped": [], "has_more": False}
    named = client.ask("POST", "/redrive", {"document_ids": [stranger]})
    assert named.json["skipped"] == [{"document_id": stranger, "reason": "not_failed", "error_code": None}]
    answer = client.ask("POST", "/redrive", {"error_codes": ["corrupt"]})
    assert (answer.status, answer.json["redriven"]) == (202, 1)
    pipeline.run()
    pipeline.assert_ready(["A line."])


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/reconcile", {"dry_run": "perhaps"}),
        ("/reconcile", {"dry": True}),
        ("/reconcile", None),
        ("/redrive", {"document_ids": ["x"]}),
        ("/redrive", {"document_ids": []}),
        ("/redrive", {"error_codes": [""]}),
        ("/redrive", {"error_codes": "corrupt"}),
        ("/redrive", {"all": True}),
    ],
)
def test_what_is_no_request_is_refused(client: Client, path: str, body: Any) -> None:
    answer = client.ask("POST", path, body)
    assert answer.status in (400, 422), answer.text
    assert not client.pipeline.reconcile_queue.messages


def test_an_archived_bot_is_not_redriven(client: Client) -> None:
    assert client.ask("POST", "/archive").status == 200
    answer = client.ask("POST", "/redrive", {})
    assert (answer.status, answer.json["code"]) == (409, "bot_archived")


def test_what_is_not_there_is_not_found(client: Client) -> None:
    for path in ("/reconciliations/" + str(uuid4()),):
        assert client.ask("GET", path).status == 404
    client.pipeline.tenant = Tenant(client.pipeline.tenant.organization_id, UUID(int=0), uuid4())
    for method, path in (("POST", "/reconcile"), ("POST", "/redrive"), ("GET", "/reconciliations")):
        assert client.ask(method, path, {} if method == "POST" else None).status == 404
