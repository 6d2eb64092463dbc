"""A client of the stream that calls the streaming function's application in this process."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import anyio
from starlette.types import ASGIApp, Message

from chatsphere.access.permissions import ALL_SCOPES, Role, Scope
from chatsphere.access.principal import Principal
from chatsphere.adapters.system import UuidV7Ids
from chatsphere.chat.asgi import chat_app
from chatsphere.chat.services import Services
from chatsphere.db.database import Database
from chatsphere.knowledge.history.stream_routes import Pace
from chatsphere.ports.system import Clock
from tests.conftest import Tenant
from tests.fakes_chat import FakeRetriever, ScriptedModel

TIMEOUT = 20
ON_THE_WAY = ("registered", "extracting", "embedding")
QUICK = Pace(poll_seconds=0.005, stream_seconds=TIMEOUT)


@dataclass(frozen=True)
class Event:
    """One Server-Sent Event."""

    id: str
    name: str
    data: dict[str, Any]


@dataclass
class Answer:
    """What a request was answered with."""

    status: int = 0
    body: bytes = b""

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def events(self) -> list[Event]:
        """The events of a stream; comments and the pause before a reconnection are left out."""
        found = []
        for block in self.body.decode().split("\n\n"):
            fields = dict(line.partition(": ")[::2] for line in block.split("\n") if line)
            if "data" in fields:
                found.append(Event(fields.get("id", ""), fields["event"], json.loads(fields["data"])))
        return found

    @property
    def told(self) -> list[tuple[str, str | None]]:
        """Each event's name, with the status of a document; which steps on the way are met depends on the moment."""
        told = [(event.name, event.data.get("status") if event.name == "document" else None) for event in self.events]
        return [each for each in told if each[1] not in ON_THE_WAY]

    @property
    def ends(self) -> list[Event]:
        """The events that tell of a document's end."""
        return [e for e in self.events if e.name == "document" and e.data["status"] not in ON_THE_WAY]


OnEvent = Callable[[Event], None]


@dataclass
class StreamClient:
    """Watches as one caller."""

    database: Database
    clock: Clock
    ids: UuidV7Ids
    tenant: Tenant
    pace: Pace = QUICK
    seconds: float = 0.0
    """What the stream's timer shows: its time is over when a test says so."""
    scopes: frozenset[Scope] = ALL_SCOPES
    leaves: anyio.Event | None = field(default=None)

    @property
    def app(self) -> ASGIApp:
        services = Services(
            self.database, FakeRetriever([]), ScriptedModel(), self.clock, self.ids, lambda: self.seconds
        )
        return chat_app(lambda: services, pace=self.pace)

    def watch(
        self,
        on_event: OnEvent = lambda _: None,
        *,
        query: str = "until=idle",
        after: str | None = None,
        bot_id: UUID | str | None = None,
        signed_in: bool = True,
    ) -> Answer:
        """Return the whole answer. `on_event` is called as each event arrives; it may raise OSError to leave."""
        answer = Answer()
        headers = ({"last-event-id": after} if after is not None else {}) | (self._context() if signed_in else {})
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "GET",
            "path": f"/v1/bots/{bot_id or self.tenant.bot_id}/ingestion/stream",
            "raw_path": b"",
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }

        async def send(message: Message) -> None:
            answer.status = message.get("status", answer.status)
            before = len(answer.events) if answer.status == 200 else 0
            answer.body += message.get("body", b"")
            if answer.status == 200:
                for event in answer.events[before:]:
                    on_event(event)

        async def run() -> None:
            self.leaves = anyio.Event()
            with anyio.fail_after(TIMEOUT):
                await self.app(scope, self._receiver(self.leaves), send)

        anyio.run(run)
        return answer

    def _receiver(self, leaves: anyio.Event) -> Callable[[], Any]:
        first = [{"type": "http.request", "body": b"", "more_body": False}]

        async def receive() -> Message:
            if first:
                return first.pop()
            await leaves.wait()
            return {"type": "http.disconnect"}

        return receive

    def _context(self) -> dict[str, str]:
        principal = Principal(self.tenant.organization_id, self.tenant.user_id, Role.OWNER, self.scopes)
        context = {"requestId": "request-1", "authorizer": principal.to_context() | {"principalId": "x"}}
        return {"x-amzn-request-context": json.dumps(context)}
