"""What every ASGI endpoint does first: who asks, about which bot, with which body; and what fails as a problem."""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar
from uuid import UUID, uuid4

from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from chatsphere.access.bot_access import bot_access
from chatsphere.access.permissions import Permission
from chatsphere.access.principal import Principal
from chatsphere.db.database import Database
from chatsphere.db.origin import Origin, coming_from
from chatsphere.errors import (
    ChatSphereError,
    InvalidRequestError,
    NotFoundError,
    PayloadTooLargeError,
    UnauthorizedError,
)
from chatsphere.failures import public_error
from chatsphere.http import json_body
from chatsphere.http.field_errors import field_errors
from chatsphere.http.gate import arrive, path_ids
from chatsphere.http.idempotent_asgi import first_answer, kept
from chatsphere.http.problem import CONTENT_TYPE, problem, problem_headers
from chatsphere.observability import invocation, traced
from chatsphere.ports.system import Clock

MAX_BODY_BYTES = 1024 * 1024
CONTEXT_HEADER = "x-amzn-request-context"
TRACE_HEADER = "x-amzn-trace-id"

Body = TypeVar("Body", bound=BaseModel)
Endpoint = Callable[[Request], Awaitable[Response]]


def problem_response(request: Request, error: ChatSphereError) -> Response:
    """Return the error as a problem document."""
    return JSONResponse(
        problem(error, request_id(request)),
        status_code=error.status,
        headers=problem_headers(error),
        media_type=CONTENT_TYPE,
    )


def with_problems(
    endpoint: Endpoint, respond: Callable[[Request, ChatSphereError], Response] = problem_response
) -> Callable[[Request], Awaitable[ASGIApp]]:
    """Answer the endpoint's errors with problems, and every response with the request's id; keep it where asked to."""

    async def guarded(request: Request) -> ASGIApp:
        try:
            response = await endpoint(request)
        except Exception as error:
            response = respond(request, public_error(error))
        response.headers.update({"X-Request-Id": request_id(request)} | getattr(request.state, "gate_headers", {}))
        return kept(request, response)

    return guarded


async def no_route(request: Request, _: Exception) -> Response:
    """Answer a path or method that no route has."""
    response = problem_response(request, NotFoundError("There is no such route."))
    response.headers["X-Request-Id"] = request_id(request)
    return response


class ObservedRequests:
    """ASGI middleware: a request is one invocation of the function, until its response was sent in full."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        with (
            invocation(request_id(request)),
            traced(request.headers.get(TRACE_HEADER)),
            coming_from(_origin(request)),
        ):
            await self._app(scope, receive, send)


EXCEPTION_HANDLERS = {HTTPException: no_route}


def request_id(request: Request) -> str:
    """Return the id that API Gateway gave the request, or one of its own: the same at each call."""
    if not hasattr(request.state, "request_id"):
        given = _context(request).get("requestId")
        request.state.request_id = given if isinstance(given, str) and given else str(uuid4())
    identifier: str = request.state.request_id
    return identifier


def base_url(request: Request) -> str:
    """Return the API's address as the client used it, without a slash at its end; '' where that is not known."""
    context, path = _context(request), request.url.path
    host, called = context.get("domainName"), context.get("path")
    if not isinstance(host, str) or not isinstance(called, str) or not called.endswith(path):
        return ""
    scheme = "http" if request.headers.get("x-forwarded-proto") == "http" else "https"
    return f"{scheme}://{host}{called.removesuffix(path)}"


def principal(request: Request) -> Principal:
    """Return who is asking, as the authorizer established it.

    Raises:
        UnauthorizedError: the request did not come through the authorizer.
    """
    authorizer = _context(request).get("authorizer")
    if not isinstance(authorizer, dict):
        raise UnauthorizedError
    return Principal.from_context(authorizer)


def bot_id(request: Request) -> UUID:
    """Return the bot that the path names. An id that cannot be one is answered like an id that nobody has."""
    try:
        return UUID(request.path_params["bot_id"])
    except ValueError:
        raise NotFoundError("There is no such bot.") from None


def admitted(
    request: Request,
    permission: Permission,
    *,
    database: Database,
    clock: Clock,
    about: Mapping[str, UUID] | None = None,
) -> Principal:
    """Return who is asking, once the gate has let them in. The answer will carry the gate's headers.

    `about`: the ids that the request is about, where not its path names them but its body.

    Raises:
        UnauthorizedError, and what `chatsphere.http.gate.Visit.check` raises.
    """
    caller = principal(request)
    path = path_ids(request.path_params) if about is None else about
    visit = arrive(caller, permission, path, database=database, now=clock.now())
    request.state.gate_headers = visit.headers
    visit.check()
    return caller


def permitted(request: Request, caller: Principal, permission: Permission, *, database: Database) -> None:
    """Check a further permission on the bot in the path, which a body makes necessary. The gate has let the caller in.

    Raises:
        InsufficientScopeError, InsufficientRoleError, NotFoundError, InsufficientPermissionError: as the gate.
    """
    caller.require(permission)
    with database.transaction(caller.organization_id, caller.user_id) as connection:
        access = bot_access(connection, caller, path_ids(request.path_params))
    if access is not None:
        access.check(permission, caller)


async def answered_before(request: Request, caller: Principal, *, database: Database, clock: Clock) -> Response | None:
    """Return the first answer to a request whose `Idempotency-Key` was sent before; None where this is the first.

    Raises:
        PayloadTooLargeError, and what `chatsphere.http.idempotency.undertake` raises.
    """
    raw = await _limited_body(request)
    return await first_answer(request, raw, caller, database=database, clock=clock)


async def body(request: Request, model: type[Body]) -> Body:
    """Return the validated body.

    Raises:
        InvalidRequestError: it is not what the route takes. Others: see `chatsphere.http.json_body`.
    """
    json_body.require_json(request.headers.get("content-type"))
    text = json_body.decode_text(await _limited_body(request))
    if not text.strip():
        raise json_body.body_required()
    try:
        return model.model_validate(json_body.parse_object(text))
    except ValidationError as error:
        complaints = error.errors(include_url=False, include_context=False, include_input=False)
        fields = field_errors(complaints, "body")
        raise InvalidRequestError("See `errors` for the fields that are not valid.", fields) from None


async def _limited_body(request: Request) -> bytes:
    """Return the raw body: the same at each call."""
    if not hasattr(request.state, "raw_body"):
        received = bytearray()
        async for part in request.stream():
            received += part
            if len(received) > MAX_BODY_BYTES:
                raise PayloadTooLargeError(f"The body may hold {MAX_BODY_BYTES} bytes.")
        request.state.raw_body = bytes(received)
    raw: bytes = request.state.raw_body
    return raw


def _origin(request: Request) -> Origin:
    context = _context(request)
    said = {name: value for name in ("identity", "authorizer") if isinstance(value := context.get(name), dict)}
    return Origin.of(said.get("authorizer", {}), said.get("identity", {}), request_id(request))


def _context(request: Request) -> dict[str, object]:
    """Return the API Gateway request context that the Lambda Web Adapter hands over, or nothing.

    The adapter replaces such a header of a client's; two of them mean that something else let one through.
    """
    headers = request.headers.getlist(CONTEXT_HEADER)
    try:
        context = json.loads(headers[0]) if len(headers) == 1 else {}
    except ValueError:
        return {}
    return context if isinstance(context, dict) else {}
