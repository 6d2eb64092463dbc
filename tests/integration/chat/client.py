"""A client of the chat application that calls it as the Lambda Web Adapter does."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import anyio
import httpx
from starlette.types import ASGIApp, Message

from chatsphere.access.permissions import ALL_SCOPES, Role, Scope
from chatsphere.access.principal import Principal
from tests.conftest import Tenant

TIMEOUT = 20


@dataclass(frozen=True)
class Event:
    """One Server-Sent Event."""

    name: str
    data: dict[str, Any]
    id: str | None = None


@dataclass
class ChatClient:
    """Asks as one caller. `make_app` is called for each request, as a new environment would be."""

    app: ASGIApp
    tenant: Tenant
    scopes: frozenset[Scope] = ALL_SCOPES
    bot_ids: frozenset[UUID] | None = None
    request_id: str = "request-1"
    api_key_id: UUID | None = None

    def post(
        self, path: str, body: Any = None, *, content: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        sent = {"content-type": "application/json"} | self.context() | dict(headers or {})
        sent = {name: value for name, value in sent.items() if value}

        async def call() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://chat", timeout=TIMEOUT) as client:
                payload = json.dumps(body).encode() if content is None else content
                return await client.post(path, content=payload, headers=sent)

        return anyio.run(call)

    def chat(self, message: str = "What does it cost?", bot_id: UUID | None = None, **fields: Any) -> httpx.Response:
        return self.post(f"/v1/bots/{bot_id or self.tenant.bot_id}/chat", {"message": message, **fields})

    def stream(self, message: str = "What does it cost?", **fields: Any) -> list[Event]:
        response = self.chat(message, stream=True, **fields)
        assert response.status_code == 200, response.text
        return events_of(response.text)

    def search(self, query: str = "cost", bot_id: UUID | None = None, **fields: Any) -> httpx.Response:
        return self.post(f"/v1/bots/{bot_id or self.tenant.bot_id}/search", {"query": query, **fields})

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
        sent = self.context() | dict(headers or {})

        async def call() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://chat", timeout=TIMEOUT) as client:
                return await client.get(path, headers=sent)

        return anyio.run(call)

    def receive(self, path: str, receive: Callable[[bytes], None]) -> None:
        """Hand over what a stream sends, piece by piece: a client of `httpx` gets all of it at its end."""

        async def call() -> None:
            async def stays() -> Message:
                await anyio.sleep_forever()
                return {"type": "http.disconnect"}

            async def send(message: Message) -> None:
                if message.get("body"):
                    receive(message["body"])

            headers = [(name.encode(), value.encode()) for name, value in self.context().items()]
            scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": headers}
            with anyio.fail_after(TIMEOUT):
                await self.app(scope, stays, send)

        anyio.run(call)

    def stop(self, message_id: str) -> httpx.Response:
        return self.post(f"/v1/chat/{message_id}/stop")

    def replay(self, message_id: str, after: str | None = None) -> list[Event]:
        response = self.get(f"/v1/chat/{message_id}/stream", {"last-event-id": after} if after else {})
        assert response.status_code == 200, response.text
        return events_of(response.text)

    def context(self) -> dict[str, str]:
        principal = Principal(
            self.tenant.organization_id,
            self.tenant.user_id,
            Role.OWNER,
            self.scopes,
            api_key_id=self.api_key_id,
            bot_ids=self.bot_ids,
        )
        context = {"requestId": self.request_id, "authorizer": principal.to_context() | {"principalId": "x"}}
        return {"x-amzn-request-context": json.dumps(context)}


def events_of(stream: str) -> list[Event]:
    """Parse a stream by the rules of the HTML standard; comments are left out."""
    events = []
    for block in stream.split("\n\n"):
        fields: dict[str, list[str]] = {}
        for line in block.split("\n"):
            name, _, value = line.partition(":")
            if line and name:
                fields.setdefault(name, []).append(value.removeprefix(" "))
        if "data" in fields:
            identifier = fields["id"][-1] if "id" in fields else None
            events.append(Event(fields["event"][-1], json.loads("\n".join(fields["data"])), identifier))
    return events


def names(events: list[Event]) -> list[str]:
    """Return the events' names, each run of the same one once."""
    return [event.name for n, event in enumerate(events) if n == 0 or events[n - 1].name != event.name]


MakeClient = Callable[..., ChatClient]
Rows = Callable[[Tenant, str], list[Mapping[str, Any]]]
