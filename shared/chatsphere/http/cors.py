"""Which pages of other origins may read an answer in a browser (CORS). Preflight requests never reach a function."""

from collections.abc import Set
from typing import Final

EXPOSED_HEADERS: Final = (
    "X-Request-Id, Retry-After, WWW-Authenticate, RateLimit, RateLimit-Policy, Idempotency-Replayed"
)


def cors_headers(origin: str | None, allowed: Set[str]) -> dict[str, str]:
    """Return the headers of an answer to a request from `origin`; none where no other origin is allowed at all."""
    if not allowed:
        return {}
    headers = {"Vary": "Origin"}
    if origin is not None and origin in allowed:
        headers |= {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": EXPOSED_HEADERS}
    return headers
