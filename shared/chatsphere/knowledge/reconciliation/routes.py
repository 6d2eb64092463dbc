"""HTTP routes of reconciliations: translate in, call one use case, translate out."""

from uuid import UUID

from aws_lambda_powertools.event_handler.api_gateway import Router

from chatsphere.access.permissions import Permission
from chatsphere.audit.recording import note
from chatsphere.bootstrap import container
from chatsphere.http.idempotency import keep_answer
from chatsphere.http.operations import described, problem_response, requires
from chatsphere.http.pagination import Cursor, Limit, Page, decode_cursor, page_of
from chatsphere.http.rest_api import principal
from chatsphere.knowledge.ingestion.messages import ReconcileMessage
from chatsphere.knowledge.reconciliation import reports
from chatsphere.knowledge.reconciliation.schemas import (
    ReconcileRequest,
    ReconciliationAccepted,
    ReconciliationResponse,
)

router = Router()

TAGS = ["ingestion"]


@router.post(
    "/v1/bots/<bot_id>/reconcile",
    status_code=202,
    summary="Compare a bot's stores and repair what does not correspond",
    tags=TAGS,
    operation_id="reconcileBot",
    openapi_extensions=requires(Permission.DOCUMENTS_WRITE),
    responses={
        202: described("The reconciliation, which is under way; one that was, if it is of the same kind."),
        409: problem_response("A reconciliation of the other kind is under way (`reconciliation_running`)."),
    },
)
def reconcile_bot(bot_id: UUID, body: ReconcileRequest) -> ReconciliationAccepted:
    """Find what was lost between the stores. It also happens by itself, every day."""
    caller, c = principal(router), container()
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        report = reports.ask_for(connection, bot_id, dry_run=body.dry_run, ids=c.ids, now=c.clock.now())
        note(connection, "bot.reconcile", "bot", bot_id, after={"dry_run": body.dry_run})
        accepted = ReconciliationAccepted(reconciliation=ReconciliationResponse.of(report))
        keep_answer(connection, 202, accepted)
    message = ReconcileMessage(organization_id=caller.organization_id, bot_id=bot_id, reconciliation_id=report.id)
    # Were it lost, the reconciliation's lease would have the reaper send another.
    c.reconcile_queue.send([message.to_json()], group=message.group)
    return accepted


@router.get(
    "/v1/bots/<bot_id>/reconciliations",
    summary="List the reconciliations of a bot",
    tags=TAGS,
    operation_id="listReconciliations",
    openapi_extensions=requires(Permission.DOCUMENTS_READ),
)
def list_reconciliations(bot_id: UUID, limit: Limit = 20, cursor: Cursor = None) -> Page[ReconciliationResponse]:
    """Return a page of the bot's reconciliations, newest first; the last 20 are kept."""
    caller = principal(router)
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        rows = reports.reconciliations_page(connection, bot_id, after=decode_cursor(cursor), limit=limit)
    return page_of([ReconciliationResponse.of(row) for row in rows], limit, lambda shown: shown.id)


@router.get(
    "/v1/bots/<bot_id>/reconciliations/<reconciliation_id>",
    summary="Get a reconciliation",
    tags=TAGS,
    operation_id="getReconciliation",
    openapi_extensions=requires(Permission.DOCUMENTS_READ),
)
def get_reconciliation(bot_id: UUID, reconciliation_id: UUID) -> ReconciliationResponse:
    """Return one reconciliation, with what it has found so far."""
    caller = principal(router)
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        return ReconciliationResponse.of(reports.get_reconciliation(connection, bot_id, reconciliation_id))
