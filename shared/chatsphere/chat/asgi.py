"""The streaming function: chat, search and the stream of ingestion as an ASGI application, run under the Lambda Web
Adapter.

Lambda gives it one request at a time. All work is synchronous and runs in a thread.
"""

from collections.abc import Callable
from functools import cache, partial

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from chatsphere.access.permissions import Permission
from chatsphere.access.principal import Principal
from chatsphere.bootstrap import container
from chatsphere.chat import schemas
from chatsphere.chat.answering import answer
from chatsphere.chat.presenting import collected, streamed
from chatsphere.chat.public_routes import chat_with_public_bot
from chatsphere.chat.searching import search_bot
from chatsphere.chat.services import Services
from chatsphere.chat.turns import Question
from chatsphere.http import asgi_requests
from chatsphere.http.cors_middleware import CorsHeaders
from chatsphere.http.event_stream import HEARTBEAT_SECONDS
from chatsphere.knowledge.history.stream_routes import Pace, stream_ingestion


@cache
def services_from_environment() -> Services:
    """Return what answering depends on, as the function's environment says."""
    from chatsphere.chat.retrieving import BotRetriever

    c = container()
    return Services(
        database=c.database,
        retriever=BotRetriever(c.database, c.embedder_for, c.vector_store),
        model=c.answer_model,
        clock=c.clock,
        ids=c.ids,
    )


def chat_app(
    make_services: Callable[[], Services] = services_from_environment,
    *,
    heartbeat_seconds: float = HEARTBEAT_SECONDS,
    pace: Pace | None = None,
) -> Starlette:
    """Return the application. Services are made when a request first needs them; `pace` is ingestion's stream's."""
    chat = partial(chat_with_bot, make_services=make_services, heartbeat_seconds=heartbeat_seconds)
    public_chat = partial(chat_with_public_bot, make_services=make_services, heartbeat_seconds=heartbeat_seconds)
    search = partial(search_documents, make_services=make_services)
    ingestion = partial(
        stream_ingestion, make_services=make_services, heartbeat_seconds=heartbeat_seconds, pace=pace or Pace()
    )
    return Starlette(
        routes=[
            Route("/v1/bots/{bot_id}/chat", asgi_requests.with_problems(chat), methods=["POST"]),
            Route("/v1/public/bots/{bot_id}/chat", asgi_requests.with_problems(public_chat), methods=["POST"]),
            Route("/v1/bots/{bot_id}/search", asgi_requests.with_problems(search), methods=["POST"]),
            Route("/v1/bots/{bot_id}/ingestion/stream", asgi_requests.with_problems(ingestion), methods=["GET"]),
        ],
        middleware=[
            Middleware(CorsHeaders, allowed=lambda: container().browser_settings.origins),
            Middleware(asgi_requests.ObservedRequests),
        ],
        exception_handlers=asgi_requests.EXCEPTION_HANDLERS,
    )


async def chat_with_bot(
    request: Request, *, make_services: Callable[[], Services], heartbeat_seconds: float
) -> Response:
    """Answer a question, streamed or in one piece: the same events either way."""
    services = await run_in_threadpool(make_services)
    caller = await run_in_threadpool(
        asgi_requests.admitted, request, Permission.CHAT, database=services.database, clock=services.clock
    )
    before = await asgi_requests.answered_before(request, caller, database=services.database, clock=services.clock)
    if before is not None:
        return before
    body = await asgi_requests.body(request, schemas.ChatRequest)
    question = _question(caller, request, body)
    events = answer(question, services)
    if not body.stream:
        return _json(await run_in_threadpool(collected, events))
    return await streamed(events, asgi_requests.request_id(request), heartbeat_seconds)


async def search_documents(request: Request, *, make_services: Callable[[], Services]) -> Response:
    """Return what chat would retrieve."""
    services = await run_in_threadpool(make_services)
    caller = await run_in_threadpool(
        asgi_requests.admitted, request, Permission.CHAT, database=services.database, clock=services.clock
    )
    before = await asgi_requests.answered_before(request, caller, database=services.database, clock=services.clock)
    if before is not None:
        return before
    body = await asgi_requests.body(request, schemas.SearchRequest)
    found = await run_in_threadpool(
        search_bot,
        caller.organization_id,
        caller.user_id,
        asgi_requests.bot_id(request),
        body.query,
        limit=body.limit,
        documents=body.filter.documents() if body.filter else None,
        mode=body.mode,
        database=services.database,
        retriever=services.retriever,
    )
    hits = [schemas.SearchHit.model_validate(hit) for hit in found.hits]
    return _json(schemas.SearchResponse(data=hits, confidence=found.confidence))


def _question(caller: Principal, request: Request, body: schemas.ChatRequest) -> Question:
    return Question(
        organization_id=caller.organization_id,
        user_id=caller.user_id,
        api_key_id=caller.api_key_id,
        bot_id=asgi_requests.bot_id(request),
        message=body.message,
        conversation_id=body.conversation_id,
        end_user_id=body.user,
        metadata=body.metadata,
        documents=body.filter.documents() if body.filter else None,
    )


def _json(body: schemas.ChatResponse | schemas.SearchResponse) -> Response:
    return JSONResponse(body.model_dump(mode="json"))
