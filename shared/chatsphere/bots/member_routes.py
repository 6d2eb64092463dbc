"""HTTP routes of permissions on a bot. Who manages a bot sees and changes them; mail addresses are among them."""

from typing import Any
from uuid import UUID

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from chatsphere.access.permissions import BotLevel, Permission
from chatsphere.bootstrap import container
from chatsphere.bots import members
from chatsphere.bots.member_schemas import BotMemberResponse, GrantRequest
from chatsphere.bots.routes import TAGS
from chatsphere.http.operations import NO_CONTENT, described, no_content, requires
from chatsphere.http.pagination import Cursor, Limit, Page, decode_cursor, page_of
from chatsphere.http.rest_api import principal

router = Router()


@router.get(
    "/v1/bots/<bot_id>/members",
    summary="List who was granted a permission on a bot",
    tags=TAGS,
    operation_id="listBotMembers",
    openapi_extensions=requires(Permission.BOT_MANAGE),
)
def list_members(bot_id: UUID, limit: Limit = 20, cursor: Cursor = None) -> Page[BotMemberResponse]:
    """Return a page of those who were granted something; what roles permit is not listed."""
    caller = principal(router)
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        rows = members.members_page(connection, bot_id, after=decode_cursor(cursor), limit=limit)
    return page_of([BotMemberResponse.model_validate(row) for row in rows], limit, lambda member: member.user_id)


@router.put(
    "/v1/bots/<bot_id>/members/<user_id>",
    summary="Grant a permission on a bot",
    tags=TAGS,
    operation_id="putBotMember",
    openapi_extensions=requires(Permission.BOT_MANAGE),
    responses={200: described("The permission.")},
)
def put_member(bot_id: UUID, user_id: UUID, body: GrantRequest) -> BotMemberResponse:
    """Grant a member of the organization this permission, in place of any before."""
    caller, c = principal(router), container()
    level = BotLevel.of(body.permission)
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        members.grant(connection, bot_id, user_id, level, now=c.clock.now())
        return BotMemberResponse.model_validate(members.get_member(connection, bot_id, user_id))


@router.delete(
    "/v1/bots/<bot_id>/members/<user_id>",
    status_code=204,
    summary="Take back a permission on a bot",
    tags=TAGS,
    operation_id="deleteBotMember",
    openapi_extensions=requires(Permission.BOT_MANAGE),
    responses=NO_CONTENT,
)
def delete_member(bot_id: UUID, user_id: UUID) -> Response[Any]:
    """Take back what was granted, at once; what the person's role permits remains."""
    caller = principal(router)
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        members.revoke(connection, bot_id, user_id)
    return no_content()
