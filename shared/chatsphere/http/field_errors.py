"""Pydantic's complaints about a request as the fields of a problem document."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from chatsphere.errors import FieldError

_OWN_VALIDATOR: Final = "Value error, "
"""What pydantic puts before the words of a validator of ours."""


def field_errors(complaints: Iterable[Mapping[str, Any]], *within: str) -> tuple[FieldError, ...]:
    """Return a field error for each complaint, its pointer beginning with `within`."""
    return tuple(
        FieldError(
            "/".join(map(str, (*within, *complaint["loc"]))),
            code=str(complaint["type"]),
            detail=str(complaint["msg"]).removeprefix(_OWN_VALIDATOR),
        )
        for complaint in complaints
    )
