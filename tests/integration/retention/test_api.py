"""Policies and runs over HTTP, and what the daily job begins."""

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from chatsphere.db.database import Database
from chatsphere.job_reviving import JobReviver
from chatsphere.retention.daily import DailyRetention
from chatsphere.retention.policy import MOST_DAYS
from chatsphere.retention.pruning import VERSIONS, Pruner
from chatsphere.retention.reviving import STALLED_RETENTION
from chatsphere.retention.runs import LEASE
from functions.run_jobs.handler import handler
from tests.builders.running_api import Account, RunningApi
from tests.fakes import InMemoryQueue
from tests.integration.retention.policy_model import SEED_004
from tests.integration.retention.test_holds import conversation_of
from tests.postgres import DatabaseUrls

Ask = Callable[..., Any]


def fields(policy: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: policy[name] for name in SEED_004}


def test_the_default_applies_until_somebody_decides_and_a_bot_names_only_what_differs(
    api: RunningApi, owner: Account, ask: Ask
) -> None:
    bot = api.bot(owner)["id"]
    path, of_bot = "/v1/retention/policy", f"/v1/bots/{bot}/retention-policy"
    # Given nothing
    assert (fields(ask("GET", path)), ask("GET", path)["named"]) == (SEED_004, [])
    # When the organization decides, and the bot differs
    decided = ask("PUT", path, {"message_days": None, "message_action": "delete"})
    differs = ask("PUT", of_bot, {"message_days": 7})
    # Then
    assert fields(decided) == {**SEED_004, "message_days": None, "message_action": "delete"}
    assert fields(differs) == {**SEED_004, "message_days": 7, "message_action": "delete"}
    assert (decided["named"], differs["named"]) == (["message_action", "message_days"], ["message_days"])
    assert ask("GET", of_bot) == differs
    # And what is not named any more goes by the default again
    assert fields(ask("PUT", path, {})) == SEED_004
    assert ask("DELETE", of_bot) is None
    assert fields(ask("GET", of_bot)) == SEED_004
    assert ask("DELETE", of_bot) == (404, "not_found")


@pytest.mark.parametrize(
    "body",
    [
        {"message_days": 0},
        {"archive_days": -1},
        {"error_log_days": MOST_DAYS + 1},
        {"message_action": "keep"},
        {"message_action": None},
        {"messages": 3},
        {"document_days": 1.5},
        {"message_days": True},
        {"message_days": "30"},
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(ask: Ask, body: dict[str, Any]) -> None:
    assert ask("PUT", "/v1/retention/policy", body)[0] == 422


def test_a_bot_differs_in_something(api: RunningApi, owner: Account, ask: Ask) -> None:
    assert ask("PUT", f"/v1/bots/{api.bot(owner)['id']}/retention-policy", {})[0] == 422


def test_a_run_is_asked_for_worked_off_and_read(api: RunningApi, owner: Account, ask: Ask) -> None:
    # Given an old conversation
    bot = api.bot(owner)["id"]
    conversation = conversation_of(api, owner, bot, days_ago=91)
    # When
    dry = ask("POST", "/v1/retention/runs", {"dry_run": True})["run"]
    assert ask("POST", "/v1/retention/runs", {"dry_run": True}) == (409, "retention_running")
    work(api)
    run = ask("POST", "/v1/retention/runs", {"bot_id": bot})["run"]
    work(api)
    # Then
    dry, run = (ask("GET", f"/v1/retention/runs/{each['id']}") for each in (dry, run))
    assert (dry["status"], run["status"], run["requested_by"]) == ("done", "done", owner.user_id)
    assert (dry["report"]["removed"], run["report"]["removed"]) == ({}, {"conversations": 1})
    assert dry["report"]["estimate"] == run["report"]["estimate"]
    assert run["report"]["estimate"]["put_requests"] == 2
    assert run["report"]["archived_files"] == 1
    items = [ask("GET", f"/v1/retention/runs/{each['id']}/items")["data"] for each in (dry, run)]
    assert [item | {"status": "listed"} for item in items[1]] == items[0]
    assert (items[1][0]["conversation_id"], items[1][0]["status"]) == (conversation, "done")
    assert ask("GET", f"/v1/retention/runs/{run['id']}/items", kind="document")["data"] == []
    assert ask("GET", f"/v1/conversations/{conversation}") == (404, "not_found")
    assert [each["id"] for each in ask("GET", "/v1/retention/runs", dry_run="false")["data"]] == [run["id"]]
    assert "retention_run.finished" in [each["action"] for each in ask("GET", "/v1/audit-log")["data"]]
    assert ask("GET", f"/v1/retention/runs/{uuid4()}") == (404, "not_found")
    assert ask("POST", "/v1/retention/runs", {"bot_id": str(uuid4())}) == (404, "not_found")


def test_a_key_for_some_bots_decides_nothing_about_all(api: RunningApi, owner: Account) -> None:
    scopes = ["retention:read", "retention:write"]
    key = api.api_key(owner, scopes=scopes, bot_ids=[api.bot(owner)["id"]])["key"]
    for path in ("/v1/retention/policy", "/v1/retention/runs", "/v1/legal-holds"):
        assert api.request("GET", path, token=key).status == 403


def test_each_day_every_tenants_run_is_begun_once(api: RunningApi, owner: Account, database_urls: DatabaseUrls) -> None:
    maintainer, queue = Database(database_urls.maintainer), InMemoryQueue()
    c = api.container
    daily = DailyRetention(maintainer, c.database, queue, api.clock, c.ids)

    def mine() -> int:
        queue.messages.clear()
        daily.begin(api.clock.now() + timedelta(hours=1))
        return sum(message["organization_id"] == owner.organization_id for message in queue.messages)

    # When
    begun = [mine(), mine()]
    run = {"organization_id": owner.organization_id, "retention_run_id": running(api, owner)}
    # Then the second finds it under way, and the reaper brings it back when nobody is at it
    assert begun == [1, 0]
    api.clock.advance(minutes=LEASE.total_seconds() / 60 + 1)
    JobReviver(c.reaper_database, queue, api.clock, STALLED_RETENTION).revive()
    assert run in queue.messages
    deliver(run)
    assert mine() == 0
    api.clock.advance(hours=21)
    assert mine() == 1
    maintainer.close()


def test_what_nobody_is_asked_about_is_pruned(api: RunningApi, owner: Account, database_urls: DatabaseUrls) -> None:
    # Given a bot of more versions than are kept, and an answer that nobody asks for again
    bot, now = api.bot(owner)["id"], api.clock.now()
    with psycopg.connect(database_urls.admin) as admin:
        admin.execute(
            "INSERT INTO bot_versions (organization_id, bot_id, version, configuration, created_at)"
            " SELECT %s, %s, n, '{}', %s FROM generate_series(2, %s) n",
            (owner.organization_id, bot, now, VERSIONS + 5),
        )
        admin.execute("UPDATE bots SET version = %s WHERE id = %s", (VERSIONS + 5, bot))
        admin.execute("INSERT INTO stripe_events VALUES (%s, %s)", (f"evt_{uuid4()}", now - timedelta(days=91)))
        for age, state in ((91, "old"), (89, "young")):
            admin.execute(
                "INSERT INTO invitations (id, organization_id, email, role, created_at, expires_at)"
                " VALUES (%s, %s, %s, 'viewer', %s, %s)",
                (uuid4(), owner.organization_id, f"{state}@example.com", now, now - timedelta(days=age)),
            )
        for months in (14, 1):
            admin.execute(
                "INSERT INTO budget_periods (organization_id, subject_id, period) VALUES (%s, %s, %s)",
                (owner.organization_id, owner.organization_id, now - timedelta(days=30 * months)),
            )
        # And a person whose sessions have ended but for the present one
        admin.execute(
            "INSERT INTO sessions (id, organization_id, user_id, address, created_at, last_used_at, expires_at)"
            " SELECT gen_random_uuid(), organization_id, user_id, '192.0.2.1', created_at, created_at, %s"
            " FROM sessions WHERE user_id = %s",
            (now - timedelta(days=2), owner.user_id),
        )
        admin.execute(
            "INSERT INTO refresh_tokens (id, family_id, organization_id, user_id, secret_hash, created_at, expires_at)"
            " SELECT gen_random_uuid(), family_id, organization_id, user_id, secret_hash, created_at, %s"
            " FROM refresh_tokens WHERE user_id = %s",
            (now - timedelta(days=2), owner.user_id),
        )
    maintainer = Database(database_urls.maintainer)
    # When
    pruned = Pruner(maintainer, api.clock).prune(now + timedelta(hours=1))
    # Then
    assert (pruned["bot_versions"], pruned["stripe_events"]) == (5, 1)
    left = {
        "SELECT email FROM invitations WHERE organization_id = %(organization)s": [("young@example.com",)],
        "SELECT count(*) FROM budget_periods WHERE organization_id = %(organization)s": [(1,)],
        "SELECT count(*), count(*) FILTER (WHERE expires_at > now()) FROM sessions WHERE user_id = %(user)s": [(1, 1)],
        "SELECT count(*), count(*) FILTER (WHERE expires_at > now()) FROM refresh_tokens WHERE user_id = %(user)s": [
            (1, 1)
        ],
        "SELECT count(*) FROM audit_log WHERE organization_id = %(organization)s AND action = 'invitation.deleted'": [
            (0,)
        ],
    }
    names = {"organization": owner.organization_id, "user": owner.user_id}
    with psycopg.connect(database_urls.admin) as admin:
        assert {query: admin.execute(query.encode(), names).fetchall() for query in left} == left
    assert api.request("GET", "/v1/me", token=owner.access_token).status == 200
    assert Pruner(maintainer, api.clock).prune(now + timedelta(hours=1)).get("bot_versions") is None
    maintainer.close()


def running(api: RunningApi, owner: Account) -> str:
    with api.container.database.transaction(UUID(owner.organization_id)) as connection:
        row = connection.execute("SELECT id FROM retention_runs WHERE status = 'running'").fetchone()
    assert row is not None
    return str(row["id"])


def work(api: RunningApi) -> None:
    """Work off the jobs queue with the real function."""
    messages = [message for message, _ in api.jobs_queue.sent]
    api.jobs_queue.sent.clear()
    for message in messages:
        deliver(message)


def deliver(message: Mapping[str, Any]) -> None:
    record = {"messageId": "1", "body": json.dumps(message), "attributes": {}, "messageAttributes": {}}
    assert handler({"Records": [record]}, None) == {"batchItemFailures": []}
