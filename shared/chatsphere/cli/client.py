"""The HTTP API, as the commands call it: JSON in, JSON out, errors as `CliError`."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any
from uuid import uuid4

import httpx

from chatsphere.cli.authorization import Authorization
from chatsphere.cli.errors import CliError
from chatsphere.cli.retry import NEVER, PATIENT
from chatsphere.cli.sse import Event, events, lines
from chatsphere.cli.transport import Call, Transport, open_http

JsonObject = dict[str, Any]
Query = Mapping[str, str | int | None]

_EVENTS = {"Accept": "text/event-stream"}

PAGE = 100
"""As many items as the API gives at once."""


class Client:
    """One API and one caller. Safe to share between threads. Paths are relative to `/v1`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @classmethod
    def to(cls, api: str) -> "Client":
        """Return a client that asks as nobody."""
        return cls(Transport(api, open_http(api)))

    def asking_as(self, authorization: Authorization) -> "Client":
        """Return a client with a credential, over the same connections."""
        return Client(replace(self._transport, authorization=authorization))

    def patient(self) -> "Client":
        """Return a client for long jobs: it waits for a server that is overloaded or starts again."""
        return Client(replace(self._transport, policy=PATIENT))

    def impatient(self) -> "Client":
        """Return a client that tries once."""
        return Client(replace(self._transport, policy=NEVER))

    def close(self) -> None:
        """Close the connections; requests that are under way in other threads fail."""
        self._transport.close()

    def get(self, path: str, query: Query | None = None) -> JsonObject:
        """Return an object of the API."""
        given = {name: value for name, value in (query or {}).items() if value is not None}
        return _json(self._transport.send(Call("GET", path, query=given, repeatable=True)))

    def post(self, path: str, body: Mapping[str, Any], *, repeatable: bool = False) -> JsonObject:
        """Create or ask something; the server does the work of one call once (`Idempotency-Key`)."""
        headers = {"Idempotency-Key": str(uuid4())}
        return _json(self._transport.send(Call("POST", path, body=body, headers=headers, repeatable=repeatable)))

    def patch(self, path: str, body: Mapping[str, Any]) -> JsonObject:
        """Change an object."""
        return _json(self._transport.send(Call("PATCH", path, body=body)))

    def put(self, path: str, body: Mapping[str, Any]) -> JsonObject:
        """Replace an object."""
        return _json(self._transport.send(Call("PUT", path, body=body, repeatable=True)))

    def delete(self, path: str) -> JsonObject:
        """Delete an object."""
        return _json(self._transport.send(Call("DELETE", path)))

    def items(self, path: str, query: Query | None = None) -> Iterator[JsonObject]:
        """Yield every item of a list, page by page."""
        cursor: str | None = None
        while True:
            page = self.get(path, {"limit": PAGE, **(query or {}), "cursor": cursor})
            yield from page.get("data", [])
            cursor = page.get("next_cursor")
            if not cursor:
                return

    def whole(self, path: str, query: Query | None = None) -> JsonObject:
        """Return a report with the `data` of all its pages."""
        first = self.get(path, query)
        cursor, data = first.get("next_cursor"), first["data"]
        while cursor:
            page = self.get(path, {**(query or {}), "cursor": cursor})
            data, cursor = data + page["data"], page.get("next_cursor")
        return first | {"data": data, "next_cursor": None, "has_more": False}

    def tables(self, path: str, query: Query | None = None) -> Iterator[str]:
        """Yield every page of a list as CSV, each with its head."""
        given = {name: value for name, value in (query or {}).items() if value is not None}
        while True:
            response = self._transport.send(Call("GET", path, query=given | {"format": "csv"}, repeatable=True))
            yield response.text
            following = response.links.get("next")
            if following is None:
                return
            given |= {"cursor": httpx.URL(following["url"]).params["cursor"]}

    def stream(self, path: str, body: Mapping[str, Any]) -> AbstractContextManager[Iterator[Event]]:
        """Open a stream of events that answers a question.

        Raises:
            CliError: while iterating, when the connection breaks or what comes is no event.
        """
        return self._events(Call("POST", path, body=body, headers=_EVENTS, stream=True))

    def follow(
        self, path: str, query: Query | None = None, *, after: str | None = None
    ) -> AbstractContextManager[Iterator[Event]]:
        """Open a stream of what happens; `after` is the id of the last event of an earlier one.

        Raises:
            CliError: as `stream`.
        """
        given = {name: value for name, value in (query or {}).items() if value is not None}
        headers = _EVENTS | ({"Last-Event-ID": after} if after else {})
        return self._events(Call("GET", path, query=given, headers=headers, repeatable=True, stream=True))

    @contextmanager
    def _events(self, call: Call) -> Iterator[Iterator[Event]]:
        response = self._transport.send(call)
        response.encoding = "utf-8"
        try:
            yield _guarded(events(lines(response.iter_text())))
        finally:
            response.close()


def _json(response: httpx.Response) -> JsonObject:
    if not response.content:
        return {}
    try:
        body = response.json()
    except ValueError:
        body = None
    if isinstance(body, dict):
        return body
    raise CliError(
        f"{response.request.url} answered with something that is not ChatSphere's.",
        hint="Is the address of the API right?",
        code="not_chatsphere",
    )


def _guarded(stream: Iterator[Event]) -> Iterator[Event]:
    try:
        yield from stream
    except (httpx.TransportError, ValueError) as error:
        raise CliError(f"The stream broke off: {error}", code="broken_stream") from error
