"""The synchronous HTTP functions: routers in, one Lambda handler out; errors become problems here only."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.exceptions import NotFoundError as RouteNotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import (
    RequestUnsupportedContentType,
    RequestValidationError,
)

from chatsphere.errors import (
    ChatSphereError,
    FieldError,
    InvalidRequestError,
    MalformedBodyError,
    NotFoundError,
    UnsupportedMediaTypeError,
)
from chatsphere.http.principal import Principal
from chatsphere.http.problem import CONTENT_TYPE, problem, problem_headers
from chatsphere.observability import logger

Event = dict[str, Any]
Handler = Callable[[Event, Any], Mapping[str, Any]]


def rest_api(*routers: Router) -> APIGatewayRestResolver:
    """Make the resolver of one function: validates requests, and answers every error with a problem."""
    app = APIGatewayRestResolver(enable_validation=True)
    for router in routers:
        app.include_router(router)

    @app.exception_handler(ChatSphereError)
    def known(error: ChatSphereError) -> Response[Any]:
        return _problem_response(app, error)

    @app.exception_handler(RequestValidationError)
    def invalid(error: RequestValidationError) -> Response[Any]:
        return _problem_response(app, _invalid_request(error))

    @app.exception_handler(RequestUnsupportedContentType)
    def media_type(_: RequestUnsupportedContentType) -> Response[Any]:
        return _problem_response(app, UnsupportedMediaTypeError())

    @app.exception_handler(RouteNotFoundError)
    def no_route(_: RouteNotFoundError) -> Response[Any]:
        return _problem_response(app, NotFoundError("There is no such route."))

    @app.exception_handler(Exception)
    def unexpected(error: Exception) -> Response[Any]:
        logger.exception("unexpected error", error_type=type(error).__name__)
        return _problem_response(app, ChatSphereError())

    return app


def lambda_handler(app: APIGatewayRestResolver) -> Handler:
    """Return the function's entry point; every answer carries the request's id."""

    def handler(event: Event, context: Any) -> Mapping[str, Any]:
        answer = app.resolve(event, context)
        answer.setdefault("multiValueHeaders", {})["X-Request-Id"] = [_request_id(event)]
        return answer

    return handler


def principal(router: Router) -> Principal:
    """Return who is asking in the request that the router is serving."""
    authorizer = router.current_event.raw_event.get("requestContext", {}).get("authorizer") or {}
    return Principal.from_context(authorizer)


def _request_id(event: Event) -> str:
    return str(event.get("requestContext", {}).get("requestId") or uuid4())


def _problem_response(app: APIGatewayRestResolver, error: ChatSphereError) -> Response[Any]:
    request_id = _request_id(app.current_event.raw_event)
    return Response(
        status_code=error.status,
        content_type=CONTENT_TYPE,
        body=app._serializer(problem(error, request_id)),
        headers=problem_headers(error),
    )


def _invalid_request(error: RequestValidationError) -> InvalidRequestError:
    problems = error.errors()
    if any(p["type"] == "json_invalid" for p in problems):
        return MalformedBodyError("The body is not valid JSON.")
    fields = tuple(
        FieldError(pointer="/".join(map(str, p["loc"])), code=str(p["type"]), detail=str(p["msg"])) for p in problems
    )
    return InvalidRequestError("See `errors` for the fields that are not valid.", fields)
