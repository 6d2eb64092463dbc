"""API Gateway's proxy events, made fit for Powertools."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from chatsphere.db.origin import Origin
from chatsphere.errors import MalformedBodyError
from chatsphere.http import json_body

Event = dict[str, Any]


def with_plain_body(event: Event) -> Event:
    """Return the event with its body as checked text, before Powertools trips over what is none.

    Raises:
        UnsupportedMediaTypeError, PayloadTooLargeError, MalformedBodyError: the body is none to parse.
    """
    body = event.get("body")
    if not body:
        return event
    headers = {name: value for name, value in (event.get("headers") or {}).items() if name.lower() != "content-type"}
    json_body.require_json(header(event, "content-type"))
    # Powertools compares the media type letter by letter.
    headers["Content-Type"] = json_body.MEDIA_TYPE
    text = json_body.decode_text(_body_bytes(body, encoded=bool(event.get("isBase64Encoded"))))
    return {**event, "body": text, "isBase64Encoded": False, "headers": headers}


def _body_bytes(body: str, *, encoded: bool) -> bytes:
    try:
        return base64.b64decode(body, validate=True) if encoded else body.encode()
    except (binascii.Error, ValueError):
        raise MalformedBodyError("The body is not valid UTF-8.") from None


def header(event: Event, name: str) -> str | None:
    """Return a header of the event, by its lower-case name."""
    return next((value for key, value in (event.get("headers") or {}).items() if key.lower() == name), None)


def header_values(event: Mapping[str, Any], name: str) -> list[str]:
    """Return each value of a header that may have been sent more than once, by its lower-case name."""
    many = event.get("multiValueHeaders") or {key: [value] for key, value in (event.get("headers") or {}).items()}
    return [value for key, values in many.items() if key.lower() == name for value in values]


def request_id(event: Event) -> str:
    """Return the request's id; an event without one is given one, so that header and body agree."""
    context = event.setdefault("requestContext", {})
    return str(context.setdefault("requestId", str(uuid4())))


def authorizer_context(event: Event) -> Mapping[str, Any]:
    """Return what the authorizer established, nothing where the request did not come through it."""
    context = event.get("requestContext", {}).get("authorizer")
    return context if isinstance(context, dict) else {}


def origin(event: Event) -> Origin:
    """Return where the request comes from."""
    identity = event.get("requestContext", {}).get("identity") or {}
    return Origin.of(authorizer_context(event), identity, request_id(event))
