"""Reports as answers: JSON or CSV, and the cursors of their pages."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse
from pydantic import BaseModel

from chatsphere.http.models import is_storable
from chatsphere.http.operations import problem_response
from chatsphere.http.pagination import content_of, invalid_cursor, opaque
from chatsphere.http.proxy_event import header
from chatsphere.insights.csv_text import CONTENT_TYPE, MEDIA_TYPE, csv_text

JSON: Final = "application/json"
_MOST: Final = 2**63 - 1


def table_of(model: type[BaseModel], description: str) -> dict[int, OpenAPIResponse]:
    """Return the OpenAPI responses of an operation that answers this model, or its rows as CSV."""
    content: Any = {JSON: {"model": model}, MEDIA_TYPE: {"schema": {"type": "string"}}}
    told = f"{description} As CSV, the rows of `data`; the field `Link` names the next page where there is one."
    return {
        200: {"description": told, "content": content},
        404: problem_response("The caller sees no bot of this `bot_id`."),
    }


def answered(
    router: Router, report: BaseModel, rows: Sequence[Mapping[str, Any]], columns: Sequence[str], form: str | None
) -> Response[Any]:
    """Return the report as JSON, or its rows as CSV where `form` or else the request's `Accept` says so."""
    event = router.current_event.raw_event
    if form == "json" or (form is None and not _prefers_csv(header(event, "accept") or "")):
        return Response(status_code=200, content_type=JSON, body=report.model_dump(mode="json"))
    cursor, headers = getattr(report, "next_cursor", None), {}
    if cursor is not None:
        asked = {name: values[-1] for name, values in (event.get("multiValueQueryStringParameters") or {}).items()}
        query = urlencode({**asked, "format": "csv", "cursor": cursor})
        headers["Link"] = f'<{router.current_event.path}?{query}>; rel="next"'
    return Response(status_code=200, content_type=CONTENT_TYPE, body=csv_text(columns, rows), headers=headers)


def group_cursor(key: str) -> str:
    """Return the cursor that continues after the group of this key."""
    return opaque(b"g" + key.encode())


def group_of(cursor: str | None) -> str | None:
    """Return the key that a cursor holds, or None for the first page.

    Raises:
        InvalidRequestError: the cursor is none that ChatSphere made.
    """
    if cursor is None:
        return None
    content = content_of(cursor)
    try:
        key = content[1:].decode()
    except ValueError:
        raise invalid_cursor() from None
    if content[:1] != b"g" or not is_storable(key):
        raise invalid_cursor()
    return key


def ranked_cursor(count: int, key: UUID) -> str:
    """Return the cursor that continues after the row of this count and id."""
    return opaque(count.to_bytes(8) + key.bytes)


def ranked_place(cursor: str | None) -> tuple[int, UUID] | None:
    """Return the count and id that a cursor holds, or None for the first page.

    Raises:
        InvalidRequestError: the cursor is none that ChatSphere made.
    """
    if cursor is None:
        return None
    content = content_of(cursor)
    count = int.from_bytes(content[:8])
    if len(content) != 24 or count > _MOST:
        raise invalid_cursor()
    return count, UUID(bytes=content[8:])


def _prefers_csv(accept: str) -> bool:
    weights = dict(map(_weighed, accept.split(",")))
    return weights.get(MEDIA_TYPE, 0.0) > weights.get(JSON, 0.0)


def _weighed(media_range: str) -> tuple[str, float]:
    name, *parameters = (part.strip().lower() for part in media_range.split(";"))
    weight = next((each[2:] for each in parameters if each.startswith("q=")), "1")
    try:
        return name, float(weight)
    except ValueError:
        return name, 0.0
