"""HTTP routes of invitations: translate in, call one use case, translate out."""

# The tenant is the credential's; that the path names the same one, the gate has checked.
# ruff: noqa: ARG001

from datetime import timedelta
from typing import Any
from uuid import UUID

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from chatsphere.access.permissions import Permission, Role
from chatsphere.bootstrap import container
from chatsphere.http.idempotency import keep_answer
from chatsphere.http.operations import NO_CONTENT, described, no_content, problem_response, requires
from chatsphere.http.pagination import Cursor, Limit, Page, decode_cursor, page_of
from chatsphere.http.rest_api import principal
from chatsphere.identity.mail_messages import ask_for
from chatsphere.organizations import invitations, schemas
from chatsphere.organizations.invitation_mail import InvitationMail

router = Router()

TAGS = ["organizations"]
NO_ROOM = problem_response("The plan has no room for another member.")


@router.get(
    "/v1/organizations/<organization_id>/invitations",
    summary="List the open invitations",
    tags=TAGS,
    operation_id="listInvitations",
    openapi_extensions=requires(Permission.MEMBERS_MANAGE),
)
def list_invitations(
    organization_id: UUID, limit: Limit = 20, cursor: Cursor = None
) -> Page[schemas.InvitationResponse]:
    """Return a page of the invitations that were neither accepted nor revoked, newest first."""
    caller, c = principal(router), container()
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        rows = invitations.invitations_page(connection, after=decode_cursor(cursor), limit=limit, now=c.clock.now())
    return page_of([schemas.InvitationResponse.model_validate(row) for row in rows], limit, lambda row: row.id)


@router.post(
    "/v1/organizations/<organization_id>/invitations",
    status_code=201,
    summary="Invite somebody by mail",
    tags=TAGS,
    operation_id="invite",
    openapi_extensions=requires(Permission.MEMBERS_MANAGE),
    responses={
        201: described("The invitation, made or renewed."),
        402: NO_ROOM,
        409: problem_response("Somebody with this address is a member already."),
    },
)
def invite(organization_id: UUID, body: schemas.InvitationRequest) -> schemas.InvitationResponse:
    """Invite an address, or renew its open invitation; the token is mailed and shown to nobody else."""
    caller, c = principal(router), container()
    accounts = c.account_settings
    request = invitations.InvitationRequest(
        body.email, Role.of(body.role), timedelta(seconds=accounts.invitation_seconds)
    )
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        invitation = invitations.invite(
            connection,
            caller.user_id,
            request,
            invitation_id=c.ids.new(),
            verified_only=accounts.require_verified_email,
            now=c.clock.now(),
        )
    # After the commit: a message that came first would find no invitation. Where it is lost, inviting again sends it.
    ask_for(InvitationMail(invitation_id=invitation.id), c.mail_queue)
    return schemas.InvitationResponse.model_validate(invitation)


@router.delete(
    "/v1/organizations/<organization_id>/invitations/<invitation_id>",
    status_code=204,
    summary="Revoke an invitation",
    tags=TAGS,
    operation_id="revokeInvitation",
    openapi_extensions=requires(Permission.MEMBERS_MANAGE),
    responses=NO_CONTENT,
)
def revoke_invitation(organization_id: UUID, invitation_id: UUID) -> Response[Any]:
    """Take an open invitation back: its token is void at once."""
    caller, c = principal(router), container()
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        invitations.revoke(connection, invitation_id, now=c.clock.now())
    return no_content()


@router.post(
    "/v1/invitations/accept",
    summary="Accept an invitation",
    tags=TAGS,
    operation_id="acceptInvitation",
    openapi_extensions=requires(Permission.SELF_WRITE),
    responses={
        200: described("The organization. Log in to it with `POST /v1/auth/switch`."),
        402: NO_ROOM,
        404: problem_response("The invitation is not valid, or not any more."),
        409: problem_response("The caller is a member already; the invitation stays open."),
    },
)
def accept_invitation(body: schemas.AcceptInvitationRequest) -> schemas.MyOrganizationResponse:
    """Become a member of the organization that the mailed token is of."""
    caller, c = principal(router), container()
    organization_id = invitations.organization_of(c.authenticator_database, body.token)
    with c.database.transaction(organization_id, caller.user_id) as connection:
        organization = invitations.accept(connection, caller.user_id, body.token, now=c.clock.now())
        joined = schemas.MyOrganizationResponse.model_validate(organization)
        keep_answer(connection, 200, joined)
    return joined
