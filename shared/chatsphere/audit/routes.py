"""HTTP routes of the audit log: translate in, call one use case, translate out."""

from typing import Any
from urllib.parse import urlencode

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse

from chatsphere.access.permissions import Permission
from chatsphere.audit import schemas
from chatsphere.audit.exporting import export_part
from chatsphere.audit.reading import AuditFilter, entries
from chatsphere.bootstrap import container
from chatsphere.http.operations import requires
from chatsphere.http.pagination import Cursor, Limit, Page, decode_cursor, encode_cursor, page_of
from chatsphere.http.rest_api import principal

router = Router()

TAGS = ["audit log"]
NDJSON = "application/x-ndjson"
PART: OpenAPIResponse = {
    "description": "One entry a line; the field `Link` names the next part where there is one.",
    "content": {NDJSON: {"schema": {"type": "string"}}},
}


@router.get(
    "/v1/audit-log",
    summary="Read the organization's audit log",
    tags=TAGS,
    operation_id="listAuditLog",
    openapi_extensions=requires(Permission.AUDIT_READ),
)
def list_audit_log(
    limit: Limit = 20,
    cursor: Cursor = None,
    actor_user_id: schemas.ActorUser = None,
    actor_api_key_id: schemas.ActorApiKey = None,
    action: schemas.Action = None,
    object_type: schemas.ObjectType = None,
    object_id: schemas.ObjectId = None,
    since: schemas.Since = None,
    until: schemas.Until = None,
) -> Page[schemas.AuditEntryResponse]:
    """Return a page of entries, newest first."""
    caller, after = principal(router), decode_cursor(cursor)
    wanted = AuditFilter(actor_user_id, actor_api_key_id, action, object_type, object_id, since, until)
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        rows = entries(connection, wanted, after=after, limit=limit)
    return page_of([schemas.AuditEntryResponse.model_validate(row) for row in rows], limit, lambda entry: entry.id)


@router.get(
    "/v1/audit-log/export",
    summary="Export the organization's audit log as JSON lines",
    tags=TAGS,
    operation_id="exportAuditLog",
    openapi_extensions=requires(Permission.AUDIT_READ),
    responses={200: PART},
)
def export_audit_log(
    limit: schemas.Lines = 1000,
    cursor: Cursor = None,
    actor_user_id: schemas.ActorUser = None,
    actor_api_key_id: schemas.ActorApiKey = None,
    action: schemas.Action = None,
    object_type: schemas.ObjectType = None,
    object_id: schemas.ObjectId = None,
    since: schemas.Since = None,
    until: schemas.Until = None,
) -> Response[str]:
    """Return entries as lines, newest first; every export is itself noted in the log."""
    caller, after = principal(router), decode_cursor(cursor)
    wanted = AuditFilter(actor_user_id, actor_api_key_id, action, object_type, object_id, since, until)
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        part = export_part(connection, wanted, _line, after=after, limit=limit)
    headers = {}
    if part.last is not None:
        query = urlencode(wanted.chosen() | {"limit": limit, "cursor": encode_cursor(part.last)})
        headers["Link"] = f'</v1/audit-log/export?{query}>; rel="next"'
    return Response(status_code=200, content_type=NDJSON, body=part.text, headers=headers)


def _line(row: dict[str, Any]) -> str:
    return schemas.AuditEntryResponse.model_validate(row).model_dump_json()
