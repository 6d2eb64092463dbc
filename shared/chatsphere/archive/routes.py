"""HTTP routes of the archive: translate in, call one use case, translate out."""

from datetime import timedelta
from typing import Annotated, Final
from uuid import UUID

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query

from chatsphere.access.permissions import Permission, Scope
from chatsphere.access.principal import Principal
from chatsphere.archive import restores
from chatsphere.archive.checked import CONTENT_TYPE
from chatsphere.archive.datasets import DatasetName
from chatsphere.archive.manifest import files_page, get_file
from chatsphere.archive.model import ArchiveFile
from chatsphere.archive.reading import ArchiveReader
from chatsphere.archive.schemas import (
    MONTH_PATTERN,
    ArchiveFileResponse,
    ArchiveFileWithDownload,
    RestoreAccepted,
    RestoreRequest,
    RestoreResponse,
    RowsPageResponse,
    month_of,
)
from chatsphere.audit.recording import note
from chatsphere.bootstrap import container
from chatsphere.chat.query_schemas import EndUser
from chatsphere.errors import ForbiddenError
from chatsphere.http.idempotency import keep_answer
from chatsphere.http.operations import described, problem_response, requires
from chatsphere.http.pagination import Cursor, Limit, Page, content_of, decode_cursor, invalid_cursor, opaque, page_of
from chatsphere.http.rest_api import principal

router = Router()

TAGS = ["archive"]

LINK: Final = timedelta(minutes=5)
"""For so long a link to a file works: it needs no further credentials."""

CONTENT_SCOPES: Final = {DatasetName.AUDIT_LOG: Scope.AUDIT_READ}
"""What a key needs to see rows of a dataset; of all others, which tell who said what, `conversations:read`."""


@router.get(
    "/v1/archive/files",
    summary="List the files of the archive",
    tags=TAGS,
    operation_id="listArchiveFiles",
    openapi_extensions=requires(Permission.RETENTION_READ),
)
def list_archive_files(
    limit: Limit = 20,
    cursor: Cursor = None,
    bot_id: Annotated[UUID | None, Query(description="Only of this bot.")] = None,
    dataset: Annotated[DatasetName | None, Query(description="Only of this dataset.")] = None,
    month: Annotated[str | None, Query(pattern=MONTH_PATTERN, description="Only of this month, as `2026-01`.")] = None,
) -> Page[ArchiveFileResponse]:
    """Return a page of the archive's files, those that were begun last first."""
    caller, before = _caller(), decode_cursor(cursor)
    wanted = {"bot_id": bot_id, "dataset": dataset, "month": month_of(month)}
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        files = files_page(connection, **wanted, before=before, limit=limit)  # type: ignore[arg-type]
    return page_of([ArchiveFileResponse.of(file) for file in files], limit, lambda shown: shown.id)


@router.get(
    "/v1/archive/files/<file_id>",
    summary="Get a file of the archive, with a link to it",
    tags=TAGS,
    operation_id="getArchiveFile",
    openapi_extensions=requires(Permission.RETENTION_READ),
)
def get_archive_file(file_id: UUID) -> ArchiveFileWithDownload:
    """Return a file, and where it can be fetched for five minutes. That the link was given is in the audit log. An API
    key needs the scope `conversations:read`, too, or `audit:read` for a file of the audit log.
    """
    caller, c = _caller(), container()
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        file = get_file(connection, file_id)
        _require_content(caller, file)
        note(connection, "archive_file.download_permitted", "archive_file", file.id, after={"dataset": file.dataset})
    url = c.archive_store.presign_download(
        file.key,
        file.version_id,
        content_type=CONTENT_TYPE,
        file_name=f"{file.dataset}-{file.month:%Y-%m}-{file.id}.parquet",
        inline=False,
        expires_seconds=int(LINK.total_seconds()),
    )
    return ArchiveFileWithDownload.with_download(file, url, c.clock.now() + LINK)


@router.get(
    "/v1/archive/files/<file_id>/rows",
    summary="Read rows of a file of the archive",
    tags=TAGS,
    operation_id="listArchiveRows",
    openapi_extensions=requires(Permission.RETENTION_READ),
    responses={
        200: described("A page of rows, in the file's order."),
        503: problem_response("The object is not what was archived (`archive_damaged`)."),
    },
)
def list_archive_rows(
    file_id: UUID,
    limit: Limit = 20,
    cursor: Cursor = None,
    conversation_id: Annotated[UUID | None, Query(description="Only of this conversation.")] = None,
    end_user: EndUser = None,
) -> RowsPageResponse:
    """Return a page of a file's rows. A cursor ends when the file is written anew: begin again then. An API key needs
    the scope `conversations:read`, too, or `audit:read` for a file of the audit log.
    """
    caller, c = _caller(), container()
    reader = ArchiveReader(c.database, c.archive_store, c.row_files, c.clock, c.ids)

    def start(file: ArchiveFile) -> int:
        _require_content(caller, file)
        return _start(cursor, file.sha256)

    file, page = reader.page(
        caller.organization_id,
        file_id,
        start=start,
        limit=limit,
        conversation_id=conversation_id,
        end_user_id=end_user,
    )
    following = None if page.next is None else opaque(f"{page.next}:{file.sha256}".encode())
    return RowsPageResponse(data=page.rows, next_cursor=following, has_more=following is not None)


@router.post(
    "/v1/archive/restores",
    status_code=202,
    summary="Bring rows back from the archive",
    tags=TAGS,
    operation_id="createArchiveRestore",
    openapi_extensions=requires(Permission.RETENTION_WRITE),
    responses={202: described("The restore, which is under way.")},
)
def create_archive_restore(body: RestoreRequest) -> Response[RestoreAccepted]:
    """Bring conversations, messages and feedback back into the tables, where their bot still is. What is there stays as
    it is, and so do the files. No retention run archives the conversations again for 30 days.
    """
    caller, c = _caller(), container()
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        restore = restores.begin_restore(
            connection, body.wanted(), requested_by=caller.user_id, ids=c.ids, now=c.clock.now()
        )
        accepted = RestoreAccepted(restore=RestoreResponse.of(restore))
        keep_answer(connection, 202, accepted)
    message = restores.RestoreMessage(organization_id=caller.organization_id, restore_id=restore.id)
    # Were it lost, the restore's lease would have the reaper send another.
    c.jobs_queue.send([message.to_json()], group=message.group)
    location = {"Location": f"/v1/archive/restores/{restore.id}"}
    return Response(202, "application/json", accepted, headers=location)


@router.get(
    "/v1/archive/restores",
    summary="List the restores",
    tags=TAGS,
    operation_id="listArchiveRestores",
    openapi_extensions=requires(Permission.RETENTION_READ),
)
def list_archive_restores(limit: Limit = 20, cursor: Cursor = None) -> Page[RestoreResponse]:
    """Return a page of restores, newest first."""
    caller, before = _caller(), decode_cursor(cursor)
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        rows = restores.restores_page(connection, before=before, limit=limit)
    return page_of([RestoreResponse.of(row) for row in rows], limit, lambda shown: shown.id)


@router.get(
    "/v1/archive/restores/<restore_id>",
    summary="Get a restore",
    tags=TAGS,
    operation_id="getArchiveRestore",
    openapi_extensions=requires(Permission.RETENTION_READ),
)
def get_archive_restore(restore_id: UUID) -> RestoreResponse:
    """Return one restore, with how far it is."""
    caller = _caller()
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        return RestoreResponse.of(restores.get_restore(connection, restore_id))


def _caller() -> Principal:
    """Return the caller, unless it is a key that is limited to some bots: the archive is of all of them."""
    caller = principal(router)
    if caller.bot_ids is not None:
        raise ForbiddenError("This API key is limited to some bots and cannot use the archive.")
    return caller


def _require_content(caller: Principal, file: ArchiveFile) -> None:
    """Raise `InsufficientScopeError` where a key could not read the same rows in the tables."""
    caller.require_scopes(CONTENT_SCOPES.get(file.dataset, Scope.CONVERSATIONS_READ))


def _start(cursor: str | None, sha256: str) -> int:
    """Return the position that a cursor of this very file holds."""
    if cursor is None:
        return 0
    try:
        position, _, version = content_of(cursor).decode().partition(":")
    except UnicodeDecodeError:
        raise invalid_cursor() from None
    if version != sha256 or not position.isascii() or not position.isdigit() or len(position) > 9:
        raise invalid_cursor()
    return int(position)
