"""What every Gemini adapter needs of Google's REST API: the way there, paths, and when it wants to be left alone."""

import re
from typing import Any, Final
from urllib.parse import quote

from chatsphere.adapters.upstream import Reply, Upstream
from chatsphere.adapters.upstream.retries import header_delay
from chatsphere.errors import ConfigurationError
from chatsphere.settings import GeminiSettings

API_VERSION: Final = "v1"
"""The version that the vendor's own client asks for."""

REACH_SECONDS: Final = 2.0

_RETRY_INFO: Final = "type.googleapis.com/google.rpc.RetryInfo"
_SECONDS: Final = re.compile(r"(\d+(?:\.\d+)?)s")


def gemini_upstream(settings: GeminiSettings) -> Upstream:
    """Return access to the API. Opens nothing.

    Raises:
        ConfigurationError: there is no key, or the address is not one.
    """
    if not settings.gemini_api_key:
        raise ConfigurationError("GEMINI_API_KEY is not set.")
    key = {"x-goog-api-key": settings.gemini_api_key}
    return Upstream("Gemini", settings.gemini_url, key, settings, retry_delay=_retry_delay)


def path_of(model: str, method: str) -> str:
    """Return the path of a model's method, such as `streamGenerateContent`."""
    return f"/{API_VERSION}/models/{quote(bare_name(model), safe='')}:{method}"


def reach_model(upstream: Upstream, model: str) -> None:
    """Ask for a model's description: that costs nothing, and says whether key and name are good."""
    upstream.call("GET", f"/{API_VERSION}/models/{quote(bare_name(model), safe='')}", within_seconds=REACH_SECONDS)


def bare_name(model: str) -> str:
    """Return the model's name without the `models/` that some lists put before it."""
    return model.removeprefix("models/")


def _retry_delay(reply: Reply) -> float | None:
    """Return the seconds that a 429 asks for, from its header or, as Google usually does, from its body."""
    asked = header_delay(reply)
    return _body_delay(reply.body) if asked is None else asked


def _body_delay(body: Any) -> float | None:
    error = body.get("error") if isinstance(body, dict) else None
    details = error.get("details") if isinstance(error, dict) else None
    for detail in details if isinstance(details, list) else ():
        if isinstance(detail, dict) and detail.get("@type") == _RETRY_INFO:
            found = _SECONDS.fullmatch(str(detail.get("retryDelay")))
            return float(found[1]) if found else None
    return None
