"""HTTP routes of people's rights: translate in, call one use case, translate out."""

from typing import Annotated
from uuid import UUID

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query

from chatsphere.access.permissions import Permission
from chatsphere.bootstrap import container
from chatsphere.http.operations import PUBLIC, described, problem_response, requires
from chatsphere.http.pagination import Cursor, decode_cursor, page_of
from chatsphere.http.rest_api import principal
from chatsphere.identity.passwords import confirm
from chatsphere.privacy import schemas
from chatsphere.privacy.erasure_routes import with_signature
from chatsphere.privacy.exporting import personal_data
from chatsphere.privacy.requesting import ErasureDesk, find_erasure

router = Router()

ME = ["me"]
NOT_CONFIRMED = problem_response("The password or the code is wrong.")

Records = Annotated[int, Query(ge=1, le=1000, description="How many records of `activity` at most.")]


@router.get(
    "/v1/me/export",
    summary="Get a copy of everything that is held on oneself",
    tags=ME,
    operation_id="exportMe",
    openapi_extensions=requires(Permission.SELF_WRITE),
)
def export_me(limit: Records = 100, cursor: Cursor = None) -> schemas.PersonalDataResponse:
    """Return the profile and all that belongs to it; what grows without end comes in parts, newest first."""
    caller, c = principal(router), container()
    held = personal_data(c.authenticator_database, caller.user_id, after=decode_cursor(cursor), limit=limit)
    page = page_of([schemas.ActivityResponse.model_validate(row) for row in held.activity], limit, lambda row: row.id)
    return schemas.PersonalDataResponse(
        generated_at=c.clock.now(),
        profile=None if held.profile is None else dict(held.profile),
        sections=None
        if held.sections is None
        else {name: list(map(dict, rows)) for name, rows in held.sections.items()},
        activity=schemas.ActivityPage(**page.model_dump()),
    )


@router.delete(
    "/v1/me",
    status_code=202,
    summary="Delete one's account, with everything that is only one's own",
    tags=ME,
    operation_id="deleteMe",
    openapi_extensions=requires(Permission.SELF_WRITE),
    responses={
        202: described("No credential of the account is accepted any more; a job deletes the rest."),
        403: NOT_CONFIRMED,
        409: problem_response("An organization with other members would be left without an owner, or is paid for."),
    },
)
def delete_me(body: schemas.DeletionRequest) -> schemas.ErasureRequestedResponse:
    """Delete the person, and each organization that has no other member. Keep the receipt's token: it is all that
    still shows what became of it.
    """
    caller, c = principal(router), container()
    person = confirm(c.password_checks, caller.user_id, body.password)
    requested = _desk().request_person(person, c.second_factor, body.code)
    return schemas.ErasureRequestedResponse.model_validate(requested)


@router.delete(
    "/v1/organizations/<organization_id>",
    status_code=202,
    summary="Delete the organization with everything in it",
    tags=["organizations"],
    operation_id="deleteOrganization",
    openapi_extensions=requires(Permission.ORGANIZATION_OWN),
    responses={
        202: described("No credential of the organization is accepted any more; a job deletes the rest."),
        403: problem_response("The password or the code is wrong, or the caller is no owner."),
        409: problem_response("It is paid for: end the subscription first (`subscription_active`)."),
    },
)
def delete_organization(
    organization_id: UUID,  # noqa: ARG001 - the credential's own: the gate has checked it
    body: schemas.DeletionRequest,
) -> schemas.ErasureRequestedResponse:
    """Delete bots, documents, conversations, members' rights and the audit log; the members' accounts stay."""
    caller, c = principal(router), container()
    owner = confirm(c.password_checks, caller.user_id, body.password)
    requested = _desk().request_organization(caller.organization_id, owner, c.second_factor, body.code)
    return schemas.ErasureRequestedResponse.model_validate(requested)


@router.post(
    "/v1/erasures/receipt",
    summary="Get the receipt of a deletion",
    tags=ME,
    operation_id="getErasureReceipt",
    openapi_extensions=PUBLIC,
    responses={200: described("The deletion; its receipt is null until it is done."), 404: problem_response("None.")},
)
def get_receipt(body: schemas.ReceiptRequest) -> schemas.ErasureResponse:
    """Return a deletion by the token that it was answered with: whom it concerned cannot log in any more."""
    c = container()
    c.credential_throttle.admit()
    with c.authenticator_database.transaction(None) as connection:
        erasure = find_erasure(connection, body.receipt_token)
    return schemas.ErasureResponse.model_validate(with_signature(erasure))


def _desk() -> ErasureDesk:
    c = container()
    return ErasureDesk(c.authenticator_database, c.database, c.purge_queue, c.clock, c.ids)
