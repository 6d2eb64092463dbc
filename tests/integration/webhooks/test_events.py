"""What is told: each change that has a type, to whom asked for it, and nothing to anybody else."""

import json
from typing import Any

import psycopg
import pytest

from chatsphere.webhooks.event_types import EVENT_TYPES, EventType
from tests.builders.running_api import RunningApi
from tests.integration.webhooks.harness import Hooked, verified
from tests.loopback.webhook_receiver import Inbox, Receivers
from tests.postgres import DatabaseUrls

INSERT_DOCUMENT = """
    INSERT INTO documents (id, organization_id, bot_id, name, source, status, page_count, chunk_count)
    VALUES (app.uuid_v7(), app.current_organization(), %(bot_id)s, 'secret name.pdf', 'upload', 'embedding', 3, 7)
    RETURNING id
"""


def told(hooked: Hooked, inbox: Inbox) -> list[dict[str, Any]]:
    """Have everything delivered, and return the bodies."""
    hooked.deliver()
    return [json.loads(one.body) for one in inbox.received]


def document(hooked: Hooked) -> str:
    (row,) = hooked.execute(INSERT_DOCUMENT, {"bot_id": hooked.bot_id})
    return str(row["id"])


def set_document(hooked: Hooked, document_id: str, assignments: str) -> None:
    hooked.execute(f"UPDATE documents SET {assignments}, updated_at = now() WHERE id = %(id)s", {"id": document_id})


def ready(hooked: Hooked) -> None:
    set_document(hooked, document(hooked), "status = 'ready', stage = 'done', live_generation = 1")


def failed(hooked: Hooked) -> None:
    set_document(hooked, document(hooked), "status = 'failed', error_code = 'corrupt', retryable = false")


def trained(hooked: Hooked) -> None:
    hooked.execute(
        "INSERT INTO training_runs (id, organization_id, bot_id, kind, status, started_at) VALUES (app.uuid_v7(),"
        " app.current_organization(), %(bot_id)s, 'ingest', 'running', now())",
        {"bot_id": hooked.bot_id},
    )
    hooked.execute("UPDATE training_runs SET status = 'succeeded', finished_at = now()")


def started(hooked: Hooked) -> None:
    hooked.converse()


def ended(hooked: Hooked) -> None:
    hooked.execute("UPDATE conversations SET ended_at = now() WHERE id = %(id)s", {"id": hooked.converse()[0]})


def rated(hooked: Hooked) -> None:
    hooked.execute(
        "INSERT INTO conversation_feedback (id, organization_id, bot_id, conversation_id, message_id,"
        " message_created_at, end_user_id, rating, comment, created_at, updated_at) VALUES (app.uuid_v7(),"
        " app.current_organization(), %(bot_id)s, %(conversation_id)s, app.uuid_v7(), now(), 'secret user', 2,"
        " 'secret words', now(), now())",
        {"bot_id": hooked.bot_id, "conversation_id": hooked.converse()[0]},
    )


def use(hooked: Hooked, *, messages: int = 0, tokens: int = 0) -> None:
    """Count an answer as the application does."""
    hooked.execute(
        "INSERT INTO budget_periods AS p (organization_id, subject_id, period, messages, tokens)"
        " VALUES (app.current_organization(), app.current_organization(), '2026-03-01', %(messages)s, %(tokens)s)"
        " ON CONFLICT (organization_id, subject_id, period) DO UPDATE"
        " SET messages = p.messages + EXCLUDED.messages, tokens = p.tokens + EXCLUDED.tokens",
        {"messages": messages, "tokens": tokens},
    )


def quota(hooked: Hooked) -> None:
    use(hooked, messages=800)


def budget(hooked: Hooked) -> None:
    hooked.execute("UPDATE organizations SET monthly_budget_tokens = 1000")
    use(hooked, tokens=850)


def retained(hooked: Hooked) -> None:
    hooked.execute(
        "INSERT INTO retention_runs (id, organization_id, dry_run, status, as_of, step, started_at) VALUES"
        " (app.uuid_v7(), app.current_organization(), false, 'running', now(), 'list', now())"
    )
    hooked.execute("UPDATE retention_runs SET status = 'done', finished_at = now()")


def asked_for_a_test(hooked: Hooked) -> None:
    (webhook,) = hooked.request("GET", "/v1/webhooks").json["data"]
    assert hooked.request("POST", f"/v1/webhooks/{webhook['id']}/test").status == 202


HAPPENINGS = {
    EventType.DOCUMENT_READY: ready,
    EventType.DOCUMENT_FAILED: failed,
    EventType.BOT_TRAINED: trained,
    EventType.CONVERSATION_STARTED: started,
    EventType.CONVERSATION_ENDED: ended,
    EventType.FEEDBACK_RECEIVED: rated,
    EventType.QUOTA_THRESHOLD: quota,
    EventType.BUDGET_THRESHOLD: budget,
    EventType.RETENTION_RUN_DONE: retained,
    EventType.WEBHOOK_TEST: asked_for_a_test,
}
"""What makes each type happen; that an erasure is done, the eraser says: see below."""


@pytest.mark.parametrize("event_type", HAPPENINGS)
def test_each_type_is_told_with_the_fields_that_are_documented(
    hooked: Hooked, inbox: Inbox, event_type: EventType
) -> None:
    webhook = hooked.webhook(inbox, event_types=[event_type.value])
    HAPPENINGS[event_type](hooked)
    (body,) = told(hooked, inbox)
    assert verified(inbox.received[0], webhook["secret"]) == body
    (described,) = [one for one in EVENT_TYPES if one.type is event_type]
    assert body["type"] == event_type.value
    assert set(body) == set(described.example)
    assert set(body["data"]) == set(described.fields)
    assert body["data"]["organization_id"] == hooked.account.organization_id
    # Neither names nor words of people.
    assert "secret" not in inbox.received[0].body.decode()


def test_an_erasure_is_told_without_what_was_erased(hooked: Hooked, inbox: Inbox, database_urls: DatabaseUrls) -> None:
    hooked.webhook(inbox, event_types=["erasure.done"])
    with psycopg.connect(database_urls.admin, autocommit=True) as admin:
        for kind in ("end_user", "person"):
            tenant = hooked.organization_id if kind == "end_user" else None
            admin.execute(
                "INSERT INTO erasures (id, kind, tenant_id, subject_id, organizations, requested_by, requested_at,"
                " receipt_hash, lease_expires_at) VALUES (app.uuid_v7(), %s, %s, app.uuid_v7(), '{}', app.uuid_v7(),"
                " now(), uuid_send(gen_random_uuid()), now())",
                (kind, tenant),
            )
    with hooked.api.container.eraser_database.transaction(None) as connection:
        connection.execute("UPDATE erasures SET status = 'done', finished_at = now() WHERE status = 'pending'")
    (body,) = told(hooked, inbox)
    (described,) = [one for one in EVENT_TYPES if one.type is EventType.ERASURE_DONE]
    assert set(body["data"]) == set(described.fields)
    assert body["data"]["kind"] == "end_user"


def test_a_threshold_is_told_once_in_a_period_and_for_each_limit(hooked: Hooked, inbox: Inbox) -> None:
    hooked.webhook(inbox, event_types=["budget.threshold"])
    budget(hooked)
    use(hooked, tokens=50)
    use(hooked, tokens=200)
    use(hooked, tokens=1)
    hooked.execute("UPDATE organizations SET monthly_budget_tokens = 1300")
    use(hooked, tokens=1)
    # One that has to be sent again comes later: no order is promised.
    assert sorted((body["data"]["allowed"], body["data"]["percent"]) for body in told(hooked, inbox)) == [
        (1000, 80),
        (1000, 100),
        (1300, 80),
    ]


def test_a_keys_budget_is_told_with_the_key(hooked: Hooked, inbox: Inbox) -> None:
    hooked.webhook(inbox, event_types=["budget.threshold"])
    key = hooked.api.api_key(hooked.account, monthly_budget_microdollars=100)["id"]
    hooked.execute(
        "INSERT INTO budget_periods (organization_id, subject_id, period, cost_microdollars)"
        " VALUES (app.current_organization(), %(key)s, '2026-03-01', 99)",
        {"key": key},
    )
    (body,) = told(hooked, inbox)
    assert (body["data"]["api_key_id"], body["data"]["unit"], body["data"]["used"]) == (key, "microdollars", 99)


def test_only_who_asked_for_the_type_and_the_bot_is_told(
    hooked: Hooked, inbox: Inbox, receivers: Receivers, api: RunningApi
) -> None:
    other_bot = api.bot(hooked.account)["id"]
    of_one_bot, of_documents, disabled, strangers = (receivers.inbox() for _ in range(4))
    hooked.webhook(inbox)
    hooked.webhook(of_one_bot, bot_ids=[other_bot])
    hooked.webhook(of_documents, event_types=["document.ready"])
    hooked.webhook(disabled, is_enabled=False)
    Hooked.of(api).webhook(strangers)
    # When
    (first,) = hooked.converse()
    (second,) = hooked.converse(bot_id=other_bot)
    hooked.deliver()
    # Then
    assert [json.loads(one.body)["data"]["conversation_id"] for one in inbox.received] == [first, second]
    assert [json.loads(one.body)["data"]["conversation_id"] for one in of_one_bot.received] == [second]
    assert of_documents.received == disabled.received == strangers.received == []


def test_nothing_is_written_where_nobody_asked(hooked: Hooked, inbox: Inbox) -> None:
    hooked.converse()
    hooked.webhook(inbox, event_types=["document.ready"])
    hooked.converse()
    assert hooked.execute("SELECT id FROM webhook_events") == []
    assert hooked.api.webhooks_queue.sent == []


def test_what_is_rolled_back_is_not_told_and_wakes_nobody(hooked: Hooked, inbox: Inbox) -> None:
    hooked.webhook(inbox)
    database = hooked.api.container.database
    with pytest.raises(KeyError), database.transaction(hooked.organization_id) as connection:
        connection.execute(
            "INSERT INTO conversations (id, organization_id, bot_id) VALUES (app.uuid_v7(), %s, %s)",
            (hooked.organization_id, hooked.bot_id),
        )
        raise KeyError
    assert hooked.api.webhooks_queue.sent == []
    assert told(hooked, inbox) == []


def test_who_commits_in_a_pipeline_wakes_somebody_too(hooked: Hooked, inbox: Inbox) -> None:
    hooked.webhook(inbox)
    with hooked.api.container.database.transaction(hooked.organization_id, pipelined=True) as connection:
        connection.execute(
            "INSERT INTO conversations (id, organization_id, bot_id) VALUES (app.uuid_v7(), %s, %s)",
            (hooked.organization_id, hooked.bot_id),
        )
    message = {"organization_id": hooked.account.organization_id}
    assert hooked.api.webhooks_queue.sent == [(message, hooked.account.organization_id)]


def test_a_queue_that_does_not_answer_fails_no_work_and_loses_no_event(hooked: Hooked, inbox: Inbox) -> None:
    hooked.webhook(inbox)
    hooked.api.webhooks_queue.failures = 1
    hooked.converse()
    assert told(hooked, inbox) == []
    from functions.reap_stalled.handler import handler as reap

    reap({}, None)
    assert [body["type"] for body in told(hooked, inbox)] == ["conversation.started"]


def test_what_is_put_back_is_no_news(hooked: Hooked, inbox: Inbox) -> None:
    hooked.webhook(inbox)
    with hooked.api.container.database.transaction(hooked.organization_id) as connection:
        connection.execute("SELECT app.silence_webhooks()")
        connection.execute(
            "INSERT INTO conversations (id, organization_id, bot_id) VALUES (app.uuid_v7(), %s, %s)",
            (hooked.organization_id, hooked.bot_id),
        )
    (second,) = hooked.converse()
    assert [body["data"]["conversation_id"] for body in told(hooked, inbox)] == [second]
