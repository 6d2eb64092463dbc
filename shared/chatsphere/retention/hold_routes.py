"""HTTP routes of legal holds: translate in, call one use case, translate out."""

from typing import Annotated, Any
from uuid import UUID

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query

from chatsphere.access.permissions import Permission
from chatsphere.bootstrap import container
from chatsphere.http.idempotency import keep_answer
from chatsphere.http.operations import NO_CONTENT, no_content, problem_response, requires
from chatsphere.http.pagination import Cursor, Limit, Page, decode_cursor, page_of
from chatsphere.retention import hold_records
from chatsphere.retention.hold_schemas import HoldRequest, HoldResponse
from chatsphere.retention.routes import caller_of_all

router = Router()

TAGS = ["legal holds"]


@router.post(
    "/v1/legal-holds",
    status_code=201,
    summary="Hold something",
    tags=TAGS,
    operation_id="createLegalHold",
    openapi_extensions=requires(Permission.RETENTION_WRITE),
)
def create_hold(body: HoldRequest) -> HoldResponse:
    """From now on nothing of it is deleted, by whomever, until the hold is released."""
    caller, c = caller_of_all(router), container()
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        row = hold_records.make_hold(connection, body.draft(), caller, c.ids.new(), c.clock.now())
        made = HoldResponse.model_validate(row)
        keep_answer(connection, 201, made)
    return made


@router.get(
    "/v1/legal-holds",
    summary="List the legal holds",
    tags=TAGS,
    operation_id="listLegalHolds",
    openapi_extensions=requires(Permission.RETENTION_READ),
)
def list_holds(
    limit: Limit = 20,
    cursor: Cursor = None,
    active: Annotated[bool | None, Query(description="Only those that hold, or only released ones.")] = None,
    bot_id: Annotated[UUID | None, Query(description="Only on this bot, or something of it.")] = None,
) -> Page[HoldResponse]:
    """Return a page of the holds, newest first, released ones too."""
    caller, after = caller_of_all(router), decode_cursor(cursor)
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        rows = hold_records.holds_page(connection, active=active, bot_id=bot_id, after=after, limit=limit)
    return page_of([HoldResponse.model_validate(row) for row in rows], limit, lambda hold: hold.id)


@router.get(
    "/v1/legal-holds/<hold_id>",
    summary="Get a legal hold",
    tags=TAGS,
    operation_id="getLegalHold",
    openapi_extensions=requires(Permission.RETENTION_READ),
)
def get_hold(hold_id: UUID) -> HoldResponse:
    """Return a hold: who made it, when and why, and who released it."""
    caller = caller_of_all(router)
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        return HoldResponse.model_validate(hold_records.get_hold(connection, hold_id))


@router.delete(
    "/v1/legal-holds/<hold_id>",
    status_code=204,
    summary="Release a legal hold",
    tags=TAGS,
    operation_id="releaseLegalHold",
    openapi_extensions=requires(Permission.RETENTION_WRITE),
    responses=NO_CONTENT | {409: problem_response("It was released before.")},
)
def release_hold(hold_id: UUID) -> Response[Any]:
    """Release it: what is due goes with the next run. Its record stays, with who and when."""
    caller, c = caller_of_all(router), container()
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        hold_records.release_hold(connection, hold_id, caller, c.clock.now())
    return no_content()
