"""HTTP routes of bots' versions."""

from typing import Annotated
from uuid import UUID

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from chatsphere.access.permissions import Permission
from chatsphere.bootstrap import container
from chatsphere.bots import versions
from chatsphere.bots.changing import roll_back
from chatsphere.bots.diffs import differences
from chatsphere.bots.routes import TAGS, author_of, level_of
from chatsphere.bots.schemas import MAX_VERSION, BotResponse
from chatsphere.bots.version_schemas import (
    FieldChangeResponse,
    RollbackRequest,
    VersionDiffResponse,
    VersionResponse,
    VersionSummaryResponse,
)
from chatsphere.http.operations import described, problem_response, requires
from chatsphere.http.pagination import Cursor, Limit, Page, decode_cursor, page_of
from chatsphere.http.rest_api import principal

router = Router()

VersionNumber = Annotated[int, Path(ge=1, le=MAX_VERSION)]
With = Annotated[
    int | None,
    Query(alias="with", ge=1, le=MAX_VERSION, description="The version to compare with; left out: the one before."),
]


@router.get(
    "/v1/bots/<bot_id>/versions",
    summary="List a bot's versions",
    tags=TAGS,
    operation_id="listBotVersions",
    openapi_extensions=requires(Permission.BOT_VIEW),
)
def list_versions(bot_id: UUID, limit: Limit = 20, cursor: Cursor = None) -> Page[VersionSummaryResponse]:
    """Return a page of the bot's versions, newest first."""
    caller = principal(router)
    before = None if (place := decode_cursor(cursor)) is None else min(place.int, MAX_VERSION)
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        rows = versions.versions_page(connection, bot_id, before=before, limit=limit)
    shown = [VersionSummaryResponse.model_validate(row) for row in rows]
    return page_of(shown, limit, lambda version: UUID(int=version.version))


@router.get(
    "/v1/bots/<bot_id>/versions/<version>",
    summary="Get a version of a bot",
    tags=TAGS,
    operation_id="getBotVersion",
    openapi_extensions=requires(Permission.BOT_VIEW),
)
def get_version(bot_id: UUID, version: VersionNumber) -> VersionResponse:
    """Return what the bot was."""
    caller = principal(router)
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        return VersionResponse.model_validate(versions.get_version(connection, bot_id, version))


@router.get(
    "/v1/bots/<bot_id>/versions/<version>/diff",
    summary="Compare two versions of a bot",
    tags=TAGS,
    operation_id="diffBotVersions",
    openapi_extensions=requires(Permission.BOT_VIEW),
)
def diff_versions(bot_id: UUID, version: VersionNumber, with_: With = None) -> VersionDiffResponse:
    """Return the fields that differ: `before` in the version it is compared with, `after` in this one."""
    caller = principal(router)
    other = with_ or version - 1 or None
    with container().database.transaction(caller.organization_id, caller.user_id) as connection:
        after = versions.get_version(connection, bot_id, version).content
        before = {} if other is None else versions.get_version(connection, bot_id, other).content
    changes = [FieldChangeResponse.model_validate(change) for change in differences(before, after)]
    return VersionDiffResponse(version=version, compared_with=other, changes=changes)


@router.post(
    "/v1/bots/<bot_id>/rollback",
    summary="Go back to a version of a bot",
    tags=TAGS,
    operation_id="rollBackBot",
    openapi_extensions=requires(Permission.BOT_EDIT),
    responses={
        200: described("The bot."),
        404: problem_response("There is no such bot, or the bot has no such version."),
        409: problem_response("It is archived (`bot_archived`), or at another version (`version_conflict`)."),
    },
)
def rollback_bot(bot_id: UUID, body: RollbackRequest) -> BotResponse:
    """Make the bot what it was, as a new version. Settings that were set later are gone; its states stay."""
    caller, c = principal(router), container()
    with c.database.transaction(caller.organization_id, caller.user_id) as connection:
        level = level_of(connection, caller, bot_id, Permission.BOT_EDIT)
        bot = roll_back(
            connection,
            bot_id,
            body.version,
            expected_version=body.expected_version,
            author=author_of(caller, level),
            now=c.clock.now(),
        )
    return BotResponse.shown(bot, level)
