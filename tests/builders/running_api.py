"""A container wired to a test's database, with a clock that the test sets and queues that keep what they are sent."""

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any
from unittest.mock import patch
from uuid import uuid4

from chatsphere.adapters.jwt_tokens import generate_key
from chatsphere.bootstrap import Container, container
from chatsphere.db.database import Database
from chatsphere.errors import UnavailableError
from chatsphere.identity.token_keys import key_set, public_part
from chatsphere.ports.mail import Mail
from tests.builders.rest_api import Answer, RestApi
from tests.fakes import InMemoryMailer, InMemoryObjectStore
from tests.postgres import DatabaseUrls

PASSWORD = "correct horse battery"
ADDRESSES = (f"127.{high}.{low}.1" for high, low in product(range(1, 256), range(256)))
"""Each is given out once, and each is in a network of its own."""


@dataclass
class FixedClock:
    """`Clock` that stands still until a test moves it."""

    moment: datetime = field(default_factory=lambda: datetime.now(UTC))

    def now(self) -> datetime:
        return self.moment

    def advance(self, **timedelta_arguments: float) -> None:
        self.moment += timedelta(**timedelta_arguments)


@dataclass
class FakeQueue:
    """`MessageQueue` whose messages a test can read. The next `failures` sends fail."""

    sent: list[tuple[dict[str, Any], str]] = field(default_factory=list)
    failures: int = 0

    def send(self, messages: Iterable[Mapping[str, Any]], *, group: str, delay_seconds: int = 0) -> None:
        if self.failures:
            self.failures -= 1
            raise UnavailableError
        self.sent += [(dict(message), group) for message in messages]


@dataclass(frozen=True)
class Account:
    """A registered person."""

    email: str
    access_token: str
    refresh_token: str
    user_id: str
    organization_id: str


@dataclass
class RunningApi(RestApi):
    """The API over one container, and how to act on it.

    Each has clients at an address of its own: what one test tried is not counted against the next.
    """

    address: str = field(default_factory=lambda: next(ADDRESSES))
    clock: FixedClock = field(default_factory=FixedClock)
    purge_queue: FakeQueue = field(default_factory=FakeQueue)
    extract_queue: FakeQueue = field(default_factory=FakeQueue)
    embed_queue: FakeQueue = field(default_factory=FakeQueue)
    reconcile_queue: FakeQueue = field(default_factory=FakeQueue)
    fetch_queue: FakeQueue = field(default_factory=FakeQueue)
    mail_queue: FakeQueue = field(default_factory=FakeQueue)
    jobs_queue: FakeQueue = field(default_factory=FakeQueue)
    webhooks_queue: FakeQueue = field(default_factory=FakeQueue)
    mailer: InMemoryMailer = field(default_factory=InMemoryMailer)
    container: Container = field(default_factory=lambda: container())
    archive_store: InMemoryObjectStore = field(init=False)

    def __post_init__(self) -> None:
        self.archive_store = InMemoryObjectStore(self.clock)

    def register(self, **fields: Any) -> Account:
        """Register somebody new."""
        email = fields.pop("email", f"{uuid4().hex}@example.com")
        answer = self.request("POST", "/v1/auth/register", {"email": email, "password": PASSWORD, **fields})
        assert answer.status == 201, answer.text
        body = answer.json
        return Account(
            email, body["access_token"], body["refresh_token"], body["user"]["id"], body["organization"]["id"]
        )

    def api_key(self, account: Account, **fields: Any) -> dict[str, Any]:
        """Make an API key."""
        answer = self.request("POST", "/v1/api-keys", {"name": "key", **fields}, token=account.access_token)
        assert answer.status == 201, answer.text
        made: dict[str, Any] = answer.json
        return made

    def bot(self, account: Account, **fields: Any) -> dict[str, Any]:
        """Make a bot."""
        answer = self.request("POST", "/v1/bots", {"name": "Bot", **fields}, token=account.access_token)
        assert answer.status == 201, answer.text
        made: dict[str, Any] = answer.json
        return made

    def mails(self) -> list[Mail]:
        """Work off the mail queue with the real function, and return the mails that it sent."""
        messages = [message for message, _ in self.mail_queue.sent]
        self.mail_queue.sent.clear()
        before = len(self.mailer.sent)
        assert deliver(messages) == []
        return self.mailer.sent[before:]

    def mailed_token(self, to: str) -> str:
        """Have the waiting mails sent, and return the token of the last one to this address."""
        return [token for mail in self.mails() if mail.to == to and (token := token_in(mail))][-1]


def deliver(messages: Iterable[Mapping[str, Any]], *, receive_count: int = 1) -> list[str]:
    """Hand messages to `send_mail` as one batch, and return the places in it of those that failed."""
    from functions.send_mail.handler import handler

    records = [
        {
            "messageId": str(place),
            "body": json.dumps(message),
            "attributes": {"ApproximateReceiveCount": str(receive_count)},
            "messageAttributes": {},
        }
        for place, message in enumerate(messages)
    ]
    return [failed["itemIdentifier"] for failed in handler({"Records": records}, None)["batchItemFailures"]]


def token_in(mail: Mail) -> str:
    """Return the single-use token that a mail holds, '' where it holds none."""
    found = re.search(r"cst_[0-9a-f]{32}_[0-9A-Za-z]{43}", mail.text)
    return found[0] if found else ""


@contextmanager
def running_api(urls: DatabaseUrls, **variables: str) -> Iterator[RunningApi]:
    """Wire the process's container to a database; undo it afterwards."""
    keys = key_set([generate_key()])
    environment = {
        "DATABASE_URL": urls.app,
        "AUTHENTICATOR_DATABASE_URL": urls.authenticator,
        "REAPER_DATABASE_URL": urls.reaper,
        "ERASER_DATABASE_URL": urls.eraser,
        "MAINTAINER_DATABASE_URL": urls.maintainer,
        "TOKEN_KEYS": keys,
        "TOKEN_PUBLIC_KEYS": public_part(keys),
        "MFA_ENCRYPTION_KEY": "of tests only",
        "REQUIRE_VERIFIED_EMAIL": "false",
        "ARGON2_MEMORY_KIB": "8",
        "ARGON2_PASSES": "1",
        "CREDENTIAL_TRIES_PER_MINUTE": "6000",
        "PUBLIC_URL": "http://127.0.0.1:8000",
        # Named, so that new events are told; what sends there is the fake queue.
        "WEBHOOKS_QUEUE_URL": "http://127.0.0.1:8001/webhooks",
        **variables,
    }
    with patch.dict(os.environ, environment):
        container.cache_clear()
        api = RunningApi()
        vars(api.container).update(
            clock=api.clock,
            purge_queue=api.purge_queue,
            extract_queue=api.extract_queue,
            embed_queue=api.embed_queue,
            reconcile_queue=api.reconcile_queue,
            fetch_queue=api.fetch_queue,
            mail_queue=api.mail_queue,
            jobs_queue=api.jobs_queue,
            webhooks_queue=api.webhooks_queue,
            archive_store=api.archive_store,
            mailer=api.mailer,
        )
        try:
            yield api
        finally:
            for adapter in vars(api.container).values():
                if isinstance(adapter, Database):
                    adapter.close()
            container.cache_clear()


__all__ = ["PASSWORD", "Account", "Answer", "FakeQueue", "FixedClock", "RunningApi", "running_api"]
