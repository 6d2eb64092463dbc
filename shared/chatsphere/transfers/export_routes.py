"""HTTP routes of exports: translate in, call one use case, translate out."""

from contextlib import suppress
from dataclasses import asdict
from uuid import UUID

from aws_lambda_powertools.event_handler.api_gateway import Router

from chatsphere.access.permissions import Permission, Scope
from chatsphere.access.principal import Principal
from chatsphere.audit.recording import note
from chatsphere.bootstrap import container
from chatsphere.errors import UnavailableError
from chatsphere.http.idempotency import keep_answer
from chatsphere.http.operations import described, problem_response, requires
from chatsphere.http.pagination import Cursor, Limit, Page, decode_cursor, page_of
from chatsphere.http.rest_api import principal
from chatsphere.transfers import exports
from chatsphere.transfers.messages import ExportMessage
from chatsphere.transfers.schemas import CreateExportRequest, ExportResponse

router = Router()

TAGS = ["bots"]


@router.post(
    "/v1/bots/<bot_id>/exports",
    status_code=202,
    summary="Export a bot to a file",
    tags=TAGS,
    operation_id="createExport",
    openapi_extensions=requires(Permission.BOT_EXPORT),
    responses={
        202: described("The export; poll it until it is done, then download the file."),
        409: problem_response("The bot is being exported already (`export_running`)."),
    },
)
def create_export(bot_id: UUID, body: CreateExportRequest) -> ExportResponse:
    """Have a file written with the bot's settings, documents and vectors; no conversations, people or keys. An API key
    needs the scope `documents:read`, too.
    """
    caller, c = _reader(), container()
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        asked = exports.ask_for(connection, bot_id, body.include, export_id=c.ids.new(), now=c.clock.now())
        note(connection, "bot.export", "bot", bot_id, after={"include": sorted(body.include)})
        made = ExportResponse.model_validate(asdict(asked))
        keep_answer(connection, 202, made)
    message = ExportMessage(organization_id=caller.organization_id, bot_id=bot_id, export_id=asked.id)
    # Were it lost, the export's lease would have the reaper send another.
    with suppress(UnavailableError):
        c.jobs_queue.send([message.to_json()], group=message.group)
    return made


@router.get(
    "/v1/bots/<bot_id>/exports",
    summary="List a bot's exports",
    tags=TAGS,
    operation_id="listExports",
    openapi_extensions=requires(Permission.BOT_EXPORT),
)
def list_exports(bot_id: UUID, limit: Limit = 20, cursor: Cursor = None) -> Page[ExportResponse]:
    """Return a page of the bot's exports, newest first, without links."""
    caller = principal(router)
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        rows = exports.exports_page(connection, bot_id, after=decode_cursor(cursor), limit=limit)
    return page_of([ExportResponse.model_validate(asdict(row)) for row in rows], limit, lambda shown: shown.id)


@router.get(
    "/v1/bots/<bot_id>/exports/<export_id>",
    summary="Get an export",
    tags=TAGS,
    operation_id="getExport",
    openapi_extensions=requires(Permission.BOT_EXPORT),
)
def get_export(bot_id: UUID, export_id: UUID) -> ExportResponse:
    """Return one export, and where its file can be downloaded if it is done. That the link was given is in the audit
    log. An API key needs the scope `documents:read`, too.
    """
    caller, c = _reader(), container()
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        found = exports.get_export(connection, bot_id, export_id)
        link = exports.download_link(c.archive_store, caller.organization_id, found, c.clock.now())
        if link is not None:
            note(connection, "bot_export.download_permitted", "bot_export", export_id, after={"bot_id": str(bot_id)})
    return ExportResponse.model_validate(asdict(found) | {"download_url": link})


def _reader() -> Principal:
    """Return the caller, who may read documents: the file holds them.

    Raises:
        InsufficientScopeError: an API key that may not.
    """
    caller = principal(router)
    caller.require_scopes(Scope.DOCUMENTS_READ)
    return caller
