"""The HTTP route of end users: translate in, call one use case, translate out."""

from typing import Any
from uuid import UUID

from aws_lambda_powertools.event_handler.api_gateway import Router

from chatsphere.access.permissions import Permission
from chatsphere.bootstrap import container
from chatsphere.chat.end_users.schemas import EndUserResponse
from chatsphere.chat.end_users.statistics import end_users_page
from chatsphere.chat.query_schemas import EndUser
from chatsphere.db.database import SLOW_READ_MS
from chatsphere.http.operations import requires
from chatsphere.http.pagination import Cursor, Limit, Page
from chatsphere.http.rest_api import principal
from chatsphere.http.timed_pagination import Place, decode_place, timed_page

router = Router()


@router.get(
    "/v1/bots/<bot_id>/end-users",
    summary="List a bot's end users with statistics",
    tags=["conversations"],
    operation_id="listEndUsers",
    openapi_extensions=requires(Permission.CONVERSATIONS_READ),
)
def list_end_users(
    bot_id: UUID, limit: Limit = 20, cursor: Cursor = None, user: EndUser = None
) -> Page[EndUserResponse]:
    """Return a page of end users, the most recently active first. Who gave no name is not among them."""
    caller, place = principal(router), decode_place(cursor)
    with container().database.transaction(
        caller.organization_id, caller.user_id, statement_ms=SLOW_READ_MS
    ) as connection:
        rows = end_users_page(
            connection, bot_id, end_user_id=user, last=(place.time, place.key) if place else None, limit=limit
        )
    return timed_page([_body(row) for row in rows], limit, lambda one: Place(one.last_seen_at, one.user))


def _body(row: dict[str, Any]) -> EndUserResponse:
    share = row["answered"] / row["answers"] if row["answers"] else None
    return EndUserResponse.model_validate({**row, "user": row["end_user_id"], "answered_share": share})
