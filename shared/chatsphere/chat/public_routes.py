"""The ASGI endpoint that anybody may ask: a public bot, found without a tenant and then asked within its own."""

from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from chatsphere.bots.model import Bot
from chatsphere.bots.visitors import come_to_ask
from chatsphere.chat.audience import Audience
from chatsphere.chat.presenting import streamed
from chatsphere.chat.public_presenting import public_answer, public_frame
from chatsphere.chat.public_schemas import PublicChatRequest
from chatsphere.chat.services import Services
from chatsphere.chat.turns import PUBLIC, Question
from chatsphere.chat.visiting import answer_visitor
from chatsphere.db.origin import current_origin
from chatsphere.http import asgi_requests


async def chat_with_public_bot(
    request: Request, *, make_services: Callable[[], Services], heartbeat_seconds: float
) -> Response:
    """Answer a visitor's question, streamed or in one piece."""
    services = await run_in_threadpool(make_services)
    bot = await run_in_threadpool(_admitted, request, services)
    body = await asgi_requests.body(request, PublicChatRequest)
    audience = Audience()
    events = answer_visitor(_question(bot, body), services, audience)
    if not body.stream:
        whole = await run_in_threadpool(public_answer, events)
        return JSONResponse(whole.model_dump(mode="json"))
    return await streamed(events, asgi_requests.request_id(request), heartbeat_seconds, public_frame, audience=audience)


def _admitted(request: Request, services: Services) -> Bot:
    """Return the bot, once its visitor was counted. The answer will say how often they may ask."""
    bot_id, address = asgi_requests.bot_id(request), current_origin().address
    visited = come_to_ask(services.database, bot_id, address=address, now=services.clock.now())
    request.state.gate_headers = visited.headers
    visited.check()
    return visited.bot


def _question(bot: Bot, body: PublicChatRequest) -> Question:
    return Question(
        organization_id=bot.organization_id,
        user_id=None,
        bot_id=bot.id,
        message=body.message,
        conversation_id=body.conversation_id,
        channel=PUBLIC,
    )
