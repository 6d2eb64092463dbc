"""A victim with an object of every kind, another tenant, and a credential for each caller of the matrix."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from chatsphere.chat.asgi import services_from_environment
from tests.builders.rest_api import Answer
from tests.builders.running_api import Account, FakeQueue, RunningApi, running_api
from tests.integration.matrix.document import Operation, operations, read_document
from tests.integration.matrix.rule import NEEDS, Caller, Target
from tests.integration.matrix.state import Digest, State, Victim
from tests.postgres import DatabaseUrls

MARK: Final = "falcon7731"
"""Stands in every text of the victim's and in nobody else's."""
NOBODYS: Final = "01970000-0000-7000-8000-0000000000ff"
SETTINGS: Final = {
    "UPLOADS_BUCKET": "uploads",
    "AWS_REGION": "eu-central-1",
    "CREDENTIAL_TRIES_PER_MINUTE": "1000000",
    "OWNERS_CHOOSE_PLAN": "true",
    "UPLOADER_ROLE_ARN": "arn:aws:iam::123456789012:role/uploader",
}


@dataclass
class World:
    """The running API, who lives in it, and what requests are about.

    `objects` are path parameters by target, `own` those of the other tenants by caller, `given` what bodies need;
    `secrets` are the ids in the victim's rows, which nobody else may be told.
    """

    api: RunningApi
    urls: DatabaseUrls
    state: State
    operations: list[Operation]
    people: dict[str, Account] = field(default_factory=dict)
    credentials: dict[str, str | None] = field(default_factory=dict)
    keys_without: dict[str, str] = field(default_factory=dict)
    objects: dict[Target, dict[str, str]] = field(default_factory=dict)
    own: dict[str, dict[str, str]] = field(default_factory=dict)
    given: dict[str, Any] = field(default_factory=dict)
    victim: Victim = field(default_factory=lambda: Victim(UUID(int=0), ()))
    secrets: frozenset[str] = frozenset()
    saved: Digest = field(default_factory=dict)
    stored: Any = None
    effects: tuple[int, ...] = ()

    def credential(self, caller: Caller, operation: Operation) -> str | None:
        """Return what the caller sends as its bearer token."""
        need = NEEDS[operation.permission] if operation.permission else None
        if caller.lacks_scope and need is not None and need.scope is not None:
            return self.keys_without[need.scope]
        return self.credentials[caller.name]

    def parameters(self, caller: Caller, target: Target) -> dict[str, str]:
        """Return the path parameters of a request about this target."""
        if target == "own":
            return self.objects["shared"] | self.own[caller.name]
        return self.objects[target]

    def save(self) -> None:
        """Remember this state as the one that every cell begins with."""
        self.state.save()
        self.stored = self._store().saved()
        self.saved, self.effects = self.state.digest(self.victim), self._effects()

    def changed(self, *, victims: bool = False) -> list[str]:
        """Return the tables that differ from what was saved; `victims`: in the victim's rows."""
        now = self.state.digest(self.victim)
        return [
            name for name, saved in self.saved.items() if (saved[0] != now[name][0] if victims else saved != now[name])
        ]

    def sent(self) -> list[str]:
        """Return what left the database since it was saved."""
        return [] if self._effects() == self.effects else ["messages or objects"]

    def put_back(self) -> None:
        """Return to what was saved."""
        self.state.restore(self.changed())
        self.state.execute("DELETE FROM rate_limits")
        self._store().restore(self.stored)
        for queue in self._queues():
            queue.sent.clear()
        self.effects = self._effects()

    def told(self, answer: Answer, sent: str) -> list[str]:
        """Return what of the victim's the answer holds that the request did not."""
        text = f"{answer.text} {dict(answer.headers)}"
        return [secret for secret in (MARK, *self.secrets) if secret in text and secret not in sent]

    def _effects(self) -> tuple[int, ...]:
        """Return how many messages were sent, and how many versions the bucket holds."""
        return (*(len(queue.sent) for queue in self._queues()), self._store().count_versions(""))

    def _store(self) -> Any:
        return self.api.container.object_store

    def _queues(self) -> tuple[FakeQueue, ...]:
        api = self.api
        queues = (api.purge_queue, api.extract_queue, api.embed_queue, api.reconcile_queue)
        return (*queues, api.fetch_queue, api.mail_queue, api.webhooks_queue, api.jobs_queue)


@contextmanager
def running_world(urls: DatabaseUrls) -> Iterator[World]:
    """Build the world in a database of its own."""
    from tests.integration.matrix.building import build

    with running_api(urls, **SETTINGS) as api:
        services_from_environment.cache_clear()
        state = State(urls.admin)
        try:
            world = World(api, urls, state, operations(read_document(api)))
            build(world)
            yield world
        finally:
            state.close()
            services_from_environment.cache_clear()
