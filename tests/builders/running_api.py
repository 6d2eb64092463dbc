"""A container wired to a test's database, with a clock that the test sets and queues that keep what they are sent."""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch
from uuid import uuid4

from chatsphere.adapters.jwt_tokens import generate_key
from chatsphere.bootstrap import Container, container
from chatsphere.db.database import Database
from chatsphere.identity.token_keys import key_set, public_part
from tests.builders.rest_api import Answer, RestApi
from tests.postgres import DatabaseUrls

PASSWORD = "correct horse battery"


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
    """`MessageQueue` whose messages a test can read."""

    sent: list[tuple[dict[str, Any], str]] = field(default_factory=list)

    def send(self, messages: Iterable[Mapping[str, Any]], *, group: str) -> None:
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
    """The API over one container, and how to act on it."""

    clock: FixedClock = field(default_factory=FixedClock)
    purge_queue: FakeQueue = field(default_factory=FakeQueue)
    extract_queue: FakeQueue = field(default_factory=FakeQueue)
    container: Container = field(default_factory=lambda: container())

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


@contextmanager
def running_api(urls: DatabaseUrls, **variables: str) -> Iterator[RunningApi]:
    """Wire the process's container to a database; undo it afterwards."""
    keys = key_set([generate_key()])
    environment = {
        "DATABASE_URL": urls.app,
        "AUTHENTICATOR_DATABASE_URL": urls.authenticator,
        "REAPER_DATABASE_URL": urls.reaper,
        "TOKEN_KEYS": keys,
        "TOKEN_PUBLIC_KEYS": public_part(keys),
        "ARGON2_MEMORY_KIB": "8",
        "ARGON2_PASSES": "1",
        "PUBLIC_URL": "http://127.0.0.1:8000",
        **variables,
    }
    with patch.dict(os.environ, environment):
        container.cache_clear()
        api = RunningApi()
        vars(api.container).update(clock=api.clock, purge_queue=api.purge_queue, extract_queue=api.extract_queue)
        try:
            yield api
        finally:
            for adapter in vars(api.container).values():
                if isinstance(adapter, Database):
                    adapter.close()
            container.cache_clear()


__all__ = ["PASSWORD", "Account", "Answer", "FakeQueue", "FixedClock", "RunningApi", "running_api"]
