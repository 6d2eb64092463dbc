"""Streams two parts; between them it waits for a file, or dies, or raises."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    query = {name: values[0] for name, values in parse_qs(scope["query_string"].decode()).items()}
    headers = dict(scope["headers"])
    body = (await receive())["body"]
    if query.get("do") == "raise-early":
        raise ValueError("on purpose")
    start = [(b"content-type", b"text/event-stream"), (b"x-context", headers[b"x-amzn-request-context"])]
    await send({"type": "http.response.start", "status": 201, "headers": start})
    await send({"type": "http.response.body", "body": b"first " + body, "more_body": True})
    match query.get("do"):
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
        case "raise":
            raise ValueError("on purpose")
    await _appears(query.get("until"))
    await send({"type": "http.response.body", "body": b" second"})
    if "done" in query:
        Path(query["done"]).touch()


async def _appears(path: str | None) -> None:
    while path is not None and not Path(path).exists():
        await asyncio.sleep(0.01)
