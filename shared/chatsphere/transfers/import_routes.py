"""HTTP routes of imports: translate in, call one use case, translate out."""

from contextlib import suppress
from dataclasses import asdict
from uuid import UUID

from aws_lambda_powertools.event_handler.api_gateway import Router

from chatsphere.access.permissions import Permission, Scope
from chatsphere.access.principal import Principal
from chatsphere.audit.recording import note
from chatsphere.bootstrap import container
from chatsphere.errors import ForbiddenError, UnavailableError
from chatsphere.http.idempotency import keep_answer
from chatsphere.http.operations import described, problem_response, requires
from chatsphere.http.pagination import Cursor, Limit, Page, decode_cursor, page_of
from chatsphere.http.rest_api import principal
from chatsphere.transfers import imports
from chatsphere.transfers.errors import UploadMissingError
from chatsphere.transfers.imports import Import
from chatsphere.transfers.messages import ImportMessage
from chatsphere.transfers.places import import_key
from chatsphere.transfers.schemas import CreateImportRequest, ImportPermitted, ImportResponse, ImportUpload

router = Router()

TAGS = ["bots"]


@router.post(
    "/v1/bot-imports",
    status_code=201,
    summary="Ask to import a bot from a file",
    tags=TAGS,
    operation_id="createImport",
    openapi_extensions=requires(Permission.BOTS_CREATE),
    responses={
        201: described("The import, and the form by which its file is uploaded; then start it."),
        402: problem_response("The plan permits no further bot."),
        409: problem_response("Too many imports have not ended (`too_many_imports`)."),
    },
)
def create_import(body: CreateImportRequest) -> ImportPermitted:
    """Permit the upload of one file. A key limited to some bots cannot add to them; others need the scope
    `documents:write`, too.
    """
    caller, c = _maker(), container()
    caller.require_scopes(Scope.DOCUMENTS_WRITE)
    import_id = c.ids.new()
    form = imports.upload_form(c.archive_store, caller.organization_id, import_id)
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        permitted = imports.permit(
            connection, import_id=import_id, created_by=caller.user_id, name=body.name, now=c.clock.now()
        )
        note(connection, "bot_import.create", "bot_import", import_id)
        upload = ImportUpload(url=form.url, fields=dict(form.fields))
        made = ImportPermitted(bot_import=_shown(permitted), upload=upload)
        keep_answer(connection, 201, made)
    return made


@router.get(
    "/v1/bot-imports",
    summary="List imports",
    tags=TAGS,
    operation_id="listImports",
    openapi_extensions=requires(Permission.BOTS_CREATE),
)
def list_imports(limit: Limit = 20, cursor: Cursor = None) -> Page[ImportResponse]:
    """Return a page of the organization's imports, newest first."""
    caller = _maker()
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        rows = imports.imports_page(connection, after=decode_cursor(cursor), limit=limit)
    return page_of([_shown(row) for row in rows], limit, lambda shown: shown.id)


@router.get(
    "/v1/bot-imports/<import_id>",
    summary="Get an import",
    tags=TAGS,
    operation_id="getImport",
    openapi_extensions=requires(Permission.BOTS_CREATE),
)
def get_import(import_id: UUID) -> ImportResponse:
    """Return one import, with how far it is or what became of it."""
    caller = _maker()
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        return _shown(imports.get_import(connection, import_id))


@router.post(
    "/v1/bot-imports/<import_id>/start",
    status_code=202,
    summary="Take in the file of an import",
    tags=TAGS,
    operation_id="startImport",
    openapi_extensions=requires(Permission.BOTS_CREATE),
    responses={
        202: described("The import; poll it until it is done or has failed."),
        409: problem_response("The file is not there (`upload_missing`), or it was started (`import_started`)."),
    },
)
def start_import(import_id: UUID) -> ImportResponse:
    """Have the file that was uploaded looked through and made a bot of: all of it, or nothing. An API key needs the
    scope `documents:write`, too.
    """
    caller, c = _maker(), container()
    caller.require_scopes(Scope.DOCUMENTS_WRITE)
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        imports.get_import(connection, import_id)
    stored = c.archive_store.head(import_key(caller.organization_id, import_id))
    if stored is None:
        raise UploadMissingError("Upload the file with the form first.")
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        started = _shown(imports.start(connection, import_id, stored, now=c.clock.now()))
        note(connection, "bot_import.start", "bot_import", import_id)
        keep_answer(connection, 202, started)
    message = ImportMessage(organization_id=caller.organization_id, import_id=import_id)
    # Were it lost, the import's lease would have the reaper send another.
    with suppress(UnavailableError):
        c.jobs_queue.send([message.to_json()], group=message.group)
    return started


def _maker() -> Principal:
    """Return the caller, who may make bots.

    Raises:
        ForbiddenError: it is a key that is limited to some bots.
    """
    caller = principal(router)
    if caller.bot_ids is not None:
        raise ForbiddenError("This API key is limited to some bots and cannot make another.")
    return caller


def _shown(found: Import) -> ImportResponse:
    bot_id = found.bot_id if found.status == "done" else None
    return ImportResponse.model_validate(asdict(found) | {"bot_id": bot_id})
