"""Request bodies: bytes of a declared type in, a JSON object out, and an error of ChatSphere's own for all else."""

import json
from typing import Any, NoReturn

from chatsphere.errors import (
    FieldError,
    InvalidRequestError,
    MalformedBodyError,
    PayloadTooLargeError,
    UnsupportedMediaTypeError,
)

MAX_BODY_BYTES = 5 * 1024 * 1024
"""A Lambda event holds 6 MB, and a body may arrive in base64."""

MAX_DEPTH = 64
MEDIA_TYPE = "application/json"


def require_json(content_type: str | None) -> None:
    """Raise `UnsupportedMediaTypeError` unless the declared type is JSON; undeclared is taken as JSON."""
    if content_type is not None and content_type.partition(";")[0].strip().lower() not in ("", MEDIA_TYPE):
        raise UnsupportedMediaTypeError


def decode_text(body: bytes) -> str:
    """Return the body as text.

    Raises:
        PayloadTooLargeError: it is larger than any request has a reason to be.
        MalformedBodyError: it is not UTF-8.
    """
    if len(body) > MAX_BODY_BYTES:
        raise PayloadTooLargeError(f"A request body may hold {MAX_BODY_BYTES} bytes.")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise MalformedBodyError("The body is not valid UTF-8.") from None


def parse_object(text: str) -> dict[str, Any]:
    """Return the JSON object that the text holds.

    Stricter than `json.loads`: no NaN or Infinity, no number of absurd length, no deep nesting.

    Raises:
        MalformedBodyError: it is no JSON.
        InvalidRequestError: it is JSON, and no object.
    """
    try:
        value = json.loads(text, parse_constant=_no_constant, parse_int=_int)
    except (ValueError, RecursionError):
        raise MalformedBodyError("The body is not valid JSON.") from None
    if not isinstance(value, dict):
        raise body_required()
    _check_depth(value)
    return value


def body_required() -> InvalidRequestError:
    """Return the error of a request whose body is missing or no object."""
    return InvalidRequestError(
        "The request needs a JSON object as its body.", (FieldError("body", "object_required", "Send a JSON object."),)
    )


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [child for item in level for child in _children(item)]
        if not level:
            return
    raise MalformedBodyError(f"The body is nested deeper than {MAX_DEPTH} levels.")


def _children(value: Any) -> list[Any]:
    children = list(value.values()) if isinstance(value, dict) else value
    return [child for child in children if isinstance(child, dict | list)]


def _no_constant(_: str) -> NoReturn:
    raise ValueError


def _int(digits: str) -> int:
    # Past this many digits Python takes quadratic time, and PostgreSQL's numeric ends as well.
    if len(digits) > 1000:
        raise ValueError
    return int(digits)
