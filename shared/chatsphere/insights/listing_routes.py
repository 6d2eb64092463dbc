"""HTTP routes of what is listed: sources, questions without an answer, groups of errors."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from pydantic import BaseModel

from chatsphere.bootstrap import container
from chatsphere.db.database import SLOW_READ_MS, Connection
from chatsphere.http.pagination import Cursor, Limit, Page, page_with_cursor
from chatsphere.http.rest_api import principal
from chatsphere.http.timed_pagination import Place, decode_place, encode_place
from chatsphere.insights import listing, schemas
from chatsphere.insights.answering import answered, ranked_cursor, ranked_place, table_of
from chatsphere.insights.asking import Narrowed, narrowed_to_visible, period_of, require_conversations
from chatsphere.insights.routes import READ, TAGS

router = Router()

Row = TypeVar("Row", bound=BaseModel)
Read = Callable[[Connection, Narrowed], Sequence[Mapping[str, Any]]]


@router.get(
    "/v1/insights/sources",
    summary="Which documents answers come from",
    tags=TAGS,
    operation_id="showSources",
    openapi_extensions=READ,
    responses=table_of(Page[schemas.SourceRow], "Documents, those first that were found most often."),
)
def show_sources(
    bot_id: schemas.BotId = None,
    found: schemas.Found = None,
    since: schemas.Since = None,
    until: schemas.Until = None,
    limit: Limit = 20,
    cursor: Cursor = None,
    format: schemas.Format = None,  # noqa: A002
) -> Response[Any]:
    """Return a page of documents; counts are since each was added. `since` and `until`: only those last found then."""
    after, today = ranked_place(cursor), container().clock.now().date()
    period = None if since is None and until is None else period_of(since, until, today)
    ever = None if found is None else found == "ever"

    def read(connection: Connection, narrowed: Narrowed) -> list[listing.Row]:
        return listing.sources(connection, narrowed, found=ever, period=period, after=after, limit=limit)

    rows = _rows(schemas.SourceRow, bot_id, read)
    page = page_with_cursor(rows, limit, lambda row: ranked_cursor(row.retrieved, row.document_id))
    return _answered(schemas.SourceRow, page, format)


@router.get(
    "/v1/insights/unanswered",
    summary="What was asked in vain",
    tags=TAGS,
    operation_id="showUnanswered",
    openapi_extensions=READ,
    responses=table_of(Page[schemas.UnansweredRow], "Questions, those first that were asked most often."),
)
def show_unanswered(
    since: schemas.Since = None,
    until: schemas.Until = None,
    bot_id: schemas.BotId = None,
    status: schemas.Status = None,
    limit: Limit = 20,
    cursor: Cursor = None,
    format: schemas.Format = None,  # noqa: A002
) -> Response[Any]:
    """Return a page of questions that had no answer in the period, each once."""
    after, period = ranked_place(cursor), period_of(since, until, container().clock.now().date())
    require_conversations(principal(router))

    def read(connection: Connection, narrowed: Narrowed) -> list[listing.Row]:
        return listing.unanswered(connection, narrowed, period, status=status, after=after, limit=limit)

    rows = _rows(schemas.UnansweredRow, bot_id, read)
    page = page_with_cursor(rows, limit, lambda row: ranked_cursor(row.asked_count, row.id))
    return _answered(schemas.UnansweredRow, page, format)


@router.get(
    "/v1/insights/errors",
    summary="What went wrong",
    tags=TAGS,
    operation_id="showErrors",
    openapi_extensions=READ,
    responses=table_of(Page[schemas.ErrorGroup], "Errors of one cause together, the last seen first."),
)
def show_errors(
    since: schemas.Since = None,
    until: schemas.Until = None,
    bot_id: schemas.BotId = None,
    limit: Limit = 20,
    cursor: Cursor = None,
    format: schemas.Format = None,  # noqa: A002
) -> Response[Any]:
    """Return a page of groups of errors; counts and times are of the period."""
    place, period = decode_place(cursor), period_of(since, until, container().clock.now().date())
    after = (place.time, place.key) if place else None

    def read(connection: Connection, narrowed: Narrowed) -> list[listing.Row]:
        return listing.errors(connection, narrowed, period, after=after, limit=limit)

    rows = _rows(schemas.ErrorGroup, bot_id, read)
    page = page_with_cursor(rows, limit, lambda row: encode_place(Place(row.last_seen_at, row.fingerprint)))
    return _answered(schemas.ErrorGroup, page, format)


def _rows(kind: type[Row], bot_id: UUID | None, read: Read) -> list[Row]:
    """Return what is read of the bots that the caller may have numbers of."""
    caller, c = principal(router), container()
    with c.database.transaction(caller.organization_id, caller.user_id, statement_ms=SLOW_READ_MS) as connection:
        found = read(connection, narrowed_to_visible(connection, caller, bot_id))
    return [kind.model_validate(row) for row in found]


def _answered(kind: type[Row], page: Page[Row], form: str | None) -> Response[Any]:
    return answered(router, page, [row.model_dump() for row in page.data], list(kind.model_fields), form)
