"""The gate for requests that name their bot as a `model`, and errors as OpenAI's clients read them."""

from collections.abc import Mapping
from uuid import UUID

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from chatsphere.access.permissions import Permission
from chatsphere.access.principal import Principal
from chatsphere.chat.openai.models import NamedBot, named_bot
from chatsphere.chat.openai.schemas import Addressed
from chatsphere.chat.services import Services
from chatsphere.errors import ChatSphereError, NotFoundError
from chatsphere.http import asgi_requests
from chatsphere.http.gate import NOBODY, arrive
from chatsphere.http.openai_errors import ModelNotFoundError, openai_headers, openai_problem, openai_status
from chatsphere.http.problem import CONTENT_TYPE


async def admitted_to_body(request: Request, services: Services) -> tuple[Principal, NamedBot]:
    """Return who asks, and the bot that the body's `model` names, once the gate has let them in.

    Raises:
        ModelNotFoundError: the caller may ask no such bot.
        InvalidRequestError: the body names none. Others: see `chatsphere.http.gate.Visit.check`.
    """
    caller = asgi_requests.principal(request)
    try:
        body = await asgi_requests.body(request, Addressed)
    except ChatSphereError:
        # Whoever may not ask at all, or asks too often, hears that first, as on other routes.
        await run_in_threadpool(admitted, request, caller, {}, services)
        raise
    return caller, await run_in_threadpool(admitted_to, request, caller, body.model, services)


def admitted_to(request: Request, caller: Principal, model: str, services: Services) -> NamedBot:
    """Return the bot of this name, once the gate has let the caller in.

    Raises:
        ModelNotFoundError: the caller may ask no such bot. Others: see `chatsphere.http.gate.Visit.check`.
    """
    with services.database.transaction(caller.organization_id, caller.user_id) as connection:
        bot = named_bot(connection, model)
    try:
        admitted(request, caller, {"bot_id": NOBODY if bot is None else bot.id}, services)
    except NotFoundError:
        raise ModelNotFoundError(model) from None
    if bot is None:
        raise ModelNotFoundError(model)
    return bot


def admitted(request: Request, caller: Principal, named: Mapping[str, UUID], services: Services) -> None:
    """Let the caller in to chat with what is named. The answer will carry the gate's headers.

    Raises:
        What `chatsphere.http.gate.Visit.check` does.
    """
    visit = arrive(caller, Permission.CHAT, named, database=services.database, now=services.clock.now())
    request.state.gate_headers = visit.headers
    visit.check()


def openai_response(request: Request, error: ChatSphereError) -> Response:
    """Return the error as OpenAI's clients read it; it is a problem document all the same."""
    return JSONResponse(
        openai_problem(error, asgi_requests.request_id(request)),
        status_code=openai_status(error),
        headers=openai_headers(error),
        media_type=CONTENT_TYPE,
    )
