"""What every request and every response of the HTTP API has in common."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError


class ApiRequest(BaseModel):
    """Base of every request body: an unknown field is an error, and so is a value that cannot be stored.

    PostgreSQL stores no U+0000, no lone surrogate and, in JSON, no infinite number, and JSON permits them all;
    refusing them here keeps a database error from becoming an internal one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _storable(cls, value: Any) -> Any:
        for scalar in _scalars(value):
            if isinstance(scalar, str) and not is_storable(scalar):
                raise PydanticCustomError("unstorable_text", "Text must not hold U+0000 or a lone surrogate")
            if isinstance(scalar, float) and not math.isfinite(scalar):
                raise PydanticCustomError("infinite_number", "The number is too large")
        return value


def unchanged() -> Any:
    """Return the default of a field of a PATCH body: left out means unchanged, and null is no value of it.

    Read such a body with `model_dump(exclude_unset=True)` only.
    """
    return Field(default_factory=lambda: None)


class ApiResponse(BaseModel):
    """Base of every response body; made from a model with `model_validate(model)`. Times are UTC."""

    model_config = ConfigDict(from_attributes=True, frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _utc(cls, value: Any) -> Any:
        # The database's driver answers in the session's time zone.
        return value.astimezone(UTC) if isinstance(value, datetime) else value


def is_storable(text: str) -> bool:
    """Return whether PostgreSQL can store the text: no U+0000, no lone surrogate."""
    if "\x00" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _scalars(value: Any) -> Iterator[Any]:
    """Yield every scalar in a JSON value, keys included. Not recursive: the depth is the client's choice."""
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            pending.extend(item.keys())
            pending.extend(item.values())
        elif isinstance(item, list | tuple):
            pending.extend(item)
        else:
            yield item
