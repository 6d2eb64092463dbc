"""HTTP routes of bots: translate in, call one use case, translate out."""

from typing import Any
from uuid import UUID

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from chatsphere.bootstrap import container
from chatsphere.bots import bots
from chatsphere.bots.schemas import BotResponse, CreateBotRequest, UpdateBotRequest
from chatsphere.errors import ForbiddenError
from chatsphere.http.operations import NO_CONTENT, described, no_content
from chatsphere.http.pagination import Cursor, Limit, Page, decode_cursor, page_of
from chatsphere.http.principal import Principal, Scope
from chatsphere.http.rest_api import principal

router = Router()

TAGS = ["bots"]


@router.post(
    "/v1/bots",
    status_code=201,
    summary="Make a bot",
    tags=TAGS,
    operation_id="createBot",
    responses={201: described("The bot.")},
)
def create_bot(body: CreateBotRequest) -> BotResponse:
    """Make a bot; a key limited to some bots cannot add to them."""
    caller, c = _caller(Scope.BOTS_WRITE), container()
    if caller.bot_ids is not None:
        raise ForbiddenError("This API key is limited to some bots and cannot make another.")
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        bot = bots.create_bot(
            connection,
            body.draft(),
            organization_id=caller.organization_id,
            bot_id=c.ids.new(),
            created_by=caller.user_id,
            now=c.clock.now(),
        )
    return BotResponse.model_validate(bot)


@router.get("/v1/bots", summary="List the bots", tags=TAGS, operation_id="listBots")
def list_bots(limit: Limit = 20, cursor: Cursor = None) -> Page[BotResponse]:
    """Return a page of the bots that the caller may use, newest first."""
    caller = _caller(Scope.BOTS_READ)
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        rows = bots.bots_page(connection, only=caller.bot_ids, after=decode_cursor(cursor), limit=limit)
    return page_of([BotResponse.model_validate(bot) for bot in rows], limit, lambda bot: bot.id)


@router.get("/v1/bots/<bot_id>", summary="Get a bot", tags=TAGS, operation_id="getBot")
def get_bot(bot_id: UUID) -> BotResponse:
    """Return one bot."""
    caller = _caller(Scope.BOTS_READ, bot_id)
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        return BotResponse.model_validate(bots.get_bot(connection, bot_id))


@router.patch("/v1/bots/<bot_id>", summary="Change a bot", tags=TAGS, operation_id="updateBot")
def update_bot(bot_id: UUID, body: UpdateBotRequest) -> BotResponse:
    """Change what is given and leave the rest."""
    caller, c = _caller(Scope.BOTS_WRITE, bot_id), container()
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        bot = bots.change_bot(connection, bot_id, body.changes(), body.configuration_changes(), now=c.clock.now())
    return BotResponse.model_validate(bot)


@router.delete(
    "/v1/bots/<bot_id>",
    status_code=204,
    summary="Delete a bot with its documents and conversations",
    tags=TAGS,
    operation_id="deleteBot",
    responses=NO_CONTENT,
)
def delete_bot(bot_id: UUID) -> Response[Any]:
    """Take the bot away at once; what belongs to it is deleted in the background."""
    caller, c = _caller(Scope.BOTS_WRITE, bot_id), container()
    bots.delete_bot(
        c.database,
        c.purge_queue,
        organization_id=caller.organization_id,
        actor_id=caller.user_id,
        bot_id=bot_id,
        now=c.clock.now(),
    )
    return no_content()


def _caller(scope: Scope, bot_id: UUID | None = None) -> Principal:
    """Return who is asking, once it is clear that they may do this, and use this bot."""
    caller = principal(router)
    caller.require(scope)
    if bot_id is not None:
        caller.require_bot(bot_id)
    return caller
