"""HTTP routes of what is listed: sources, questions without an answer, groups of errors."""

from collections.abc import Sequence
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from pydantic import BaseModel

from chatsphere.bootstrap import container
from chatsphere.db.database import SLOW_READ_MS
from chatsphere.http.pagination import Cursor, Limit, Page, page_with_cursor
from chatsphere.http.rest_api import principal
from chatsphere.http.timed_pagination import Place, decode_place, timed_page
from chatsphere.insights import listing, schemas
from chatsphere.insights.answering import answered, ranked_cursor, ranked_place, table_of
from chatsphere.insights.asking import narrowed_to_visible, period_of, require_conversations
from chatsphere.insights.routes import READ, TAGS

router = Router()


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
    caller, c, after = principal(router), container(), ranked_place(cursor)
    period = None if since is None and until is None else period_of(since, until, c.clock.now().date())
    with c.database.transaction(caller.organization_id, caller.user_id, statement_ms=SLOW_READ_MS) as connection:
        narrowed = narrowed_to_visible(connection, caller, bot_id)
        ever = None if found is None else found == "ever"
        rows = listing.sources(connection, narrowed, found=ever, period=period, after=after, limit=limit)
    shown = [schemas.SourceRow.model_validate(row) for row in rows]
    page = page_with_cursor(shown, limit, lambda row: ranked_cursor(row.retrieved, row.document_id))
    return _answered(page, page.data, schemas.SourceRow, format)


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
    caller, c, after = principal(router), container(), ranked_place(cursor)
    period = period_of(since, until, c.clock.now().date())
    require_conversations(caller)
    with c.database.transaction(caller.organization_id, caller.user_id, statement_ms=SLOW_READ_MS) as connection:
        narrowed = narrowed_to_visible(connection, caller, bot_id)
        rows = listing.unanswered(connection, narrowed, period, status=status, after=after, limit=limit)
    shown = [schemas.UnansweredRow.model_validate(row) for row in rows]
    page = page_with_cursor(shown, limit, lambda row: ranked_cursor(row.asked_count, row.id))
    return _answered(page, page.data, schemas.UnansweredRow, format)


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
    caller, c, place = principal(router), container(), decode_place(cursor)
    period = period_of(since, until, c.clock.now().date())
    after = (place.time, place.key) if place else None
    with c.database.transaction(caller.organization_id, caller.user_id, statement_ms=SLOW_READ_MS) as connection:
        narrowed = narrowed_to_visible(connection, caller, bot_id)
        rows = listing.errors(connection, narrowed, period, after=after, limit=limit)
    shown = [schemas.ErrorGroup.model_validate({**row, "bot_ids": row["bot_ids"] or []}) for row in rows]
    page = timed_page(shown, limit, lambda row: Place(row.last_seen_at, row.fingerprint))
    return _answered(page, page.data, schemas.ErrorGroup, format)


def _answered(page: BaseModel, rows: Sequence[BaseModel], row: type[BaseModel], form: str | None) -> Response[Any]:
    return answered(router, page, [each.model_dump() for each in rows], list(row.model_fields), form)
