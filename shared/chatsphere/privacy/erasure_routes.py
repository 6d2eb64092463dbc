"""HTTP routes of erasures of parts of an organization: translate in, call one use case, translate out."""

from typing import Annotated
from uuid import UUID

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query

from chatsphere.access.permissions import Permission
from chatsphere.access.principal import Principal
from chatsphere.bootstrap import container
from chatsphere.errors import ForbiddenError
from chatsphere.http.idempotency import keep_answer
from chatsphere.http.operations import described, problem_response, requires
from chatsphere.http.pagination import Cursor, Limit, Page, decode_cursor, page_of
from chatsphere.http.rest_api import principal
from chatsphere.privacy.erasure_schemas import ErasureRequest, ErasureStatus, PartKind
from chatsphere.privacy.model import Erasure
from chatsphere.privacy.part_reading import erasures_page, get_erasure
from chatsphere.privacy.part_requesting import PartDesk
from chatsphere.privacy.schemas import ErasureRequestedResponse, ErasureResponse
from chatsphere.privacy.signing import signed

router = Router()

TAGS = ["erasures"]


@router.post(
    "/v1/erasures",
    status_code=202,
    summary="Erase an end user, a document or a bot",
    tags=TAGS,
    operation_id="requestErasure",
    openapi_extensions=requires(Permission.ERASURES_WRITE),
    responses={
        202: described("It is taken away at once; a job erases the rest."),
        404: problem_response("There is no such bot or document, nor was there one."),
        409: problem_response("A legal hold keeps something of it (`legal_hold`)."),
    },
)
def request_erasure(body: ErasureRequest) -> ErasureRequestedResponse:
    """Erase everywhere: database, buckets with all versions, vectors, memory, caches, archives. The receipt says what
    was where, and that a second look found nothing; its token shows it also to who has no account.
    """
    caller, c = principal(router), container()
    _refuse_limited(caller)
    desk = PartDesk(c.database, c.purge_queue, c.clock, c.ids)
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        requested = desk.request(connection, body.part(caller.organization_id, c.clock.now()), caller.user_id)
        answer = ErasureRequestedResponse.model_validate(requested)
        keep_answer(connection, 202, answer)
    desk.begin(requested.erasure)
    return answer


@router.get(
    "/v1/erasures",
    summary="List the erasures",
    tags=TAGS,
    operation_id="listErasures",
    openapi_extensions=requires(Permission.ERASURES_READ),
)
def list_erasures(
    limit: Limit = 20,
    cursor: Cursor = None,
    kind: Annotated[PartKind | None, Query(description="Only of this kind.")] = None,
    status: Annotated[ErasureStatus | None, Query(description="Only of this status.")] = None,
) -> Page[ErasureResponse]:
    """Return a page of the erasures of end users, documents and bots, newest first."""
    caller = principal(router)
    _refuse_limited(caller)
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        rows = erasures_page(connection, kind=kind, status=status, after=decode_cursor(cursor), limit=limit)
    return page_of([ErasureResponse.model_validate(row) for row in rows], limit, lambda erasure: erasure.id)


@router.get(
    "/v1/erasures/<erasure_id>",
    summary="Get an erasure and its signed receipt",
    tags=TAGS,
    operation_id="getErasure",
    openapi_extensions=requires(Permission.ERASURES_READ),
)
def show_erasure(erasure_id: UUID) -> ErasureResponse:
    """Return one erasure: how far it is, and when it is done its receipt, also signed (JWS). The keys of
    `/.well-known/jwks.json` verify the signature, now and later.
    """
    caller = principal(router)
    _refuse_limited(caller)
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        erasure = get_erasure(connection, erasure_id)
    return ErasureResponse.model_validate(with_signature(erasure))


def with_signature(erasure: Erasure) -> Erasure:
    """Return the erasure with its signed receipt, if it is done."""
    c = container()
    return signed(erasure, c.receipt_signer, c.authenticator_database, c.clock)


def _refuse_limited(caller: Principal) -> None:
    if caller.bot_ids is not None:
        raise ForbiddenError("This API key is limited to some bots; erasures may be about others.")
