"""ASGI endpoints for clients of OpenAI's API: translate in, call one use case, translate out."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from chatsphere.access.principal import Principal
from chatsphere.chat.audience import Audience
from chatsphere.chat.events import ChatEvent
from chatsphere.chat.openai.admission import admitted, admitted_to, admitted_to_body, openai_response
from chatsphere.chat.openai.annotating import Sources
from chatsphere.chat.openai.chat_presenting import CompletionPresenter
from chatsphere.chat.openai.models import ListedBot, NamedBot, askable_bots
from chatsphere.chat.openai.parameters import check_parameters
from chatsphere.chat.openai.presenting import streamed
from chatsphere.chat.openai.questions import completion_events, response_events
from chatsphere.chat.openai.response_presenting import ResponsePresenter
from chatsphere.chat.openai.response_schemas import Model, ModelList
from chatsphere.chat.openai.schemas import ChatCompletionRequest, CreateResponseRequest
from chatsphere.chat.openai.stored import PREVIOUS, message_id_of, stored_answer
from chatsphere.chat.openai.told import seconds
from chatsphere.chat.services import Services
from chatsphere.errors import NotFoundError
from chatsphere.http import asgi_requests
from chatsphere.http.idempotent_asgi import is_keyed
from chatsphere.http.models import ApiResponse
from chatsphere.http.openai_errors import ModelNotFoundError

MakeServices = Callable[[], Services]
Body = TypeVar("Body", ChatCompletionRequest, CreateResponseRequest)
BeginAnswer = Callable[[Principal, UUID, Body, Services, Audience], Iterator[ChatEvent]]
NO_RESPONSE: Final = "There is no such response."


@dataclass(frozen=True, slots=True)
class _Asked(Generic[Body]):
    """An answer that was begun: by which bot, to what, and for whom."""

    bot: NamedBot
    body: Body
    events: Iterator[ChatEvent]
    audience: Audience


def routes(make_services: MakeServices, heartbeat_seconds: float) -> Sequence[Route]:
    """Return the routes."""
    completions = partial(complete_chat, make_services=make_services, heartbeat_seconds=heartbeat_seconds)
    responses = partial(create_response, make_services=make_services, heartbeat_seconds=heartbeat_seconds)
    return [
        _route("POST", "/v1/chat/completions", completions),
        _route("POST", "/v1/responses", responses),
        _route("GET", "/v1/responses/{response_id}", partial(read_response, make_services=make_services)),
        _route("GET", "/v1/models", partial(list_models, make_services=make_services)),
        _route("GET", "/v1/models/{model_id}", partial(read_model, make_services=make_services)),
    ]


async def complete_chat(request: Request, *, make_services: MakeServices, heartbeat_seconds: float) -> Response:
    """Answer as a chat completion, streamed or in one piece."""
    asked = await _asked(request, make_services, ChatCompletionRequest, completion_events)
    if isinstance(asked, Response):
        return asked
    body, request_id = asked.body, asgi_requests.request_id(request)
    include_usage = body.stream_options is not None and bool(body.stream_options.include_usage)
    sources = _sources(request, asked.bot)
    presenter = CompletionPresenter(asked.bot.name, sources, request_id, body.metadata, include_usage)
    return await _told(asked, presenter, heartbeat_seconds)


async def create_response(request: Request, *, make_services: MakeServices, heartbeat_seconds: float) -> Response:
    """Answer as a response, streamed or in one piece."""
    asked = await _asked(request, make_services, CreateResponseRequest, response_events)
    if isinstance(asked, Response):
        return asked
    presenter = ResponsePresenter(asked.bot.name, _sources(request, asked.bot), _repeated(asked.body))
    return await _told(asked, presenter, heartbeat_seconds)


async def _asked(
    request: Request, make_services: MakeServices, kind: type[Body], begin: BeginAnswer[Body]
) -> _Asked[Body] | Response:
    """Return the answer that was begun; of a request that was answered before, the response that it had."""
    services = await run_in_threadpool(make_services)
    caller, bot = await admitted_to_body(request, services)
    before = await asgi_requests.answered_before(request, caller, database=services.database, clock=services.clock)
    if before is not None:
        return before
    body = await asgi_requests.body(request, kind)
    check_parameters(body)
    audience = Audience(comes_back=is_keyed(request))
    events = await run_in_threadpool(begin, caller, bot.id, body, services, audience)
    return _Asked(bot, body, events, audience)


async def _told(
    asked: _Asked[Body], presenter: CompletionPresenter | ResponsePresenter, heartbeat_seconds: float
) -> Response:
    if not asked.body.stream:
        return _json(await run_in_threadpool(presenter.collected, asked.events))
    return await streamed(asked.events, presenter.frame, heartbeat_seconds, asked.audience)


async def read_response(request: Request, *, make_services: MakeServices) -> Response:
    """Return a response that is kept."""
    services = await run_in_threadpool(make_services)
    return _json(await run_in_threadpool(_read_response, request, services))


async def list_models(request: Request, *, make_services: MakeServices) -> Response:
    """Return the bots that the caller may chat with."""
    services = await run_in_threadpool(make_services)
    return _json(await run_in_threadpool(_list_models, request, services))


async def read_model(request: Request, *, make_services: MakeServices) -> Response:
    """Return one of them."""
    services = await run_in_threadpool(make_services)
    return _json(await run_in_threadpool(_read_model, request, services))


def _read_response(request: Request, services: Services) -> ApiResponse:
    caller = asgi_requests.principal(request)
    message_id = message_id_of(request.path_params["response_id"])
    try:
        admitted(request, caller, {"message_id": message_id}, services)
    except NotFoundError:
        raise NotFoundError(NO_RESPONSE) from None
    with services.database.transaction(caller.organization_id, caller.user_id) as connection:
        answer = stored_answer(connection, message_id)
    asked: dict[str, Any] = {
        "metadata": {name: str(value) for name, value in answer.metadata.items() if name != PREVIOUS},
        "previous_response_id": answer.metadata.get(PREVIOUS),
        "user": answer.end_user_id,
    }
    sources = Sources(asgi_requests.base_url(request), answer.bot_id)
    return ResponsePresenter(answer.model, sources, asked).body(answer.told)


def _list_models(request: Request, services: Services) -> ApiResponse:
    caller = asgi_requests.principal(request)
    admitted(request, caller, {}, services)
    with services.database.transaction(caller.organization_id, caller.user_id) as connection:
        return ModelList(data=[_model(bot) for bot in askable_bots(connection, caller)])


def _read_model(request: Request, services: Services) -> ApiResponse:
    name = request.path_params["model_id"]
    bot = admitted_to(request, asgi_requests.principal(request), name, services)
    if not bot.answers:
        raise ModelNotFoundError(name)
    return _model(bot)


def _model(bot: NamedBot | ListedBot) -> Model:
    return Model(id=bot.name, created=seconds(bot.created_at), owned_by=bot.owner)


def _repeated(body: CreateResponseRequest) -> dict[str, Any]:
    """Return what a response repeats of its request."""
    return {
        "instructions": body.instructions,
        "max_output_tokens": body.max_output_tokens,
        "metadata": body.metadata or {},
        "previous_response_id": body.previous_response_id,
        "temperature": body.temperature,
        "user": body.end_user(),
    }


def _sources(request: Request, bot: NamedBot) -> Sources:
    return Sources(asgi_requests.base_url(request), bot.id)


def _route(method: str, path: str, endpoint: asgi_requests.Endpoint) -> Route:
    return Route(path, asgi_requests.with_problems(endpoint, openai_response), methods=[method])


def _json(body: ApiResponse) -> Response:
    return JSONResponse(body.model_dump(mode="json"))
