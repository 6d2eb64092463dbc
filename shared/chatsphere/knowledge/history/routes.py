"""HTTP routes of the history and of the status: translate in, call one use case, translate out."""

from uuid import UUID

from aws_lambda_powertools.event_handler.api_gateway import Router

from chatsphere.access.permissions import Permission
from chatsphere.bootstrap import container
from chatsphere.http.operations import requires
from chatsphere.http.pagination import Cursor, Limit, Page, decode_cursor, page_of
from chatsphere.http.rest_api import principal
from chatsphere.knowledge.history.runs import runs_page
from chatsphere.knowledge.history.schemas import (
    DocumentRunResponse,
    IngestionStatusResponse,
    run_response,
    status_response,
)
from chatsphere.knowledge.history.status import ingestion_status

router = Router()


@router.get(
    "/v1/bots/<bot_id>/documents/<document_id>/history",
    summary="List what became of a document's generations",
    tags=["documents"],
    operation_id="listDocumentHistory",
    openapi_extensions=requires(Permission.DOCUMENTS_READ),
)
def list_history(
    bot_id: UUID, document_id: UUID, limit: Limit = 20, cursor: Cursor = None
) -> Page[DocumentRunResponse]:
    """Return a page of the document's runs, newest first; the last 50 are kept."""
    caller = principal(router)
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        rows = runs_page(connection, bot_id, document_id, after=decode_cursor(cursor), limit=limit)
    return page_of([run_response(row) for row in rows], limit, lambda run: run.id)


@router.get(
    "/v1/bots/<bot_id>/ingestion",
    summary="Get how far a bot's ingestion is",
    tags=["documents"],
    operation_id="getIngestion",
    openapi_extensions=requires(Permission.DOCUMENTS_READ),
)
def get_ingestion(bot_id: UUID) -> IngestionStatusResponse:
    """Return counts by status, what is under way and how far, and what failed last. The stream tells the same."""
    caller = principal(router)
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        return status_response(ingestion_status(connection, bot_id))
