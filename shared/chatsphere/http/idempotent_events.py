"""`Idempotency-Key` for the synchronous functions: API Gateway's events in, its answers out."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from chatsphere.access.principal import Principal
from chatsphere.bootstrap import Container
from chatsphere.http.idempotency import (
    HEADER,
    LONGEST_REQUEST,
    REPLAYED,
    WRITES,
    sent_key,
    under_way,
    undertake,
)
from chatsphere.http.idempotency_store import KeptAnswer
from chatsphere.http.proxy_event import Event, header_values

Answer = dict[str, Any]
AFTER_THE_END = timedelta(seconds=5)
"""How much longer than its function may run a request keeps its key: clocks differ."""


def answered_once(
    event: Event, context: Any, caller: Principal, container: Container, resolve: Callable[[Event, Any], Answer]
) -> Answer:
    """Answer a request that the gate let in: a write with a key once, whatever else each time.

    Raises:
        What `sent_key` and `undertake` of `chatsphere.http.idempotency` raise.
    """
    key = sent_key(header_values(event, HEADER.lower())) if event.get("httpMethod") in WRITES else None
    if key is None:
        return resolve(event, context)
    taken = undertake(
        key, caller, _request(event), database=container.database, clock=container.clock, lease=_lease(context)
    )
    if isinstance(taken, KeptAnswer):
        return _proxy_answer(taken)
    with under_way(taken):
        answer = resolve(event, context)
    taken.end(_kept(answer))
    return answer


def _request(event: Event) -> bytes:
    """Return what makes it this request. `event` has a plain body."""
    query = sorted((event.get("multiValueQueryStringParameters") or {}).items())
    parts = [event.get("httpMethod"), event.get("path"), query, event.get("body") or ""]
    return json.dumps(parts).encode()


def _lease(context: Any) -> timedelta:
    """Return how long this function can work on the request at most."""
    remaining = getattr(context, "get_remaining_time_in_millis", None)
    return timedelta(milliseconds=remaining()) + AFTER_THE_END if remaining else LONGEST_REQUEST


def _kept(answer: Answer) -> KeptAnswer:
    content_type = answer.get("multiValueHeaders", {}).get("Content-Type", [None])[0]
    return KeptAnswer(answer["statusCode"], content_type, answer.get("body") or "")


def _proxy_answer(kept: KeptAnswer) -> Answer:
    headers = REPLAYED | ({"Content-Type": kept.content_type} if kept.content_type else {})
    return {
        "statusCode": kept.status,
        "body": kept.body,
        "isBase64Encoded": False,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
    }
