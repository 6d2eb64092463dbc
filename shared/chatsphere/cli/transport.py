"""Requests as they are sent: with a credential, again where that is safe, and errors as `CliError`."""

import json
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

from chatsphere import __version__
from chatsphere.cli.authorization import Authorization, FixedAuthorization
from chatsphere.cli.errors import ApiError, CliError, UnauthenticatedError, UnreachableError
from chatsphere.cli.retry import REFUSED_REQUEST, REFUSED_REQUEST_OR_GATEWAY, RetryPolicy

TIMEOUT = httpx.Timeout(30.0, connect=5.0)
STREAM_TIMEOUT = httpx.Timeout(60.0, connect=5.0)
"""The server sends a comment every 15 s, so a minute of silence means that the connection is gone."""

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}

Outcome = httpx.Response | httpx.TransportError


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `repeatable`: doing it twice does no more than doing it once."""

    method: str
    path: str
    query: Mapping[str, str | int] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    repeatable: bool = False
    stream: bool = False


def is_loopback(url: str) -> bool:
    """Say whether an address is this machine's own: no proxy reaches it."""
    return urlsplit(url).hostname in _LOOPBACK


def open_http(api: str) -> httpx.Client:
    """Return the connections to one API."""
    # Reading the certificates takes 50 ms; plain HTTP needs none, and without any no other host is trusted.
    plain = urlsplit(api).scheme == "http"
    return httpx.Client(
        base_url=f"{api}/v1",
        timeout=TIMEOUT,
        headers={"User-Agent": f"chatsphere-cli/{__version__}", "Accept": "application/json"},
        trust_env=not is_loopback(api),
        verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if plain else True,
    )


@dataclass(frozen=True)
class Transport:
    """How requests reach one API. Safe to share between threads."""

    api: str
    http: httpx.Client
    authorization: Authorization = field(default_factory=lambda: FixedAuthorization(None))
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    closed: threading.Event = field(default_factory=threading.Event)

    def send(self, call: Call) -> httpx.Response:
        """Return the successful answer to a call.

        Raises:
            CliError: there is none, after as many attempts as the policy allows.
        """
        renewed = False
        attempt = 1
        while True:
            authorization = self.authorization.header()
            outcome = self._attempt(call, authorization)
            if isinstance(outcome, httpx.Response):
                if outcome.is_success:
                    return outcome
                if outcome.status_code == 401 and not renewed and self.authorization.renew(authorization):
                    renewed = True
                    continue
            attempt += 1
            wait = self._wait_before(attempt, call, outcome)
            if wait is None:
                raise self._failure(outcome)
            if self.closed.wait(wait):
                raise self._failure(outcome)

    def close(self) -> None:
        """Close the connections: what waits for another attempt in other threads gives up."""
        self.closed.set()
        self.http.close()

    def _attempt(self, call: Call, authorization: str | None) -> Outcome:
        """Send once. An error's body is read, a stream's is left to the caller."""
        headers = dict(call.headers)
        if authorization:
            headers["Authorization"] = authorization
        if call.body is not None:
            headers["Content-Type"] = "application/json"
        request = self.http.build_request(
            call.method,
            call.path,
            params=call.query,
            content=None if call.body is None else json.dumps(call.body).encode(),
            headers=headers,
            timeout=STREAM_TIMEOUT if call.stream else TIMEOUT,
        )
        try:
            response = self.http.send(request, stream=call.stream)
            if not response.is_success:
                response.read()
        except httpx.TransportError as error:
            return error
        except RuntimeError as error:
            # What httpx raises once its connections are closed.
            raise UnreachableError("The command was interrupted.", code="interrupted") from error
        return response

    def _wait_before(self, attempt: int, call: Call, outcome: Outcome) -> float | None:
        """Return the seconds to wait before the attempt, or None where there must be none."""
        if isinstance(outcome, httpx.Response):
            statuses = REFUSED_REQUEST_OR_GATEWAY if call.repeatable else REFUSED_REQUEST
            if outcome.status_code not in statuses:
                return None
            return self.policy.wait_before(attempt, outcome.headers.get("Retry-After"))
        if isinstance(outcome, httpx.ConnectError | httpx.ConnectTimeout):
            return self.policy.wait_before(attempt) if self.policy.waits_for_connection else None
        return self.policy.wait_before(attempt) if call.repeatable else None

    def _failure(self, outcome: Outcome) -> CliError:
        if isinstance(outcome, httpx.Response):
            return failure(outcome.status_code, outcome.text)
        if isinstance(outcome, httpx.ConnectError | httpx.ConnectTimeout):
            return UnreachableError(
                f"Nothing answers at {self.api}.",
                hint="Is it running? `make up` starts one machine; --api or CHATSPHERE_API name another address.",
            )
        if isinstance(outcome, httpx.TimeoutException):
            return UnreachableError(f"{self.api} did not answer in time.", code="timeout")
        return UnreachableError(f"The connection to {self.api} broke: {outcome}".rstrip(": "), code="broken_connection")


def failure(status: int, text: str) -> CliError:
    """Return the error that an answer stands for: a problem document, or whatever came instead."""
    try:
        problem = json.loads(text)
    except ValueError:
        problem = None
    if not isinstance(problem, dict):
        problem = {}
    if status == 401:
        detail = str(problem.get("detail") or "The API does not take the credential.")
        hint = "Log in with `chatsphere login`, or give a key: --api-key, or CHATSPHERE_API_KEY."
        return UnauthenticatedError(detail, hint=hint, code=problem.get("code"))
    # Every error of the API's own has a code.
    stranger = not problem.get("code") and 400 <= status < 500
    return ApiError(status, problem, hint="Is that ChatSphere's API? See `chatsphere status`." if stranger else None)
