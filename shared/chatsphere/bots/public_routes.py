"""HTTP routes of public bots: open to anybody."""

from uuid import UUID

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from chatsphere.bootstrap import container
from chatsphere.bots.public_schemas import PublicBotResponse
from chatsphere.bots.visitors import look_at
from chatsphere.db.origin import current_origin
from chatsphere.http.operations import PUBLIC, described, problem_response

router = Router()

TAGS = ["public bots"]


@router.get(
    "/v1/public/bots/<bot_id>",
    summary="Get a public bot",
    tags=TAGS,
    operation_id="getPublicBot",
    openapi_extensions=PUBLIC,
    responses={
        200: described("The bot, as it presents itself."),
        429: problem_response("This address asks too often; `Retry-After` says when to come back."),
    },
)
def get_public_bot(bot_id: UUID) -> Response[PublicBotResponse]:
    """Return how the bot presents itself. Whatever is not public, or answers nobody, is not found."""
    c = container()
    visited = look_at(c.database, bot_id, address=current_origin().address, now=c.clock.now())
    visited.check()
    return Response(
        200, "application/json", PublicBotResponse.model_validate(visited.bot), headers=dict(visited.headers)
    )
