"""What people do with their accounts, for the tests of this folder."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, TypeVar

import pyotp

from chatsphere.errors import ChatSphereError
from tests.builders.running_api import PASSWORD, Account, Answer, RunningApi

Result = TypeVar("Result")


def post(api: RunningApi, path: str, body: Any = None, *, by: Account | str | None = None) -> Answer:
    """Send a body, as an account, with a token or as nobody."""
    token = by.access_token if isinstance(by, Account) else by
    return api.request("POST", path, body, token=token)


def log_in(api: RunningApi, email: str, password: str = PASSWORD) -> Answer:
    """Try to log in."""
    return post(api, "/v1/auth/login", {"email": email, "password": password})


def refresh(api: RunningApi, refresh_token: str) -> Answer:
    """Try to use a refresh token."""
    return post(api, "/v1/auth/refresh", {"refresh_token": refresh_token})


def me(api: RunningApi, token: str) -> dict[str, Any]:
    """Return the user that `GET /v1/me` shows."""
    user: dict[str, Any] = api.request("GET", "/v1/me", token=token).json["user"]
    return user


def is_logged_in(api: RunningApi, token: str) -> bool:
    """Return whether an access token is accepted."""
    return api.request("GET", "/v1/me", token=token).status == 200


class Phone:
    """An authenticator app."""

    def __init__(self, api: RunningApi, secret: str) -> None:
        self._clock = api.clock
        self._totp = pyotp.TOTP(secret)

    def code(self, steps: int = 0) -> str:
        """Return the code of now, or of some steps later or earlier."""
        return self._totp.at(self._clock.now(), counter_offset=steps)

    def wrong_code(self) -> str:
        """Return a code that is none of these minutes."""
        right = {self.code(steps) for steps in range(-3, 4)}
        return next(code for code in (f"{number:06}" for number in range(10)) if code not in right)


def enroll(api: RunningApi, account: Account) -> tuple[Phone, list[str]]:
    """Switch the second factor on; return the app and the recovery codes. The clock moves on by a step."""
    made = post(api, "/v1/auth/mfa/enroll", {"password": PASSWORD}, by=account).json
    phone = Phone(api, made["secret"])
    answer = post(api, "/v1/auth/mfa/verify", {"mfa_token": made["mfa_token"], "code": phone.code()})
    assert answer.status == 200, answer.text
    api.clock.advance(seconds=30)
    return phone, answer.json["recovery_codes"]


def mfa_token(api: RunningApi, account: Account) -> str:
    """Return the token of a login that waits for its code."""
    answer = log_in(api, account.email)
    assert answer.status == 200, answer.text
    token: str = answer.json["mfa_token"]
    return token


def race(count: int, attempt: Callable[[int], Result]) -> tuple[list[Result], list[ChatSphereError]]:
    """Do `attempt(i)` in as many threads at once; return what succeeded and what was refused."""
    start, won, refused = Barrier(count), list[Result](), list[ChatSphereError]()

    def run(number: int) -> None:
        start.wait(timeout=30)
        try:
            won.append(attempt(number))
        except ChatSphereError as error:
            refused.append(error)

    with ThreadPoolExecutor(count) as threads:
        for future in [threads.submit(run, number) for number in range(count)]:
            future.result(timeout=60)
    return won, refused
