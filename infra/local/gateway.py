"""The HTTP gateway: turns requests into API Gateway events and functions' results into responses."""

import json
import time
from collections.abc import MutableMapping
from dataclasses import replace
from typing import Any

from chatsphere.errors import ChatSphereError, UnavailableError
from infra.local.authorizer import authorize
from infra.local.errors import InvocationError, TimedOutError
from infra.local.functions import Functions
from infra.local.http_exchange import ClientLeftError, Exchange
from infra.local.http_server import Receive, Send
from infra.local.log_file import LogFile
from infra.local.rest_events import parse_answer, proxy_event
from infra.local.routing import Match, RouteTable


class FunctionUnavailableError(ChatSphereError):
    """The function failed, or its worker ended, before it answered."""

    status = 502


class FunctionTimedOutError(ChatSphereError):
    """The function did not answer in time."""

    code = "timeout"
    status = 504
    title = "The service did not answer in time"


class Gateway:
    """An ASGI application over the product's HTTP functions."""

    def __init__(self, routes: RouteTable, functions: Functions, authorizer: str | None, log: LogFile) -> None:
        self._routes = routes
        self._functions = functions
        self._authorizer = authorizer
        self._log = log

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        began = time.monotonic()
        exchange = Exchange(scope, receive, send)
        try:
            await self._answer(exchange)
        except ClientLeftError:
            return
        except ChatSphereError as error:
            await exchange.send_problem(error)
        except InvocationError as error:
            if exchange.status:
                return  # the server closes the connection, so that the client sees a body that is cut off
            timed_out = isinstance(error, TimedOutError)
            await exchange.send_problem(FunctionTimedOutError() if timed_out else FunctionUnavailableError())
        finally:
            self._note(exchange, time.monotonic() - began)

    async def _answer(self, exchange: Exchange) -> None:
        match = self._routes.find(exchange.request.method, exchange.request.path)
        context = None if match.route.public else await self._authorize(exchange, match)
        request = replace(exchange.request, body=await exchange.read_body())
        event = json.dumps(proxy_event(request, match, context)).encode()
        pool = self._functions[match.function]
        if match.streaming:
            await exchange.forward(await pool.stream(event))
        else:
            await exchange.send_answer(parse_answer(await pool.invoke(event)))

    async def _authorize(self, exchange: Exchange, match: Match) -> dict[str, str]:
        if self._authorizer is None:
            raise UnavailableError("No function authorizes requests")
        return await authorize(exchange.request, match, self._functions[self._authorizer])

    def _note(self, exchange: Exchange, seconds: float) -> None:
        """Neither the query nor a header is logged: they may hold secrets."""
        request = exchange.request
        when = request.received.isoformat(timespec="milliseconds")
        what = f"{request.method} {request.path} {exchange.status or '-'} {seconds * 1000:.1f} ms"
        self._log.write(f"{when} {request.request_id} {what}\n".encode())
