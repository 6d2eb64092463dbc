"""Signatures as the specification has them, the schedule of tries, and messages that wait."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from chatsphere.adapters.fernet_box import FernetSecretBox
from chatsphere.errors import ConfigurationError
from chatsphere.webhooks.attempts import payload
from chatsphere.webhooks.schedule import GIVEN_UP_AFTER, WAITS, next_wait
from chatsphere.webhooks.signing import new_secret, signed_headers
from chatsphere.webhooks.waking import WakeMessage
from tests.fakes import InMemoryQueue

EVENT = UUID("01970000-0000-7000-8000-000000000001")
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_the_specifications_own_example_has_its_signature() -> None:
    """As `standardwebhooks` signs: an implementation that is not ours."""
    secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'
    theirs = Webhook(secret).sign(str(EVENT), NOW, body.decode())
    assert signed_headers(EVENT, NOW, body, [secret])["webhook-signature"] == theirs


def test_with_two_keys_each_receiver_finds_its_signature() -> None:
    secrets, now = [new_secret(), new_secret()], datetime.now(UTC)
    headers = signed_headers(EVENT, now, b"{}", secrets)
    assert len(headers["webhook-signature"].split(" ")) == 2
    assert [Webhook(secret).verify(b"{}", headers) for secret in secrets] == [{}, {}]
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(b"{}", headers)


def test_waits_grow_over_three_days_and_end() -> None:
    waits = [next_wait(failures, lambda: 0.0) for failures in range(1, 11)]
    assert waits[:-1] == list(WAITS)
    assert waits[-1] is None
    assert list(WAITS) == sorted(WAITS)
    assert GIVEN_UP_AFTER < sum(WAITS, timedelta()) < timedelta(days=4)


def test_what_failed_together_does_not_come_back_together() -> None:
    assert next_wait(1, lambda: 1.0) == timedelta(seconds=6)
    assert next_wait(2, lambda: 0.5) == timedelta(minutes=5.5)


@pytest.mark.parametrize(
    ("wait", "delay"),
    [(timedelta(0), 0), (timedelta(seconds=2.1), 3), (timedelta(minutes=15), 900), (timedelta(days=1), 900)],
)
def test_a_message_comes_when_it_is_time_or_as_late_as_a_queue_can(wait: timedelta, delay: int) -> None:
    queue = InMemoryQueue()
    WakeMessage(organization_id=EVENT, wake_at=NOW + wait).send(queue, NOW)
    assert queue.delays == [delay]
    assert WakeMessage.parse(queue.messages[0]) == WakeMessage(organization_id=EVENT, wake_at=NOW + wait)


def test_a_body_has_its_time_in_utc() -> None:
    body = payload("webhook.test", NOW.astimezone(), EVENT, {"b": 1, "a": None})
    assert body["timestamp"] == "2026-03-01T12:00:00.000000Z"
    assert list(body["data"]) == ["organization_id", "a", "b"]


def test_boxes_of_one_text_and_two_purposes_do_not_open_each_other() -> None:
    plain, webhooks = FernetSecretBox("text"), FernetSecretBox("new", "text", purpose="webhooks")
    assert webhooks.open(FernetSecretBox("text", purpose="webhooks").seal("secret")) == "secret"
    for one, other in ((plain, webhooks), (webhooks, plain)):
        with pytest.raises(ConfigurationError):
            other.open(one.seal("secret"))
