"""HTTP routes of a bot's states: who sees it, and whether it answers."""

from collections.abc import Callable
from uuid import UUID

from aws_lambda_powertools.event_handler.api_gateway import Router

from chatsphere.access.permissions import Permission
from chatsphere.bootstrap import container
from chatsphere.bots import changing
from chatsphere.bots.model import Bot
from chatsphere.bots.routes import TAGS, author_of, level_of
from chatsphere.bots.schemas import BotResponse
from chatsphere.http.operations import described, problem_response, requires
from chatsphere.http.rest_api import principal

router = Router()

ARCHIVED = problem_response("The bot is archived (`bot_archived`).")


@router.post(
    "/v1/bots/<bot_id>/publish",
    summary="Let anybody ask a bot",
    tags=TAGS,
    operation_id="publishBot",
    openapi_extensions=requires(Permission.BOT_MANAGE),
    responses={200: described("The bot."), 409: ARCHIVED},
)
def publish_bot(bot_id: UUID) -> BotResponse:
    """Make the bot public; where the deployment demands it, only with a verified mail address."""
    return _change(changing.publish, bot_id)


@router.post(
    "/v1/bots/<bot_id>/unpublish",
    summary="Let nobody ask a bot but members",
    tags=TAGS,
    operation_id="unpublishBot",
    openapi_extensions=requires(Permission.BOT_MANAGE),
    responses={200: described("The bot."), 409: ARCHIVED},
)
def unpublish_bot(bot_id: UUID) -> BotResponse:
    """Make a public bot the organization's again, at once; one that is not public stays as it is."""
    return _change(changing.unpublish, bot_id)


@router.post(
    "/v1/bots/<bot_id>/archive",
    summary="Archive a bot",
    tags=TAGS,
    operation_id="archiveBot",
    openapi_extensions=requires(Permission.BOT_MANAGE),
    responses={200: described("The bot.")},
)
def archive_bot(bot_id: UUID) -> BotResponse:
    """Put the bot away: it answers nobody, takes no document, and cannot be changed until it is restored."""
    caller, c = principal(router), container()
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        level = level_of(connection, caller, bot_id, Permission.BOT_MANAGE)
        return BotResponse.shown(changing.archive(connection, bot_id, now=c.clock.now()), level)


@router.post(
    "/v1/bots/<bot_id>/restore",
    summary="Restore an archived bot",
    tags=TAGS,
    operation_id="restoreBot",
    openapi_extensions=requires(Permission.BOT_MANAGE),
    responses={200: described("The bot.")},
)
def restore_bot(bot_id: UUID) -> BotResponse:
    """Bring the bot back as it was; its status follows its documents again."""
    return _change(changing.restore, bot_id)


def _change(change: Callable[..., Bot], bot_id: UUID) -> BotResponse:
    caller, c = principal(router), container()
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        level = level_of(connection, caller, bot_id, Permission.BOT_MANAGE)
        return BotResponse.shown(change(connection, bot_id, author=author_of(caller, level), now=c.clock.now()), level)
