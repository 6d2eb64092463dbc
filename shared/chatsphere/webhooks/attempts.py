"""One try to deliver: what is sent, and what came of it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from typing import Any, Final
from uuid import UUID

from chatsphere.errors import ConfigurationError, UrlNotAllowedError, UrlTimedOutError, UrlUntrustedError, WebError
from chatsphere.failures import public_error
from chatsphere.ports.vault import SecretBox
from chatsphere.ports.web import WebPoster
from chatsphere.webhooks.event_types import VERSION
from chatsphere.webhooks.signing import signed_headers

SECONDS: Final = 15.0
"""How long a try may take, looking the host up and reading the answer included."""
EXCERPT_BYTES: Final = 4096
EXCERPT_CHARACTERS: Final = 1000

NOT_SIGNED: Final = "secret_unreadable"
"""No key of ours opens the endpoint's secrets: nothing was sent, and the endpoint has done nothing wrong."""

ERRORS: Final = ((UrlNotAllowedError, "url_not_allowed"), (UrlTimedOutError, "timeout"), (UrlUntrustedError, "tls"))


@dataclass(frozen=True, slots=True)
class Attempt:
    """A delivery that this worker holds. `attempts` names the try among all of the delivery.

    Secrets are sealed; the former are those that still sign, the last first, with spaces between them.
    """

    id: UUID
    endpoint_id: UUID
    event_id: UUID
    sequence: int
    attempts: int
    failures: int
    url: str
    secret: str
    former_secrets: str | None
    type: str
    occurred_at: datetime
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a try. `error` is None after a success; `status` where the endpoint answered."""

    error: str | None
    status: int | None
    excerpt: str | None
    latency_ms: int


def payload(event_type: str, occurred_at: datetime, organization_id: UUID, data: dict[str, Any]) -> dict[str, Any]:
    """Return the body of an event: the same for every endpoint and every try."""
    return {
        "type": event_type,
        "version": VERSION,
        "timestamp": occurred_at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "data": {"organization_id": str(organization_id), **dict(sorted(data.items()))},
    }


def send(
    attempt: Attempt, organization_id: UUID, *, poster: WebPoster, box: SecretBox, now: Callable[[], datetime]
) -> Outcome:
    """Send it once. Whatever the endpoint does is an outcome and no error."""
    keys = _opened(attempt, box)
    if not keys:
        return Outcome(NOT_SIGNED, None, None, 0)
    body = json.dumps(payload(attempt.type, attempt.occurred_at, organization_id, attempt.data)).encode()
    headers = {
        "Content-Type": "application/json",
        "webhook-sequence": str(attempt.sequence),
        **signed_headers(attempt.event_id, now(), body, keys),
    }
    started = monotonic()
    try:
        answer = poster.post(attempt.url, body, headers, seconds=SECONDS, excerpt_bytes=EXCERPT_BYTES)
    except WebError as error:
        return Outcome(_code(error), None, None, _milliseconds(started))
    return Outcome(_judged(answer.status), answer.status, _excerpt(answer.excerpt), _milliseconds(started))


def _opened(attempt: Attempt, box: SecretBox) -> list[str]:
    """Return the secrets that can be read: one that cannot must not keep the tenant's other deliveries."""
    opened = []
    for sealed in (attempt.secret, *(attempt.former_secrets or "").split()):
        try:
            opened.append(box.open(sealed))
        except ConfigurationError as error:
            public_error(error)
    return opened


def _judged(status: int) -> str | None:
    if 200 <= status < 300:
        return None
    return "redirect" if 300 <= status < 400 else "status"


def _code(error: WebError) -> str:
    return next((code for kind, code in ERRORS if isinstance(error, kind)), "unreachable")


def _excerpt(answer: bytes) -> str:
    """Return what can be stored and shown of a text that nobody vouches for."""
    text = answer.decode(errors="replace")
    return "".join(char for char in text if char.isprintable() or char in "\n\t")[:EXCERPT_CHARACTERS]


def _milliseconds(started: float) -> int:
    return round((monotonic() - started) * 1000)
