"""HTTP routes of what is said of a document, and of the way to its source."""

from typing import Annotated
from uuid import UUID

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query

from chatsphere.access.permissions import Permission
from chatsphere.bootstrap import container
from chatsphere.http.operations import described, requires
from chatsphere.http.rest_api import principal
from chatsphere.knowledge.describing import describe_document
from chatsphere.knowledge.opening import SourceOpener
from chatsphere.knowledge.schemas import DocumentResponse, SourceLinkResponse, UpdateDocumentRequest

router = Router()

TAGS = ["documents"]
Page = Annotated[int | None, Query(ge=1, le=1_000_000, description="The page of a PDF at which it is opened.")]


@router.patch(
    "/v1/bots/<bot_id>/documents/<document_id>",
    summary="Change a document's name, tags or metadata",
    tags=TAGS,
    operation_id="updateDocument",
    openapi_extensions=requires(Permission.DOCUMENTS_WRITE),
)
def update_document(bot_id: UUID, document_id: UUID, body: UpdateDocumentRequest) -> DocumentResponse:
    """Replace what is given. Nothing is processed again: searches are filtered by the new values at once."""
    caller, c = principal(router), container()
    changes = body.model_dump(exclude_unset=True)
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        document = describe_document(connection, bot_id, document_id, changes, c.clock.now())
    return DocumentResponse.model_validate(document)


@router.get(
    "/v1/bots/<bot_id>/documents/<document_id>/source",
    summary="Open a document's source",
    tags=TAGS,
    operation_id="getDocumentSource",
    openapi_extensions=requires(Permission.DOCUMENTS_READ),
    responses={200: described("A link to the file that was read, valid for five minutes; or to the web page.")},
)
def get_source(bot_id: UUID, document_id: UUID, page: Page = None) -> Response[SourceLinkResponse]:
    """Return a link to the version of the file that answers rest on; of a PDF, to a citation's page."""
    caller, c = principal(router), container()
    opener = SourceOpener(c.database, c.object_store, c.malware_scanner, c.clock)
    link = opener.link(caller.organization_id, bot_id, document_id, page=page)
    body = SourceLinkResponse.model_validate(link)
    return Response(200, "application/json", body, headers={"Cache-Control": "no-store"})
