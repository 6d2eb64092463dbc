"""The synchronous HTTP functions: routers in, one Lambda handler out; errors become problems here only."""

import json
import traceback
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.exceptions import NotFoundError as RouteNotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError

from chatsphere.bootstrap import container
from chatsphere.errors import (
    ChatSphereError,
    FieldError,
    InvalidRequestError,
    NotFoundError,
)
from chatsphere.http import json_body
from chatsphere.http.cors import cors_headers
from chatsphere.http.principal import Principal
from chatsphere.http.problem import CONTENT_TYPE, problem, problem_headers
from chatsphere.http.proxy_event import Event, header, with_plain_body
from chatsphere.observability import Metric, bind, invocation, log_failure, logger, record

Handler = Callable[[Event, Any], Mapping[str, Any]]


def rest_api(*routers: Router) -> APIGatewayRestResolver:
    """Make the resolver of one function: validates requests, and answers every error with a problem."""
    app = APIGatewayRestResolver(
        enable_validation=True,
        # Without it Powertools reports a response of ours that is not valid as the client's 422.
        response_validation_error_http_code=500,
        json_body_deserializer=json_body.parse_object,
    )
    for router in routers:
        app.include_router(router)

    @app.exception_handler(ChatSphereError)
    def known(error: ChatSphereError) -> Response[Any]:
        log_failure(error)
        return _problem_response(app, error)

    @app.exception_handler(RequestValidationError)
    def invalid(error: RequestValidationError) -> Response[Any]:
        return _problem_response(app, _request_error(error))

    @app.exception_handler(RouteNotFoundError)
    def no_route(_: RouteNotFoundError) -> Response[Any]:
        return _problem_response(app, NotFoundError("There is no such route."))

    @app.exception_handler(Exception)
    def unexpected(error: Exception) -> Response[Any]:
        # Not the message: a driver's or a validator's words may quote what the client sent.
        logger.error("unexpected error", error_type=type(error).__name__, stack=_places(error))
        record(Metric.UNEXPECTED_ERRORS)
        return _problem_response(app, ChatSphereError())

    return app


def lambda_handler(app: APIGatewayRestResolver) -> Handler:
    """Return the function's entry point; every answer carries the request's id."""

    def handler(event: Event, context: Any) -> Mapping[str, Any]:
        request_id = _request_id(event)
        with invocation(request_id):
            try:
                answer = app.resolve(with_plain_body(event), context)
            except ChatSphereError as error:
                log_failure(error)
                answer = _problem_answer(error, request_id)
        cors = cors_headers(header(event, "origin"), container().browser_settings.origins)
        for name, value in {"X-Request-Id": request_id, **cors}.items():
            answer.setdefault("multiValueHeaders", {})[name] = [value]
        return answer

    return handler


def principal(router: Router) -> Principal:
    """Return who is asking in the request that the router is serving."""
    authorizer = router.current_event.raw_event.get("requestContext", {}).get("authorizer") or {}
    caller = Principal.from_context(authorizer)
    bind(organization_id=str(caller.organization_id))
    return caller


def _request_id(event: Event) -> str:
    """Return the request's id; an event without one is given one, so that header and body agree."""
    context = event.setdefault("requestContext", {})
    return str(context.setdefault("requestId", str(uuid4())))


def _problem_response(app: APIGatewayRestResolver, error: ChatSphereError) -> Response[Any]:
    answer = _problem_answer(error, _request_id(app.current_event.raw_event))
    return Response(
        status_code=answer["statusCode"],
        content_type=CONTENT_TYPE,
        body=answer["body"],
        headers=problem_headers(error),
    )


def _problem_answer(error: ChatSphereError, request_id: str) -> dict[str, Any]:
    headers = {**problem_headers(error), "Content-Type": CONTENT_TYPE}
    return {
        "statusCode": error.status,
        "body": json.dumps(problem(error, request_id)),
        "isBase64Encoded": False,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
    }


def _request_error(error: RequestValidationError) -> ChatSphereError:
    problems = error.errors()
    for entry in problems:
        # An id that cannot be one is answered like an id that nobody has.
        if entry["loc"][0] == "path":
            return NotFoundError(f"There is no such {_noun(str(entry['loc'][1]))}.")
    if any(entry["loc"] == ("body",) and entry["type"] == "missing" for entry in problems):
        return json_body.body_required()
    fields = tuple(
        FieldError("/".join(map(str, entry["loc"])), code=str(entry["type"]), detail=str(entry["msg"]))
        for entry in problems
    )
    return InvalidRequestError("See `errors` for the fields that are not valid.", fields)


def _noun(parameter: str) -> str:
    return parameter.removesuffix("_id").replace("_", " ").replace("api", "API")


def _places(error: Exception) -> list[str]:
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
