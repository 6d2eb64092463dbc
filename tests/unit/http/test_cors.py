"""Which pages may read an answer."""

import asyncio
from typing import Any

from starlette.types import Message, Receive, Scope, Send

from chatsphere.http.cors import cors_headers
from chatsphere.http.cors_middleware import CorsHeaders
from chatsphere.settings import BrowserSettings

CONSOLE = "https://console.example.com"
OTHER = "https://evil.example.com"


def test_a_page_of_an_allowed_origin_may_read_the_answer() -> None:
    headers = cors_headers(CONSOLE, {CONSOLE})

    assert headers["Access-Control-Allow-Origin"] == CONSOLE
    assert headers["Vary"] == "Origin"
    assert "X-Request-Id" in headers["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Credentials" not in headers


def test_no_other_page_may_and_caches_keep_the_two_apart() -> None:
    assert cors_headers(OTHER, {CONSOLE}) == cors_headers(None, {CONSOLE}) == {"Vary": "Origin"}


def test_without_allowed_origins_nothing_is_said() -> None:
    assert cors_headers(CONSOLE, BrowserSettings.load({}).origins) == {}


def test_origins_are_separated_by_commas() -> None:
    loaded = BrowserSettings.load({"CONSOLE_ORIGINS": f"{CONSOLE},http://localhost:3000"})

    assert loaded.origins == {CONSOLE, "http://localhost:3000"}


def test_a_streamed_answer_has_the_headers_on_its_start() -> None:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
        await send({"type": "http.response.body", "body": b"data: x\n\n"})

    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: dict[str, Any] = {"type": "http", "headers": [(b"origin", CONSOLE.encode())]}
    asyncio.run(CorsHeaders(app, lambda: {CONSOLE})(scope, receive, send))

    start = dict(sent[0]["headers"])
    assert start[b"access-control-allow-origin"] == CONSOLE.encode()
    assert start[b"content-type"] == b"text/event-stream"
    assert sent[1]["body"] == b"data: x\n\n"


def test_origins_may_be_listed_with_spaces() -> None:
    settings = BrowserSettings.load({"CONSOLE_ORIGINS": f"{CONSOLE}, {OTHER} ,"})
    assert settings.origins == {CONSOLE, OTHER}
