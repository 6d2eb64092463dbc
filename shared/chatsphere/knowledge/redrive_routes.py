"""HTTP route of another try: translate in, call one use case, translate out."""

from uuid import UUID

from aws_lambda_powertools.event_handler.api_gateway import Router

from chatsphere.access.permissions import Permission
from chatsphere.bootstrap import container
from chatsphere.http.operations import described, problem_response, requires
from chatsphere.http.rest_api import principal
from chatsphere.knowledge.ingestion.redrive import Redriver
from chatsphere.knowledge.redrive_schemas import RedriveAccepted, RedriveRequest

router = Router()


@router.post(
    "/v1/bots/<bot_id>/redrive",
    status_code=202,
    summary="Process failed documents again",
    tags=["documents"],
    operation_id="redriveBot",
    openapi_extensions=requires(Permission.DOCUMENTS_WRITE),
    responses={
        202: described("How many are being processed again, up to 500, and which are not."),
        409: problem_response("The bot is archived (`bot_archived`)."),
    },
)
def redrive_bot(bot_id: UUID, body: RedriveRequest) -> RedriveAccepted:
    """Read the stored files of failed documents anew. Readers see what they saw until the new passages are ready."""
    caller, c = principal(router), container()
    redriver = Redriver(c.database, c.extract_queue, c.clock)
    outcome = redriver.redrive(
        caller.organization_id,
        bot_id,
        document_ids=body.document_ids,
        error_codes=body.error_codes,
        actor_id=caller.user_id,
    )
    return RedriveAccepted.model_validate(outcome)
