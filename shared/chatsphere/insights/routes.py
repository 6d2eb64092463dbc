"""HTTP routes of insights: translate in, call one use case, translate out."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final
from uuid import UUID

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from pydantic import BaseModel

from chatsphere.access.permissions import Permission
from chatsphere.bootstrap import container
from chatsphere.db.database import SLOW_READ_MS
from chatsphere.http.operations import requires
from chatsphere.http.pagination import Cursor, page_with_cursor
from chatsphere.http.rest_api import principal
from chatsphere.insights import presenting, reports, schemas
from chatsphere.insights.answering import answered, group_cursor, group_of, table_of
from chatsphere.insights.asking import Group, narrowed_to_visible, period_of, require_conversations
from chatsphere.insights.histograms import RELATIVE_ERROR

router = Router()

TAGS: Final = ["insights"]
READ: Final = requires(Permission.INSIGHTS_READ)
PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class _Kind:
    """One kind of report: how a row is shown, and as what."""

    report: type[BaseModel]
    row: type[BaseModel]
    show: Callable[[reports.Row], dict[str, Any]]


_USAGE: Final = _Kind(schemas.UsageReport, schemas.UsageGroup, presenting.usage)
_COST: Final = _Kind(schemas.CostReport, schemas.CostGroup, presenting.cost)
_QUALITY: Final = _Kind(schemas.QualityReport, schemas.QualityGroup, presenting.quality)
_LATENCY: Final = _Kind(schemas.LatencyReport, schemas.LatencyGroup, presenting.latency)


@dataclass(frozen=True, slots=True)
class _Asked:
    """The parameters that all reports have."""

    since: date | None
    until: date | None
    group_by: str
    bot_id: UUID | None
    api_key_id: UUID | None
    end_user: str | None
    model: str | None
    channel: str | None
    limit: int
    cursor: str | None
    format: str | None


def _add(name: str, kind: _Kind, summary: str, description: str) -> None:
    """Add the route of one kind of report: usage, cost and quality are asked for in the same words."""

    @router.get(
        f"/v1/insights/{name}",
        summary=summary,
        description=description,
        tags=TAGS,
        operation_id=f"show{name.title()}",
        openapi_extensions=READ,
        responses=table_of(kind.report, description),
    )
    def show(
        since: schemas.Since = None,
        until: schemas.Until = None,
        group_by: schemas.GroupBy = "day",
        bot_id: schemas.BotId = None,
        api_key_id: schemas.ApiKeyId = None,
        end_user: schemas.EndUser = None,
        model: schemas.Model = None,
        channel: schemas.Channel = None,
        limit: schemas.Groups = PAGE,
        cursor: Cursor = None,
        format: schemas.Format = None,  # noqa: A002
    ) -> Response[Any]:
        asked = _Asked(since, until, group_by, bot_id, api_key_id, end_user, model, channel, limit, cursor, format)
        return _report(kind, asked)


_add("usage", _USAGE, "What was used", "Answers, searches, embedded documents and tokens, by group and in all.")
_add("cost", _COST, "What it cost", "Micro-dollars of answers, searches and embedding, by group and in all.")
_add(
    "quality",
    _QUALITY,
    "How good the answers were",
    "Refusals, ratings, citations and failures, by group and in all. A rating counts on the day when it was given.",
)


@router.get(
    "/v1/insights/latency",
    summary="How long answers took",
    tags=TAGS,
    operation_id="showLatency",
    openapi_extensions=READ,
    responses=table_of(schemas.LatencyReport, "Percentiles by stage."),
)
def show_latency(
    since: schemas.Since = None,
    until: schemas.Until = None,
    group_by: schemas.GroupLatencyBy = "day",
    bot_id: schemas.BotId = None,
    api_key_id: schemas.ApiKeyId = None,
    model: schemas.Model = None,
    channel: schemas.Channel = None,
    limit: schemas.Groups = PAGE,
    cursor: Cursor = None,
    format: schemas.Format = None,  # noqa: A002
) -> Response[Any]:
    """Return percentiles by group and stage, and of all groups; answers that failed or broke off are left out."""
    return _report(
        _LATENCY, _Asked(since, until, group_by, bot_id, api_key_id, None, model, channel, limit, cursor, format)
    )


def _report(kind: _Kind, asked: _Asked) -> Response[Any]:
    caller, c = principal(router), container()
    period, group = period_of(asked.since, asked.until, c.clock.now().date()), Group(asked.group_by)
    after = group_of(asked.cursor)
    if group is Group.END_USER or asked.end_user is not None:
        require_conversations(caller)
    read = reports.timed if kind is _LATENCY else reports.measured
    with c.database.transaction(caller.organization_id, caller.user_id, statement_ms=SLOW_READ_MS) as connection:
        visible = narrowed_to_visible(connection, caller, asked.bot_id)
        narrowed = replace(
            visible, api_key_id=asked.api_key_id, end_user=asked.end_user, model=asked.model, channel=asked.channel
        )
        found = read(connection, reports.Wanted(period, group, narrowed, after, asked.limit))
    keys = list(dict.fromkeys(row["key"] for row in found.rows))
    page = page_with_cursor(keys, asked.limit, group_cursor)
    shown = [kind.row.model_validate(kind.show(row)) for row in found.rows if row["key"] in page.data]
    totals = [kind.show(row) for row in found.total]
    report = kind.report.model_validate(
        {
            "since": period.first,
            "until": period.last,
            "group_by": group.value,
            "total": totals if kind is _LATENCY else totals[0],
            "data": shown,
            "next_cursor": page.next_cursor,
            "has_more": page.has_more,
            "relative_error": RELATIVE_ERROR,
        }
    )
    columns = list(dict.fromkeys(("group", "name", *kind.row.model_fields)))
    rows = [row.model_dump() | {group.value: getattr(row, "group", None)} for row in shown]
    return answered(router, report, rows, [group.value, *columns[1:]], asked.format)
