"""Server-Sent Events, as a client reads them."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a stream; `data` is its decoded JSON, `id` the place from which another stream goes on after it."""

    name: str
    data: dict[str, Any]
    id: str | None = None


def events(lines: Iterable[str]) -> Iterator[Event]:
    """Yield the events of a stream's lines. Comments and an event cut off by the stream's end are dropped.

    Raises:
        ValueError: an event's data is not a JSON object.
    """
    name, place, data = "message", None, list[str]()
    for line in lines:
        if not line:
            if data:
                yield Event(name, _decoded("\n".join(data)), place)
            name, data = "message", []
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            name = value
        elif field == "id":
            place = value
        elif field == "data":
            data.append(value)


def lines(chunks: Iterable[str]) -> Iterator[str]:
    """Cut a stream's text into lines.

    Only line feeds end a line: httpx's own `iter_lines` also splits at U+2028 and its like, which stand
    unescaped in JSON strings.
    """
    rest = ""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split("\n")
        yield from (line.removesuffix("\r") for line in whole)


def _decoded(data: str) -> dict[str, Any]:
    decoded = json.loads(data)
    if not isinstance(decoded, dict):
        raise ValueError("an event's data is not a JSON object")  # noqa: TRY004 - the data is wrong, not the caller
    return decoded
