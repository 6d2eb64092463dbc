"""Where a request comes from, as the audit log names it. Known to the database in every unit of work."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from typing import Any, Self
from uuid import UUID

MAX_USER_AGENT = 256


@dataclass(frozen=True, slots=True)
class Origin:
    """What a request says of itself; all None in a scheduled job.

    `user_id` is the person, or the maker of the key, that the credential stands for: the audit log's actor also in
    units of work that were not told one.
    """

    api_key_id: UUID | None = None
    address: str | None = None
    user_agent: str | None = None
    request_id: str | None = None
    user_id: UUID | None = None

    @classmethod
    def of(cls, authorizer: Mapping[str, Any], identity: Mapping[str, Any], request_id: str) -> Self:
        """Return the origin that API Gateway's request context tells."""
        return cls(
            _uuid(authorizer.get("api_key_id")),
            identity.get("sourceIp"),
            identity.get("userAgent"),
            request_id,
            _uuid(authorizer.get("user_id")),
        )

    def to_json(self) -> str:
        """Return the origin as `app.begin_request` takes it."""
        values = {name: str(value) for name, value in asdict(self).items() if value is not None}
        if self.user_agent is not None:
            # JSON of PostgreSQL holds no U+0000.
            values["user_agent"] = self.user_agent.replace("\x00", "")[:MAX_USER_AGENT]
        return json.dumps(values)


NOWHERE = Origin()
_origin: ContextVar[Origin] = ContextVar("origin", default=NOWHERE)


def current_origin() -> Origin:
    """Return where the request that is being served comes from."""
    return _origin.get()


@contextmanager
def coming_from(origin: Origin) -> Iterator[None]:
    """Serve a request from there."""
    token = _origin.set(origin)
    try:
        yield
    finally:
        _origin.reset(token)


def _uuid(text: Any) -> UUID | None:
    try:
        return UUID(text or "")
    except (ValueError, AttributeError, TypeError):
        return None
