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
from chatsphere.chat.answer_routes import FollowPace, stop_writing, stream_answer
from chatsphere.chat.answering import answer
from chatsphere.chat.audience import Audience
from chatsphere.chat.message_search.routes import search_conversations
from chatsphere.chat.openai.routes import routes as openai_routes
from chatsphere.chat.presenting import collected, streamed
from chatsphere.chat.public_routes import chat_with_public_bot
from chatsphere.chat.search_presenting import searched
from chatsphere.chat.searching import SearchQuestion, search_bot
from chatsphere.chat.services import Services
from chatsphere.chat.turns import Question
from chatsphere.http import asgi_requests
from chatsphere.http.cors_middleware import CorsHeaders
from chatsphere.http.event_stream import HEARTBEAT_SECONDS
from chatsphere.http.idempotent_asgi import is_keyed
from chatsphere.knowledge.history.stream_routes import Pace, stream_ingestion
from chatsphere.ports.answers import Turn


@cache
def services_from_environment() -> Services:
    """Return what answering depends on, as the function's environment says."""
    from chatsphere.chat.cache.answers import CachedAnswers
    from chatsphere.chat.memory.recalling import BotMemory
    from chatsphere.chat.memory.searching import MemorySearch
    from chatsphere.chat.retrieving import BotRetriever
    from chatsphere.knowledge.retrieval.known_vectors import QuestionVectors

    c = container()
    how = c.cache_server_settings
    vectors = QuestionVectors(c.cache, how.cache_question_seconds) if c.cache else None
    return Services(
        database=c.database,
        retriever=BotRetriever(c.database, c.embedder_for, c.vector_store, vectors),
        model=c.answer_model,
        clock=c.clock,
        ids=c.ids,
        cache=CachedAnswers(c.database, c.cache, how.cache_answer_seconds) if c.cache else None,
        recall=BotMemory(c.database, c.embedder_for, c.message_vectors, lambda: c.embed_queue, vectors),
        memory=MemorySearch(c.database, c.embedder_for, c.message_vectors, vectors),
        personal_data=lambda: c.personal_data,
    )


def chat_app(
    make_services: Callable[[], Services] = services_from_environment,
    *,
    heartbeat_seconds: float = HEARTBEAT_SECONDS,
    pace: Pace | None = None,
    follow_pace: FollowPace | None = None,
) -> Starlette:
    """Return the application. Services are made when a request first needs them; `pace` is ingestion's stream's,
    `follow_pace` that of a stream of an answer that is being written.
    """
    chat = partial(chat_with_bot, make_services=make_services, heartbeat_seconds=heartbeat_seconds)
    public_chat = partial(chat_with_public_bot, make_services=make_services, heartbeat_seconds=heartbeat_seconds)
    search = partial(search_documents, make_services=make_services)
    search_messages = partial(search_conversations, make_services=make_services)
    ingestion = partial(
        stream_ingestion, make_services=make_services, heartbeat_seconds=heartbeat_seconds, pace=pace or Pace()
    )
    stop = partial(stop_writing, make_services=make_services)
    replay = partial(
        stream_answer,
        make_services=make_services,
        heartbeat_seconds=heartbeat_seconds,
        pace=follow_pace or FollowPace(),
    )
    return Starlette(
        routes=[
            Route("/v1/bots/{bot_id}/chat", asgi_requests.with_problems(chat), methods=["POST"]),
            Route("/v1/public/bots/{bot_id}/chat", asgi_requests.with_problems(public_chat), methods=["POST"]),
            Route("/v1/bots/{bot_id}/search", asgi_requests.with_problems(search), methods=["POST"]),
            Route("/v1/conversations/search", asgi_requests.with_problems(search_messages), methods=["POST"]),
            Route("/v1/chat/{message_id}/stop", asgi_requests.with_problems(stop), methods=["POST"]),
            Route("/v1/chat/{message_id}/stream", asgi_requests.with_problems(replay), methods=["GET"]),
            Route("/v1/bots/{bot_id}/ingestion/stream", asgi_requests.with_problems(ingestion), methods=["GET"]),
            *openai_routes(make_services, heartbeat_seconds),
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
    await run_in_threadpool(_may_choose_version, request, caller, body.bot_version, services)
    question = _question(caller, request, body)
    audience = Audience(comes_back=is_keyed(request))
    events = answer(question, services, audience)
    if not body.stream:
        return _json(await run_in_threadpool(collected, events))
    return await streamed(events, asgi_requests.request_id(request), heartbeat_seconds, audience=audience)


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
    await run_in_threadpool(_may_choose_version, request, caller, body.bot_version, services)
    asked = SearchQuestion(
        organization_id=caller.organization_id,
        user_id=caller.user_id,
        api_key_id=caller.api_key_id,
        bot_id=asgi_requests.bot_id(request),
        query=body.query,
        limit=body.limit,
        within=body.filter.documents() if body.filter else None,
        mode=body.mode,
        explain=body.explain,
        history=[Turn(said.role, said.content) for said in body.history],
        bot_version=body.bot_version,
    )
    return _json(searched(await run_in_threadpool(search_bot, asked, services)))


def _may_choose_version(request: Request, caller: Principal, version: int | None, services: Services) -> None:
    """Raise where a version is named and the caller may not change the bot: who may not does not see its versions."""
    if version is not None:
        asgi_requests.permitted(request, caller, Permission.BOT_EDIT, database=services.database)


def _question(caller: Principal, request: Request, body: schemas.ChatRequest) -> Question:
    return Question(
        organization_id=caller.organization_id,
        user_id=caller.user_id,
        api_key_id=caller.api_key_id,
        bot_id=asgi_requests.bot_id(request),
        message=body.message,
        conversation_id=body.conversation_id,
        end_user_id=body.user,
        reads_conversations=caller.reads_conversations,
        metadata=body.metadata,
        filter=body.filter.documents() if body.filter else None,
        history=None if body.history is None else [Turn(said.role, said.content) for said in body.history],
        bot_version=body.bot_version,
    )


def _json(body: schemas.ChatResponse | schemas.SearchResponse) -> Response:
    return JSONResponse(body.model_dump(mode="json"))
