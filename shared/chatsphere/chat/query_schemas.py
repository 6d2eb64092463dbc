"""Query parameters that several lists of conversations have."""

import json
import math
from typing import Annotated, Any, Final

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import AfterValidator, AwareDatetime

from chatsphere.errors import FieldError, InvalidRequestError
from chatsphere.http.models import is_storable

MAX_KEYS: Final = 16
MAX_KEY_CHARS: Final = 64
MAX_VALUE_CHARS: Final = 512


def storable(text: str | None) -> str | None:
    """Return the text, or refuse one that PostgreSQL cannot hold."""
    if text is not None and not is_storable(text):
        raise ValueError("must not hold U+0000 or a lone surrogate")
    return text


EndUser = Annotated[
    str | None, AfterValidator(storable), Query(min_length=1, max_length=255, description="Only this end user's.")
]
Channel = Annotated[
    str | None, Query(pattern=r"^[a-z0-9_-]{1,64}$", description="Only of this channel: `api`, `public`.")
]
CreatedAfter = Annotated[AwareDatetime | None, Query(description="Only what was made then or later.")]
CreatedBefore = Annotated[AwareDatetime | None, Query(description="Only what was made before.")]
Metadata = Annotated[
    str | None,
    Query(max_length=4000, description='Only with these values, as a flat JSON object: `{"plan": "pro"}`.'),
]


def metadata_of(text: str | None) -> dict[str, Any] | None:
    """Return the object that the parameter `metadata` holds, None where it was not sent.

    Raises:
        InvalidRequestError: it is no flat JSON object of up to 16 keys.
    """
    if text is None:
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict) or len(value) > MAX_KEYS or not all(map(_fits, value.items())):
        raise InvalidRequestError(
            "See `errors` for the fields that are not valid.",
            (FieldError("query/metadata", "object_required", "Send a flat JSON object of up to 16 keys."),),
        )
    return value


def _fits(item: tuple[str, Any]) -> bool:
    key, value = item
    if not 1 <= len(key) <= MAX_KEY_CHARS or not is_storable(key):
        return False
    if isinstance(value, str):
        return len(value) <= MAX_VALUE_CHARS and is_storable(value)
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, bool) or value is None:
        return True
    return isinstance(value, int) and abs(value) < 10**300
