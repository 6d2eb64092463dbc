"""`Idempotency-Key` for the streaming function: what a response sends is kept while it is sent."""

from dataclasses import dataclass, field
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chatsphere.access.principal import Principal
from chatsphere.db.database import Database
from chatsphere.http.idempotency import HEADER, REPLAYED, Undertaking, sent_key, undertake
from chatsphere.http.idempotency_store import KeptAnswer
from chatsphere.ports.system import Clock

FAILED_EVENTS: Final = (b"event: error\n", b"event: response.failed\n")
COMMENT: Final = b":"


async def first_answer(
    request: Request, body: bytes, caller: Principal, *, database: Database, clock: Clock
) -> Response | None:
    """Return the first answer to a keyed request; None where this is the first, or has no key.

    Raises:
        What `sent_key` and `undertake` of `chatsphere.http.idempotency` raise.
    """
    key = sent_key(request.headers.getlist(HEADER))
    if key is None:
        return None
    made = b"\n".join([request.method.encode(), request.url.path.encode(), request.url.query.encode(), body])
    taken = await run_in_threadpool(undertake, key, caller, made, database=database, clock=clock)
    if isinstance(taken, KeptAnswer):
        return Response(taken.body, taken.status, REPLAYED, taken.content_type)
    request.state.undertaking = taken
    return None


def is_keyed(request: Request) -> bool:
    """Return whether the client can ask for this answer again: what is kept for that is to be all of it."""
    return getattr(request.state, "undertaking", None) is not None


def kept(request: Request, response: Response) -> ASGIApp:
    """Return the response, made to be kept where the request has a key and is the first."""
    undertaking = getattr(request.state, "undertaking", None)
    return response if undertaking is None else _KeptResponse(response, undertaking)


@dataclass(slots=True)
class _KeptResponse:
    """Sends a response and keeps it before its last byte: whoever has all of it can ask for it again."""

    response: Response
    undertaking: Undertaking
    parts: list[bytes] = field(default_factory=list)
    content_type: str | None = None
    listening: bool = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response, to its end even if the client leaves."""

        async def send_and_keep(message: Message) -> None:
            await self._keep(message)
            if not self.listening:
                return
            try:
                await send(message)
            except OSError:
                self.listening = False

        await self.response(scope, receive, send_and_keep)

    async def _keep(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.content_type = Headers(raw=message["headers"]).get("content-type")
        elif message["type"] == "http.response.body":
            part = message.get("body", b"")
            # A comment of a stream only says that the connection is alive.
            if part and not part.startswith(COMMENT):
                self.parts.append(part)
            if not message.get("more_body", False):
                await run_in_threadpool(self.undertaking.end, self._answer())

    def _answer(self) -> KeptAnswer:
        # A stream whose last event is an error has failed, though its status was sent before.
        failed = bool(self.parts) and self.parts[-1].startswith(FAILED_EVENTS)
        status = 500 if failed else self.response.status_code
        return KeptAnswer(status, self.content_type, b"".join(self.parts).decode())
