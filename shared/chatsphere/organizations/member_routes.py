"""HTTP routes of members: translate in, call one use case, translate out."""

# The tenant is the credential's; that the path names the same one, the gate has checked.
# ruff: noqa: ARG001

from typing import Any
from uuid import UUID

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from chatsphere.access.permissions import Permission, Role
from chatsphere.bootstrap import container
from chatsphere.http.operations import NO_CONTENT, described, no_content, problem_response, requires
from chatsphere.http.pagination import Cursor, Limit, Page, decode_cursor, page_of
from chatsphere.http.rest_api import principal
from chatsphere.organizations import members, schemas

router = Router()

TAGS = ["organizations"]
LAST_OWNER = problem_response("Nobody else owns the organization.")


@router.get(
    "/v1/organizations/<organization_id>/members",
    summary="List the members",
    tags=TAGS,
    operation_id="listMembers",
    openapi_extensions=requires(Permission.ORGANIZATION_READ),
)
def list_members(organization_id: UUID, limit: Limit = 20, cursor: Cursor = None) -> Page[schemas.MemberResponse]:
    """Return a page of the members, whoever has an account for the shortest first."""
    caller = principal(router)
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        rows = members.members_page(connection, after=decode_cursor(cursor), limit=limit)
    return page_of([schemas.MemberResponse.model_validate(row) for row in rows], limit, lambda row: row.user_id)


@router.patch(
    "/v1/organizations/<organization_id>/members/<user_id>",
    summary="Give a member another role",
    tags=TAGS,
    operation_id="changeRole",
    openapi_extensions=requires(Permission.MEMBERS_MANAGE),
    responses={200: described("The member."), 409: LAST_OWNER},
)
def change_role(organization_id: UUID, user_id: UUID, body: schemas.RoleRequest) -> schemas.MemberResponse:
    """Change a role; only an owner in person makes an owner, or another of one."""
    caller, c = principal(router), container()
    actor = members.Actor(caller.user_id, is_person=caller.api_key_id is None)
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        member = members.change_role(connection, actor, user_id, Role.of(body.role), now=c.clock.now())
    return schemas.MemberResponse.model_validate(member)


@router.delete(
    "/v1/organizations/<organization_id>/members/<user_id>",
    status_code=204,
    summary="End a membership",
    tags=TAGS,
    operation_id="removeMember",
    openapi_extensions=requires(Permission.MEMBERS_MANAGE),
    responses={**NO_CONTENT, 409: LAST_OWNER},
)
def remove_member(organization_id: UUID, user_id: UUID) -> Response[Any]:
    """End a membership; the person's sessions and API keys of this organization end at once."""
    caller, c = principal(router), container()
    actor = members.Actor(caller.user_id, is_person=caller.api_key_id is None)
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        members.remove(connection, actor, user_id, now=c.clock.now())
    return no_content()


@router.post(
    "/v1/organizations/<organization_id>/leave",
    status_code=204,
    summary="Leave the organization",
    tags=TAGS,
    operation_id="leaveOrganization",
    openapi_extensions=requires(Permission.SELF_WRITE),
    responses={**NO_CONTENT, 409: LAST_OWNER},
)
def leave(organization_id: UUID) -> Response[Any]:
    """End one's own membership."""
    caller, c = principal(router), container()
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        members.leave(connection, caller.user_id, now=c.clock.now())
    return no_content()


@router.post(
    "/v1/organizations/<organization_id>/transfer",
    summary="Hand the organization over",
    tags=TAGS,
    operation_id="transferOrganization",
    openapi_extensions=requires(Permission.ORGANIZATION_OWN),
    responses={200: described("The new owner."), 409: problem_response("The member named is the caller.")},
)
def transfer(organization_id: UUID, body: schemas.TransferRequest) -> schemas.MemberResponse:
    """Make another member the owner, and the caller an admin."""
    caller, c = principal(router), container()
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        member = members.transfer(connection, caller.user_id, body.user_id, now=c.clock.now())
    return schemas.MemberResponse.model_validate(member)
