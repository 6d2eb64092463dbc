"""REST access to one vendor: JSON in and out, server-sent events, limits, retries, a circuit breaker."""

import json
import random
import time
from collections.abc import Callable, Collection, Generator, Mapping
from typing import Final, TypeVar

from chatsphere.adapters.upstream.circuit_breaker import CircuitBreaker
from chatsphere.adapters.upstream.exchange import Exchanges
from chatsphere.adapters.upstream.retries import Reply, TryFailedError, header_delay, pause_before
from chatsphere.cancellation import CallCancelledError, Cancellation
from chatsphere.errors import ProviderRejectedError, UnavailableError
from chatsphere.settings import ProviderSettings

__all__ = ["QUESTION_SECONDS", "Reply", "Upstream"]

QUESTION_SECONDS: Final = 10.0
"""For a call between a question and its answer: the calls before the answer leave it its time."""

NAP_SECONDS: Final = 0.5
"""A call that can be cancelled waits for its next try in naps of this length."""

Result = TypeVar("Result")


class Upstream:
    """One vendor behind one address. Opens nothing until it is called; threads may share it.

    `headers` go with every call: the key belongs there and appears in no log and no error. `retry_delay` reads from
    an answer how many seconds the vendor asks to be left alone. Only https, but for loopback: ConfigurationError.

    Every call raises:
        UnavailableError: no answer, or none that can be read, within the tries and the time that the settings allow.
        ProviderOverloadedError: its last word was 429, or its circuit is open.
        ProviderRejectedError: it does not take the call; trying again changes nothing.
    """

    def __init__(
        self,
        name: str,
        base_url: str,
        headers: Mapping[str, str],
        settings: ProviderSettings,
        *,
        retry_delay: Callable[[Reply], float | None] = header_delay,
        sleep: Callable[[float], None] = time.sleep,
        random: Callable[[], float] = random.random,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._settings = settings
        self._sleep = sleep
        self._random = random
        self._monotonic = monotonic
        self._exchanges = Exchanges(name, base_url, headers, settings, retry_delay)
        self._breaker = CircuitBreaker(
            name,
            failures=settings.provider_breaker_failures,
            seconds=settings.provider_breaker_seconds,
            monotonic=monotonic,
        )

    def call(
        self,
        method: str,
        path: str,
        body: object | None = None,
        *,
        repeatable: bool = True,
        accepted: Collection[int] = (),
        within_seconds: float | None = None,
    ) -> Reply:
        """Send `body` as JSON and return the answer.

        `path` is absolute and encoded, query included. A call that is not `repeatable` is tried again only where the
        vendor certainly did nothing. `accepted` are statuses outside 2xx that are an answer all the same.
        `within_seconds` is less time than the settings give, all tries together.
        """
        payload = _encoded(body)

        def attempt(seconds: float) -> Reply:
            reply = self._exchanges.ask(method, path, payload, seconds, accepted=accepted)
            self._breaker.succeeded()
            return reply

        return self._repeated(attempt, repeatable, within_seconds)

    def stream(
        self, method: str, path: str, body: object | None = None, *, cancellation: Cancellation | None = None
    ) -> Generator[bytes, None, None]:
        """Send `body` as JSON and yield the answer's bytes as they come; closing it closes the connection at once.

        Tried again only before the first byte. The whole stream has the time of one call.

        Raises:
            CallCancelledError: the connection was closed because of `cancellation`.
        """
        payload = _encoded(body)
        cancellation = cancellation or Cancellation()

        def attempt(seconds: float) -> tuple[bytes, Generator[bytes, None, None]]:
            cancellation.check()
            pieces = self._exchanges.listen(method, path, payload, seconds, cancellation)
            return next(pieces, b""), pieces

        first, rest = self._repeated(attempt, repeatable=True, cancellation=cancellation)
        try:
            if first:
                yield first
            yield from rest
        except TryFailedError as failure:
            self._breaker.failed()
            raise failure.public(self._name) from None
        except UnavailableError:
            self._breaker.failed()
            raise
        except (GeneratorExit, CallCancelledError):
            self._breaker.succeeded()
            raise
        else:
            self._breaker.succeeded()
        finally:
            rest.close()

    def _repeated(
        self,
        attempt: Callable[[float], Result],
        repeatable: bool,
        within_seconds: float | None = None,
        cancellation: Cancellation | None = None,
    ) -> Result:
        """Make tries until one succeeds or they are used up; each is given the seconds that are left."""
        total = self._settings.provider_total_seconds
        deadline = self._monotonic() + (total if within_seconds is None else min(total, within_seconds))
        tries = 0
        while True:
            self._breaker.admit()
            tries += 1
            try:
                return attempt(max(0.001, deadline - self._monotonic()))
            except TryFailedError as failure:
                self._breaker.failed()
                if failure.processed and not repeatable:
                    raise failure.public(self._name) from None
                self._wait(tries, failure, deadline, cancellation)
            except (ProviderRejectedError, CallCancelledError):
                self._breaker.succeeded()
                raise
            except UnavailableError:
                self._breaker.failed()
                raise

    def _wait(self, tries: int, failure: TryFailedError, deadline: float, cancellation: Cancellation | None) -> None:
        """Wait before the next try; raise the failure where none is left or the wait would outlast the time."""
        backoff = self._settings.provider_backoff_seconds
        pause = pause_before(tries + 1, failure, backoff=backoff, jitter=self._random())
        if tries >= self._settings.provider_attempts or self._monotonic() + pause >= deadline:
            raise failure.public(self._name) from None
        while pause > 0 and not (cancellation is not None and cancellation.requested):
            nap = pause if cancellation is None else min(pause, NAP_SECONDS)
            self._sleep(nap)
            pause -= nap


def _encoded(body: object | None) -> bytes | None:
    if body is None:
        return None
    # Half a surrogate pair is no text: a client can send one as an escape, a vendor would refuse it.
    return json.dumps(body, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")
