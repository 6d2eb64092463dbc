"""The synchronous HTTP functions: routers in, one Lambda handler out; errors become problems here only."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.exceptions import NotFoundError as RouteNotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError

from chatsphere.access.principal import Principal
from chatsphere.bootstrap import container
from chatsphere.db.origin import coming_from
from chatsphere.errors import ChatSphereError, InvalidRequestError, NotFoundError
from chatsphere.failures import public_error
from chatsphere.http import json_body
from chatsphere.http.cors import cors_headers
from chatsphere.http.field_errors import field_errors
from chatsphere.http.gate import Visit, arrive
from chatsphere.http.idempotent_events import answered_once
from chatsphere.http.problem import CONTENT_TYPE, problem, problem_headers
from chatsphere.http.proxy_event import Event, authorizer_context, header, origin, request_id, with_plain_body
from chatsphere.http.route_table import RouteTable
from chatsphere.observability import bind, invocation

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

    @app.exception_handler(RequestValidationError)
    def invalid(error: RequestValidationError) -> Response[Any]:
        return _problem_response(app, _request_error(error))

    @app.exception_handler(RouteNotFoundError)
    def no_route(_: RouteNotFoundError) -> Response[Any]:
        return _problem_response(app, NotFoundError("There is no such route."))

    @app.exception_handler(Exception)
    def failed(error: Exception) -> Response[Any]:
        return _problem_response(app, public_error(error))

    return app


def lambda_handler(app: APIGatewayRestResolver) -> Handler:
    """Return the function's entry point; every request with a credential passes the gate, every answer carries an id.

    Raises:
        ConfigurationError: a route is neither public nor says which permission it requires.
    """
    routes = RouteTable(app)

    def handler(event: Event, context: Any) -> Mapping[str, Any]:
        added = {"X-Request-Id": request_id(event)}
        with invocation(request_id(event)), coming_from(origin(event)):
            try:
                visit = _arrive(event, routes)
                if visit is None:
                    answer = app.resolve(with_plain_body(event), context)
                else:
                    added |= visit.headers
                    visit.check()
                    answer = answered_once(with_plain_body(event), context, visit.caller, container(), app.resolve)
            except Exception as error:
                answer = _problem_answer(public_error(error), request_id(event))
        added |= cors_headers(header(event, "origin"), container().browser_settings.origins)
        for name, value in added.items():
            answer.setdefault("multiValueHeaders", {})[name] = [value]
        return answer

    return handler


def _arrive(event: Event, routes: RouteTable) -> Visit | None:
    """Return the request at the gate, None where its route is public or does not exist."""
    route = routes.find(event)
    if route is None or route.permission is None:
        return None
    c = container()
    return arrive(_principal(event), route.permission, route.path, database=c.database, now=c.clock.now())


def _principal(event: Event) -> Principal:
    caller = Principal.from_context(authorizer_context(event))
    bind(organization_id=str(caller.organization_id))
    return caller


def principal(router: Router) -> Principal:
    """Return who is asking in the request that the router is serving."""
    return _principal(router.current_event.raw_event)


def _problem_response(app: APIGatewayRestResolver, error: ChatSphereError) -> Response[Any]:
    answer = _problem_answer(error, request_id(app.current_event.raw_event))
    return Response(
        status_code=answer["statusCode"],
        content_type=CONTENT_TYPE,
        body=answer["body"],
        headers=problem_headers(error),
    )


def _problem_answer(error: ChatSphereError, identifier: str) -> dict[str, Any]:
    headers = {**problem_headers(error), "Content-Type": CONTENT_TYPE}
    return {
        "statusCode": error.status,
        "body": json.dumps(problem(error, identifier)),
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
    return InvalidRequestError("See `errors` for the fields that are not valid.", field_errors(problems))


def _noun(parameter: str) -> str:
    return parameter.removesuffix("_id").replace("_", " ").replace("api", "API")
