"""One try at a vendor's HTTP API: sent, watched, and read within bounds."""

import json
from collections.abc import Callable, Collection, Generator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cached_property
from typing import Any, Final

from urllib3 import HTTPConnectionPool, Timeout
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ProtocolError
from urllib3.response import BaseHTTPResponse

from chatsphere.adapters.upstream.connection import Watchdog, checked_url, open_pool
from chatsphere.adapters.upstream.retries import OVERLOADED, Reply, TryFailedError, is_worth_another_try
from chatsphere.cancellation import CallCancelledError, Cancellation
from chatsphere.errors import ProviderRejectedError, UnavailableError
from chatsphere.observability import logger
from chatsphere.settings import ProviderSettings

MAX_ANSWER_BYTES: Final = 32 * 1024 * 1024
_PIECE_BYTES: Final = 64 * 1024
_KEY_REFUSED: Final = (401, 403)


class Exchanges:
    """Makes tries at one vendor. A try that another one may mend raises `TryFailedError`."""

    def __init__(
        self,
        name: str,
        base_url: str,
        headers: Mapping[str, str],
        settings: ProviderSettings,
        retry_delay: Callable[[Reply], float | None],
    ) -> None:
        self._name = name
        self._url = checked_url(name, base_url)
        self._headers = {"content-type": "application/json", "user-agent": "chatsphere", **headers}
        self._settings = settings
        self._retry_delay = retry_delay

    def ask(
        self, method: str, path: str, payload: bytes | None, seconds: float, *, accepted: Collection[int] = ()
    ) -> Reply:
        """Return the whole answer, which takes `seconds` at most."""
        with self._exchange(method, path, payload, seconds, {"accept-encoding": "gzip"}) as response:
            return self._reply(response, accepted)

    def listen(
        self, method: str, path: str, payload: bytes | None, seconds: float, cancellation: Cancellation
    ) -> Generator[bytes, None, None]:
        """Yield the bytes of a 200 as they come, for `seconds` at most; closing it closes the connection."""
        accept = {"accept": "text/event-stream"}
        with self._exchange(method, path, payload, seconds, accept, cancellation) as response:
            if response.status != 200:
                self._reply(response, ())
                raise UnavailableError(f"{self._name} answered without a stream.")
            yield from self._read(response)

    @contextmanager
    def _exchange(
        self,
        method: str,
        path: str,
        payload: bytes | None,
        seconds: float,
        headers: Mapping[str, str],
        cancellation: Cancellation | None = None,
    ) -> Generator[BaseHTTPResponse, None, None]:
        watchdog = Watchdog(seconds)
        ending = ExitStack()
        response: BaseHTTPResponse | None = None
        try:
            if cancellation is not None:
                ending.enter_context(cancellation.interrupting(watchdog.expire))
            with watchdog.watching():
                response = self._pool.urlopen(
                    method,
                    (self._url.path or "").rstrip("/") + path,
                    body=payload,
                    headers={**self._headers, **headers},
                    retries=False,
                    redirect=False,
                    preload_content=False,
                    timeout=self._timeout(seconds),
                )
            _require_framing(response)
            yield response
            if watchdog.expired:
                raise ProtocolError("The end of the time looked like the end of the answer.")
        except HTTPError as error:
            if cancellation is not None and cancellation.requested:
                raise CallCancelledError from None
            self._log(cause="TimeLimit" if watchdog.expired else type(error).__name__)
            unsent = isinstance(error, NewConnectionError | ConnectTimeoutError)
            raise TryFailedError(processed=not unsent) from None
        finally:
            ending.close()
            watchdog.stop()
            if response is not None:
                # A response that was read to its end has given its connection back already; any other closes it.
                response.close()
                response.release_conn()

    def _reply(self, response: BaseHTTPResponse, accepted: Collection[int]) -> Reply:
        raw, status = b"".join(self._read(response)), response.status
        well = 200 <= status < 300
        try:
            body = json.loads(raw) if raw else None
        except (ValueError, RecursionError):
            if well:
                self._log(status=status, cause="NotJson")
                raise UnavailableError(f"{self._name} answered with what is not JSON.") from None
            body = None
        reply = Reply(status, response.headers, body)
        if well or status in accepted:
            return reply
        self._log(status=status)
        if is_worth_another_try(status):
            overloaded = status == OVERLOADED
            raise TryFailedError(processed=not overloaded, overloaded=overloaded, retry_after=self._retry_delay(reply))
        advice = ": is the key right?" if status in _KEY_REFUSED else "."
        raise ProviderRejectedError(f"{self._name} does not take the call (HTTP {status}){advice}")

    def _read(self, response: BaseHTTPResponse) -> Generator[bytes, None, None]:
        size = 0
        while piece := response.read1(_PIECE_BYTES):
            size += len(piece)
            if size > MAX_ANSWER_BYTES:
                self._log(cause="TooLarge")
                raise UnavailableError(f"{self._name} answered with too much.")
            yield piece

    def _timeout(self, seconds: float) -> Timeout:
        return Timeout(
            total=seconds,
            connect=self._settings.provider_connect_seconds,
            read=self._settings.provider_read_seconds,
        )

    def _log(self, **what: Any) -> None:
        # Neither address, headers nor body: they hold the key and people's words.
        logger.warning("a provider's answer is of no use", provider=self._name, **what)

    @cached_property
    def _pool(self) -> HTTPConnectionPool:
        return open_pool(self._url)


def _require_framing(response: BaseHTTPResponse) -> None:
    """Raise ProtocolError where the answer's end cannot be told from a connection that broke.

    `http.client` takes headers that break off for whole ones.
    """
    framed = "content-length" in response.headers or "transfer-encoding" in response.headers
    if not framed and response.status not in (204, 304):
        raise ProtocolError("The answer does not say where it ends.")
