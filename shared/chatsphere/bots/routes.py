"""HTTP routes of bots: translate in, call one use case, translate out."""

from uuid import UUID

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from chatsphere.access.bot_access import bot_access
from chatsphere.access.permissions import BotLevel, Permission
from chatsphere.access.principal import Principal
from chatsphere.bootstrap import container
from chatsphere.bots import bots
from chatsphere.bots.author import Author
from chatsphere.bots.changing import change_bot
from chatsphere.bots.schemas import BotResponse, CreateBotRequest, UpdateBotRequest
from chatsphere.db.database import Connection
from chatsphere.errors import ForbiddenError
from chatsphere.http.idempotency import keep_answer
from chatsphere.http.operations import described, problem_response, requires
from chatsphere.http.pagination import Cursor, Limit, Page, decode_cursor, page_of
from chatsphere.http.rest_api import principal
from chatsphere.knowledge.deletion_routes import accepted
from chatsphere.knowledge.deletion_schemas import DeletionAccepted

router = Router()

TAGS = ["bots"]


@router.post(
    "/v1/bots",
    status_code=201,
    summary="Make a bot",
    tags=TAGS,
    operation_id="createBot",
    openapi_extensions=requires(Permission.BOTS_CREATE),
    responses={201: described("The bot."), 402: problem_response("The plan permits no further bot.")},
)
def create_bot(body: CreateBotRequest) -> BotResponse:
    """Make a bot, which its maker manages; a key limited to some bots cannot add to them."""
    caller, c = principal(router), container()
    if caller.bot_ids is not None:
        raise ForbiddenError("This API key is limited to some bots and cannot make another.")
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        bot = bots.create_bot(
            connection,
            body.draft(),
            organization_id=caller.organization_id,
            bot_id=c.ids.new(),
            author=author_of(caller, BotLevel.MANAGE),
            now=c.clock.now(),
        )
        made = BotResponse.shown(bot, BotLevel.MANAGE)
        keep_answer(connection, 201, made)
    return made


@router.get(
    "/v1/bots",
    summary="List the bots",
    tags=TAGS,
    operation_id="listBots",
    openapi_extensions=requires(Permission.BOTS_LIST),
)
def list_bots(limit: Limit = 20, cursor: Cursor = None) -> Page[BotResponse]:
    """Return a page of the bots that the caller sees, newest first."""
    caller = principal(router)
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        rows = bots.bots_page(connection, caller, after=decode_cursor(cursor), limit=limit)
    return page_of([BotResponse.shown(bot, level) for bot, level in rows], limit, lambda bot: bot.id)


@router.get(
    "/v1/bots/<bot_id>",
    summary="Get a bot",
    tags=TAGS,
    operation_id="getBot",
    openapi_extensions=requires(Permission.BOT_VIEW),
)
def get_bot(bot_id: UUID) -> BotResponse:
    """Return one bot."""
    caller = principal(router)
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        level = level_of(connection, caller, bot_id, Permission.BOT_VIEW)
        return BotResponse.shown(bots.get_bot(connection, bot_id), level)


@router.patch(
    "/v1/bots/<bot_id>",
    summary="Change a bot",
    tags=TAGS,
    operation_id="updateBot",
    openapi_extensions=requires(Permission.BOT_EDIT),
    responses={
        200: described("The bot."),
        409: problem_response("It is archived (`bot_archived`), or at another version (`version_conflict`)."),
    },
)
def update_bot(bot_id: UUID, body: UpdateBotRequest) -> BotResponse:
    """Change what is given and leave the rest; what changes what the bot is makes its next version."""
    caller, c = principal(router), container()
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        level = level_of(connection, caller, bot_id, Permission.BOT_EDIT)
        bot = change_bot(connection, bot_id, body.change(), author=author_of(caller, level), now=c.clock.now())
    return BotResponse.shown(bot, level)


@router.delete(
    "/v1/bots/<bot_id>",
    status_code=202,
    summary="Delete a bot with its documents and conversations",
    tags=TAGS,
    operation_id="deleteBot",
    openapi_extensions=requires(Permission.BOT_MANAGE),
    responses={202: described("Nobody sees the bot any more; a job deletes what belongs to it.")},
)
def delete_bot(bot_id: UUID) -> Response[DeletionAccepted]:
    """Take the bot away at once; what belongs to it is deleted in the background, and counted."""
    caller, c = principal(router), container()
    deletion = bots.delete_bot(
        c.database,
        c.purge_queue,
        organization_id=caller.organization_id,
        actor_id=caller.user_id,
        bot_id=bot_id,
        now=c.clock.now(),
    )
    return accepted(deletion)


def level_of(connection: Connection, caller: Principal, bot_id: UUID, permission: Permission) -> BotLevel:
    """Return what the caller may do with the bot, as of this transaction.

    Raises:
        NotFoundError, InsufficientPermissionError: the permission was withdrawn since the gate let the request in.
    """
    access = bot_access(connection, caller, {"bot_id": bot_id})
    assert access is not None, "the path names a bot"
    access.check(permission, caller)
    return access.level


def author_of(caller: Principal, level: BotLevel) -> Author:
    """Return the caller as the author of a change."""
    return Author(caller.user_id, level, must_be_verified=container().account_settings.require_verified_email)
