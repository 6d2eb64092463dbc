"""HTTP routes of documents: translate in, call one use case, translate out."""

from typing import Annotated
from uuid import UUID

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query

from chatsphere.access.permissions import Permission
from chatsphere.access.principal import Principal
from chatsphere.audit.recording import note
from chatsphere.bootstrap import container
from chatsphere.errors import PayloadTooLargeError
from chatsphere.http.operations import described, problem_response, requires
from chatsphere.http.pagination import Cursor, Limit, Page, decode_cursor, page_of
from chatsphere.http.rest_api import principal
from chatsphere.knowledge import documents
from chatsphere.knowledge.deletion_routes import accepted
from chatsphere.knowledge.deletion_schemas import DeletionAccepted
from chatsphere.knowledge.ingestion.deletion import Eraser
from chatsphere.knowledge.ingestion.messages import PurgeMessage
from chatsphere.knowledge.ingestion.object_keys import ObjectKey, prefix
from chatsphere.knowledge.ingestion.redrive import Redriver
from chatsphere.knowledge.ingestion.register import Registrar
from chatsphere.knowledge.ingestion.submit import Submission, Submitter
from chatsphere.knowledge.schemas import (
    MAX_TEXT_BYTES,
    ChunkResponse,
    CreateDocumentRequest,
    DocumentAccepted,
    DocumentReprocessed,
    DocumentResponse,
    Status,
    TemporaryCredentialsBody,
    UploadCredentialsResponse,
    UploadForm,
)
from chatsphere.knowledge.web.routes import accept_page

router = Router()

TAGS = ["documents"]
PLAIN_TEXT = "text/plain"


@router.post(
    "/v1/bots/<bot_id>/documents",
    status_code=201,
    summary="Add a document, or replace the one of the same name",
    tags=TAGS,
    operation_id="createDocument",
    openapi_extensions=requires(Permission.DOCUMENTS_WRITE),
    responses={
        201: described("An upload is permitted: send the file with the form."),
        202: described("The text, or the page that is to be fetched, is accepted and being processed."),
        409: problem_response("A document of this name is being deleted, or the bot is archived (`bot_archived`)."),
        402: problem_response("The plan permits no further document of the bot, or not that many bytes."),
        413: problem_response("The file or text is too large."),
    },
)
def create_document(bot_id: UUID, body: CreateDocumentRequest) -> Response[DocumentAccepted]:
    """Permit the upload of a file, take a text, or fetch a page of the web.

    Readers see a replaced document until the new one is ready. A page is a source of its own (`…/sources`).
    """
    caller = principal(router)
    if body.url is not None:
        return Response(202, "application/json", accept_page(caller, bot_id, body, body.url))
    key = ObjectKey(caller.organization_id, bot_id, body.name or "")
    accepted = _permit_upload(key, body) if body.text is None else _accept_text(key, body, body.text)
    return Response(201 if accepted.upload else 202, "application/json", accepted)


def _permit_upload(key: ObjectKey, body: CreateDocumentRequest) -> DocumentAccepted:
    submission = Submission(key, "upload", body.content_type or "", body.size or 0, body.metadata, body.tags)
    submitted, form = _submitter().permit_upload(submission)
    return DocumentAccepted(
        document=DocumentResponse.model_validate(submitted.document),
        outcome=submitted.outcome,
        upload=UploadForm(url=form.url, fields=dict(form.fields)),
    )


def _accept_text(key: ObjectKey, body: CreateDocumentRequest, content: str) -> DocumentAccepted:
    text = content.encode()
    if len(text) > MAX_TEXT_BYTES:
        raise PayloadTooLargeError(f"A text may hold {MAX_TEXT_BYTES} bytes; upload it as a file.")
    submission = Submission(key, "text", body.content_type or PLAIN_TEXT, len(text), body.metadata, body.tags)
    submitted = _submitter().accept_text(submission, text)
    return DocumentAccepted(document=DocumentResponse.model_validate(submitted.document), outcome=submitted.outcome)


@router.get(
    "/v1/bots/<bot_id>/documents",
    summary="List the documents",
    tags=TAGS,
    operation_id="listDocuments",
    openapi_extensions=requires(Permission.DOCUMENTS_READ),
)
def list_documents(
    bot_id: UUID,
    limit: Limit = 20,
    cursor: Cursor = None,
    status: Annotated[Status | None, Query(description="Only documents of this status.")] = None,
) -> Page[DocumentResponse]:
    """Return a page of the bot's documents, newest first."""
    caller = principal(router)
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        rows = documents.documents_page(connection, bot_id, status=status, after=decode_cursor(cursor), limit=limit)
    return page_of([DocumentResponse.model_validate(row) for row in rows], limit, lambda document: document.id)


@router.get(
    "/v1/bots/<bot_id>/documents/<document_id>",
    summary="Get a document",
    tags=TAGS,
    operation_id="getDocument",
    openapi_extensions=requires(Permission.DOCUMENTS_READ),
)
def get_document(bot_id: UUID, document_id: UUID) -> DocumentResponse:
    """Return one document, with how far it is or why it failed."""
    caller = principal(router)
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        return DocumentResponse.model_validate(documents.get_document(connection, bot_id, document_id))


@router.get(
    "/v1/bots/<bot_id>/documents/<document_id>/chunks",
    summary="List the passages of a document",
    tags=TAGS,
    operation_id="listChunks",
    openapi_extensions=requires(Permission.DOCUMENTS_READ),
)
def list_chunks(bot_id: UUID, document_id: UUID, limit: Limit = 20, cursor: Cursor = None) -> Page[ChunkResponse]:
    """Return a page of the passages that are searched, in the order of the text."""
    caller = principal(router)
    # A passage's place is the cursor, not its id: the ids change with each generation.
    after = -1 if (place := decode_cursor(cursor)) is None else min(place.int, 2**31 - 1)
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        rows = documents.chunks_page(connection, bot_id, document_id, after=after, limit=limit)
    return page_of([ChunkResponse.model_validate(row) for row in rows], limit, lambda chunk: UUID(int=chunk.ordinal))


@router.delete(
    "/v1/bots/<bot_id>/documents/<document_id>",
    status_code=202,
    summary="Delete a document",
    tags=TAGS,
    operation_id="deleteDocument",
    openapi_extensions=requires(Permission.DOCUMENTS_WRITE),
    responses={202: described("Nobody sees the document any more. Most often its deletion is done by now.")},
)
def delete_document(bot_id: UUID, document_id: UUID) -> Response[DeletionAccepted]:
    """Delete the document with its passages, vectors and stored file, and say what was removed."""
    caller, c = principal(router), container()
    eraser = Eraser(c.database, c.object_store, c.vector_store, c.clock)
    message = PurgeMessage(organization_id=caller.organization_id, bot_id=bot_id, document_id=document_id)
    return accepted(eraser.delete(message, c.purge_queue, actor_id=caller.user_id))


@router.post(
    "/v1/bots/<bot_id>/documents/<document_id>/reprocess",
    status_code=202,
    summary="Process a document again",
    tags=TAGS,
    operation_id="reprocessDocument",
    openapi_extensions=requires(Permission.DOCUMENTS_WRITE),
    responses={
        202: described("The document, which is being processed."),
        409: problem_response(
            "The document is being processed already (`document_in_progress`), or nothing of it is stored "
            "(`no_stored_object`); or its bot is archived (`bot_archived`)."
        ),
    },
)
def reprocess_document(bot_id: UUID, document_id: UUID) -> DocumentReprocessed:
    """Read the stored file anew. Readers see what they saw until the new passages are ready."""
    caller, c = principal(router), container()
    redriver = Redriver(c.database, c.extract_queue, c.clock)
    document = redriver.reprocess(caller.organization_id, bot_id, document_id, actor_id=caller.user_id)
    return DocumentReprocessed(document=DocumentResponse.model_validate(document))


@router.post(
    "/v1/bots/<bot_id>/upload-credentials",
    status_code=201,
    summary="Get credentials to upload with any S3 client",
    tags=TAGS,
    operation_id="createUploadCredentials",
    openapi_extensions=requires(Permission.DOCUMENTS_WRITE),
    responses={
        201: described("Credentials that put files under this bot's prefix, and do nothing else."),
        409: problem_response("The bot is archived (`bot_archived`)."),
    },
)
def create_upload_credentials(bot_id: UUID) -> Response[UploadCredentialsResponse]:
    """Lend temporary AWS credentials for the bot's prefix: whatever is put there is ingested."""
    caller, c = principal(router), container()
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        documents.require_open_bot(connection, bot_id)
    place = prefix(caller.organization_id, bot_id)
    lent = c.upload_credentials.lend(place, session_name=_session_name(caller))
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        note(connection, "upload_credentials.lent", "bot", bot_id, after={"expires_at": lent.expires_at.isoformat()})
    body = UploadCredentialsResponse(
        bucket=c.storage_settings.uploads_bucket,
        prefix=place,
        region=c.upload_credentials_settings.aws_region,
        endpoint=c.storage_settings.s3_endpoint,
        credentials=TemporaryCredentialsBody.model_validate(lent),
    )
    return Response(201, "application/json", body, headers={"Cache-Control": "no-store"})


def _session_name(caller: Principal) -> str:
    """Return who uploads, as the bucket's audit trail shall name them."""
    return f"key-{caller.api_key_id}" if caller.api_key_id else f"user-{caller.user_id}"


def _submitter() -> Submitter:
    c = container()
    limits = c.storage_settings
    eraser = Eraser(c.database, c.object_store, c.vector_store, c.clock)
    registrar = Registrar(c.database, c.object_store, c.extract_queue, eraser, c.clock, c.ids, limits.max_upload_bytes)
    return Submitter(
        c.database,
        c.object_store,
        registrar,
        c.clock,
        c.ids,
        limits.max_upload_bytes,
        limits.upload_expires_seconds,
    )
