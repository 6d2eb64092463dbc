"""HTTP routes of a bot's cache of answers."""

from typing import Any
from uuid import UUID

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from chatsphere.access.permissions import Permission
from chatsphere.bootstrap import container
from chatsphere.bots.bots import get_bot
from chatsphere.chat.cache.clearing import clear_cache
from chatsphere.chat.cache.counting import cache_report
from chatsphere.chat.cache.schemas import CacheResponse
from chatsphere.http.operations import NO_CONTENT, no_content, requires
from chatsphere.http.rest_api import principal

router = Router()

TAGS = ["bots"]


@router.get(
    "/v1/bots/<bot_id>/cache",
    summary="See what the cache of answers does",
    tags=TAGS,
    operation_id="getCache",
    openapi_extensions=requires(Permission.BOT_VIEW),
)
def get_cache(bot_id: UUID) -> CacheResponse:
    """Return how often questions were answered from the cache, and what that saved."""
    caller, c = principal(router), container()
    chosen = c.cache_settings.cache
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        bot = get_bot(connection, bot_id)
        report = cache_report(connection, bot_id, c.clock.now())
    asked = report.hits + report.misses
    return CacheResponse(
        enabled=chosen != "off" and bot.configuration.cache,
        entries=report.entries if chosen != "redis" else None,
        hits=report.hits,
        misses=report.misses,
        hit_rate=report.hits / asked if asked else None,
        saved_microdollars=report.saved_microdollars,
        since=report.since,
    )


@router.delete(
    "/v1/bots/<bot_id>/cache",
    status_code=204,
    summary="Clear the cache of answers",
    tags=TAGS,
    operation_id="clearCache",
    openapi_extensions=requires(Permission.BOT_EDIT),
    responses=NO_CONTENT,
)
def delete_cache(bot_id: UUID) -> Response[Any]:
    """Have no answer given again that was made until now. What was counted stays."""
    caller = principal(router)
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        get_bot(connection, bot_id)
        clear_cache(connection, bot_id)
    return no_content()
