"""From a change to a receiver: signatures, retries, and what each kind of answer leads to."""

import socket
from collections.abc import Callable
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler

import pytest
from standardwebhooks.webhooks import WebhookVerificationError

from chatsphere.webhooks import attempts
from chatsphere.webhooks.endpoints import MOST_FORMER
from chatsphere.webhooks.schedule import JITTER, WAITS
from tests.builders.running_api import RunningApi
from tests.integration.webhooks.harness import Hooked, run, verified
from tests.loopback.webhook_receiver import Inbox, Receivers


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "SECONDS", 0.3)


def now_of(hooked: Hooked) -> datetime:
    # Signatures are read by a library that knows only the machine's clock.
    return hooked.api.clock.now()


def test_an_event_arrives_signed_and_once(hooked: Hooked, inbox: Inbox) -> None:
    webhook = hooked.webhook(inbox)
    # When
    (conversation_id,) = hooked.converse()
    assert hooked.deliver() == []
    # Then
    (received,) = inbox.received
    body = verified(received, webhook["secret"])
    assert body == {
        "type": "conversation.started",
        "version": 1,
        "timestamp": now_of(hooked).isoformat().replace("+00:00", "Z"),
        "data": {
            "organization_id": hooked.account.organization_id,
            "bot_id": hooked.bot_id,
            "channel": "api",
            "conversation_id": conversation_id,
        },
    }
    assert received.headers["content-type"] == "application/json"
    (delivery,) = hooked.deliveries(webhook)
    assert (delivery["event_id"], delivery["status"], delivery["attempts"]) == (received.event_id, "succeeded", 1)
    assert (delivery["last_status"], delivery["sequence"], delivery["last_error"]) == (204, 1, None)
    with pytest.raises(WebhookVerificationError):
        verified(type(received)(received.headers, received.body + b" "), webhook["secret"])


def test_while_secrets_overlap_both_sign_and_then_the_new_one_alone(hooked: Hooked, inbox: Inbox) -> None:
    former = hooked.webhook(inbox)
    answer = hooked.request("POST", f"/v1/webhooks/{former['id']}/rotate-secret", {"overlap_seconds": 60})
    rotated = answer.json
    assert rotated["former_secret_expires_at"] is not None
    hooked.converse()
    hooked.deliver()
    hooked.api.clock.advance(seconds=61)
    hooked.converse()
    hooked.deliver()

    both, alone = inbox.received
    assert verified(both, former["secret"]) == verified(both, rotated["secret"])
    assert verified(alone, rotated["secret"])
    with pytest.raises(WebhookVerificationError):
        verified(alone, former["secret"])
    assert hooked.shown(former)["former_secret_expires_at"] is None


def test_who_rotates_twice_cuts_nobody_off_but_on_purpose(hooked: Hooked, inbox: Inbox) -> None:
    first = hooked.webhook(inbox)
    path = f"/v1/webhooks/{first['id']}/rotate-secret"
    # Given a rotation whose answer was lost, and one after it with a shorter overlap
    lost = hooked.request("POST", path, {"overlap_seconds": 60}).json
    last = hooked.request("POST", path, {"overlap_seconds": 5}).json
    assert last["former_secret_expires_at"] == lost["former_secret_expires_at"]
    hooked.converse()
    hooked.deliver()
    (received,) = inbox.received
    assert (
        verified(received, first["secret"]) == verified(received, lost["secret"]) == verified(received, last["secret"])
    )
    # Without an overlap, none of before signs
    leaked = hooked.request("POST", path, {"overlap_seconds": 0}).json
    hooked.converse()
    hooked.deliver()
    assert verified(inbox.received[1], leaked["secret"])
    assert inbox.received[1].headers["webhook-signature"].count("v1,") == 1
    # And however often it is done, a request carries few
    for _ in range(6):
        hooked.request("POST", path, {})
    hooked.converse()
    hooked.deliver()
    assert inbox.received[2].headers["webhook-signature"].count("v1,") == 1 + MOST_FORMER


def test_what_fails_is_tried_again_on_schedule_and_in_the_end_given_up(hooked: Hooked, inbox: Inbox) -> None:
    webhook = hooked.webhook(inbox)
    inbox.statuses = [500] * 20
    hooked.converse()
    hooked.deliver()
    for failures, wait in enumerate(WAITS, 1):
        (delivery,) = hooked.deliveries(webhook)
        assert (delivery["status"], delivery["attempts"], delivery["last_error"]) == ("pending", failures, "status")
        again = datetime.fromisoformat(delivery["next_attempt_at"])
        assert now_of(hooked) + wait <= again <= now_of(hooked) + wait * (1 + JITTER)
        # A little before it is time nothing happens.
        hooked.api.clock.moment = again - timedelta(seconds=1)
        run({"organization_id": hooked.account.organization_id})
        assert len(inbox.received) == failures
        hooked.api.clock.moment = again
        run({"organization_id": hooked.account.organization_id})
    assert len(set(inbox.ids)) == 1
    assert len(inbox.received) == len(WAITS) + 1
    (delivery,) = hooked.deliveries(webhook)
    # Every try of three days has failed: the endpoint is not asked any more.
    assert (delivery["status"], delivery["next_attempt_at"]) == ("failed", None)
    assert (hooked.shown(webhook)["is_enabled"], hooked.shown(webhook)["disabled_reason"]) == (False, "failing")


def test_a_success_ends_the_row_of_failures(hooked: Hooked, inbox: Inbox) -> None:
    webhook = hooked.webhook(inbox)
    inbox.statuses = [503]
    hooked.converse()
    hooked.deliver()
    assert hooked.shown(webhook)["failing_since"] is not None

    hooked.deliver_at(now_of(hooked) + timedelta(seconds=10))

    assert [one["status"] for one in hooked.deliveries(webhook)] == ["succeeded"]
    assert hooked.shown(webhook)["failing_since"] is None


def test_an_endpoint_that_is_gone_is_disabled_and_enabling_it_begins_anew(hooked: Hooked, inbox: Inbox) -> None:
    webhook = hooked.webhook(inbox)
    inbox.statuses = [500, 410]
    hooked.converse(2)
    hooked.deliver()
    shown = hooked.shown(webhook)
    assert (shown["is_enabled"], shown["disabled_reason"]) == (False, "gone")
    assert {(one["status"], one["next_attempt_at"]) for one in hooked.deliveries(webhook)} == {("failed", None)}
    # While it is disabled nothing is kept for it.
    hooked.converse()
    assert hooked.execute("SELECT id FROM webhook_events WHERE dispatched_at IS NULL") == []
    path = f"/v1/webhooks/{webhook['id']}"
    assert hooked.request("POST", f"{path}/test").code == "webhook_disabled"
    # When
    enabled = hooked.request("PATCH", path, {"is_enabled": True}).json
    assert (enabled["disabled_reason"], enabled["failing_since"]) == (None, None)
    replayed = hooked.request("POST", f"{path}/replay", {"since": webhook["created_at"]})
    # Then
    assert (replayed.status, replayed.json["replayed"]) == (202, 2)
    hooked.deliver()
    assert [one["status"] for one in hooked.deliveries(webhook)] == ["succeeded"] * 2


def test_a_redirect_is_a_failure_and_nobody_follows_it(
    hooked: Hooked, inbox: Inbox, receivers: Receivers, caplog: pytest.LogCaptureFixture
) -> None:
    elsewhere = receivers.inbox()
    webhook = hooked.webhook(inbox)
    inbox.statuses, inbox.headers = [307], {"Location": elsewhere.url}
    hooked.converse()
    hooked.deliver()
    (delivery,) = hooked.deliveries(webhook)
    assert (delivery["status"], delivery["last_error"], delivery["last_status"]) == ("pending", "redirect", 307)
    assert elsewhere.received == []
    # Operators are told why, and not where: a URL may hold a secret.
    assert "webhook not delivered" in caplog.messages
    assert inbox.url not in str([vars(entry) for entry in caplog.records])


def silence(handler: BaseHTTPRequestHandler) -> None:
    handler.connection.settimeout(5)
    # Until the other side leaves.
    handler.connection.recv(1)


def drip(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000000")
    handler.end_headers()
    handler.connection.settimeout(0.05)
    while True:
        handler.wfile.write(b"x")
        try:
            if handler.connection.recv(1) == b"":
                return
        except TimeoutError:
            continue


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)


def nonsense(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"\x00\x01 this is no HTTP\r\n\r\n")


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("respond", "error"),
    [(silence, "timeout"), (drip, "timeout"), (hang_up, "unreachable"), (nonsense, "unreachable")],
)
def test_a_hostile_receiver_costs_a_bounded_try(
    hooked: Hooked, inbox: Inbox, respond: Callable[[BaseHTTPRequestHandler], None], error: str
) -> None:
    webhook = hooked.webhook(inbox)
    inbox.respond = respond
    hooked.converse()
    hooked.deliver()
    (delivery,) = hooked.deliveries(webhook)
    assert (delivery["status"], delivery["last_error"], delivery["last_status"]) == ("pending", error, None)


def test_of_a_huge_answer_only_the_beginning_is_kept_and_made_harmless(hooked: Hooked, inbox: Inbox) -> None:
    webhook = hooked.webhook(inbox)
    inbox.statuses, inbox.body = [200], b"\x00\xff\x1b[31mred" + b"a" * 5_000_000
    hooked.converse()
    hooked.deliver()
    (delivery,) = hooked.deliveries(webhook)
    shown = hooked.request("GET", f"/v1/webhooks/{webhook['id']}/deliveries/{delivery['id']}").json
    assert shown["status"] == "succeeded"
    assert shown["response_excerpt"] == "\ufffd[31mred" + "a" * 992
    assert shown["payload"]["type"] == "conversation.started"


def test_a_certificate_that_proves_nothing_is_refused(hooked: Hooked, untrusted: Inbox) -> None:
    webhook = hooked.webhook(untrusted)
    hooked.converse()
    hooked.deliver()
    assert [one["last_error"] for one in hooked.deliveries(webhook)] == ["tls"]
    assert untrusted.received == []


def test_a_name_that_leads_inside_by_the_time_of_sending_is_not_asked(hooked: Hooked, inbox: Inbox) -> None:
    webhook = hooked.webhook(inbox)
    hooked.execute(
        "UPDATE webhook_endpoints SET url = 'https://169.254.169.254/latest' WHERE id = %(id)s", {"id": webhook["id"]}
    )
    hooked.converse()
    hooked.deliver()
    assert [one["last_error"] for one in hooked.deliveries(webhook)] == ["url_not_allowed"]


def test_a_test_event_reaches_its_webhook_alone(hooked: Hooked, inbox: Inbox, receivers: Receivers) -> None:
    other = receivers.inbox()
    hooked.webhook(other)
    webhook = hooked.webhook(inbox, event_types=["document.ready"])
    answer = hooked.request("POST", f"/v1/webhooks/{webhook['id']}/test")
    assert (answer.status, answer.json["status"]) == (202, "pending")
    hooked.deliver()
    (received,) = inbox.received
    body = verified(received, webhook["secret"])
    assert (body["type"], body["data"]["webhook_id"]) == ("webhook.test", webhook["id"])
    assert other.received == []


def test_a_delivery_is_sent_again_with_the_same_id_when_somebody_asks(hooked: Hooked, inbox: Inbox) -> None:
    webhook = hooked.webhook(inbox)
    hooked.converse()
    hooked.deliver()
    (delivery,) = hooked.deliveries(webhook)
    answer = hooked.request("POST", f"/v1/webhooks/{webhook['id']}/deliveries/{delivery['id']}/replay")
    assert (answer.status, answer.json["status"]) == (202, "pending")
    hooked.deliver()
    assert inbox.ids == [delivery["event_id"]] * 2
    assert [one["attempts"] for one in hooked.deliveries(webhook)] == [2]


def test_the_log_is_filtered_by_state_and_type(hooked: Hooked, inbox: Inbox) -> None:
    webhook = hooked.webhook(inbox)
    inbox.statuses = [500]
    hooked.converse()
    hooked.deliver()
    hooked.request("POST", f"/v1/webhooks/{webhook['id']}/test")
    hooked.deliver()
    assert [one["type"] for one in hooked.deliveries(webhook, status="pending")] == ["conversation.started"]
    assert [one["status"] for one in hooked.deliveries(webhook, type="webhook.test")] == ["succeeded"]
    assert [one["sequence"] for one in hooked.deliveries(webhook)] == [2, 1]


def test_no_message_is_sent_for_a_wait_that_another_covers(
    hooked: Hooked, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    # By chance the last retry would be due first, and then has a message of its own.
    monkeypatch.setattr("functions.deliver_webhooks.handler.random.random", lambda: 0.5)
    hooked.webhook(inbox)
    inbox.statuses = [500] * 10
    hooked.converse(3)
    (first,) = hooked.deliver()
    # The retries of all three are due within seconds of each other: one message looks after them.
    hooked.converse()
    after = hooked.deliver()
    assert after == [first]
    assert datetime.fromisoformat(first["wake_at"]) > now_of(hooked)


def test_a_message_that_comes_too_early_is_sent_on_without_the_database(api: RunningApi) -> None:
    api.container.database.close()
    later = (api.clock.now() + timedelta(hours=20)).isoformat()
    message = {"organization_id": "01970000-0000-7000-8000-0000000000ff", "wake_at": later}
    vars(api.container)["database"] = None
    assert run(message) == []
    ((sent, _),) = api.webhooks_queue.sent
    assert datetime.fromisoformat(sent["wake_at"]) == datetime.fromisoformat(later)
