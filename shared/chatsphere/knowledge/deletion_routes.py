"""HTTP routes of deletions: translate in, call one use case, translate out."""

from typing import Annotated
from uuid import UUID

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query

from chatsphere.access.permissions import Permission
from chatsphere.bootstrap import container
from chatsphere.http.operations import requires
from chatsphere.http.pagination import Cursor, Limit, Page, decode_cursor, page_of
from chatsphere.http.rest_api import principal
from chatsphere.knowledge.deletion_schemas import DeletionAccepted, DeletionResponse, DeletionStatus
from chatsphere.knowledge.ingestion.receipts import Deletion, deletions_page, find_deletion

router = Router()

TAGS = ["deletions"]


@router.get(
    "/v1/deletions",
    summary="List the deletions",
    tags=TAGS,
    operation_id="listDeletions",
    openapi_extensions=requires(Permission.DELETIONS_READ),
)
def list_deletions(
    limit: Limit = 20,
    cursor: Cursor = None,
    bot_id: Annotated[UUID | None, Query(description="Only of this bot and its documents.")] = None,
    document_id: Annotated[UUID | None, Query(description="Only of this document.")] = None,
    status: Annotated[DeletionStatus | None, Query(description="Only of this status.")] = None,
) -> Page[DeletionResponse]:
    """Return a page of the deletions that the caller sees, newest first: those of bots that the caller sees and those
    that the caller asked for; all of them for admins and owners.
    """
    caller = principal(router)
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        rows = deletions_page(
            connection,
            caller,
            bot_id=bot_id,
            document_id=document_id,
            status=status,
            after=decode_cursor(cursor),
            limit=limit,
        )
    return page_of([DeletionResponse.model_validate(row) for row in rows], limit, lambda deletion: deletion.id)


@router.get(
    "/v1/deletions/<deletion_id>",
    summary="Get a deletion and its receipt",
    tags=TAGS,
    operation_id="getDeletion",
    openapi_extensions=requires(Permission.DELETIONS_READ),
)
def get_deletion(deletion_id: UUID) -> DeletionResponse:
    """Return one deletion: how far it is, what it removed, and what a second look found."""
    caller = principal(router)
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        return DeletionResponse.model_validate(find_deletion(connection, caller, deletion_id))


def accepted(deletion: Deletion) -> Response[DeletionAccepted]:
    """Answer 202 with a deletion, and where it is to be looked up."""
    body = DeletionAccepted(deletion=DeletionResponse.model_validate(deletion))
    return Response(202, "application/json", body, headers={"Location": f"/v1/deletions/{deletion.id}"})
