"""The Authorization header of each request; a login's access token is renewed when it has expired."""

import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

from chatsphere.cli.credentials import CredentialStore, Login
from chatsphere.cli.target import Target

RENEW_BEFORE_SECONDS = 30.0

Refresh = Callable[[str], dict[str, Any]]
"""Spends a refresh token at the API and returns its answer."""


class Authorization(Protocol):
    """Who a client asks as."""

    def header(self) -> str | None:
        """Return the header's value for the next request."""
        ...

    def renew(self, rejected: str | None) -> bool:
        """Try to replace the header that the server has rejected; say whether there is a new one."""
        ...


class FixedAuthorization:
    """An API key, or nobody."""

    def __init__(self, api_key: str | None) -> None:
        self._header = f"Bearer {api_key}" if api_key else None

    def header(self) -> str | None:
        """Return the header's value for the next request."""
        return self._header

    def renew(self, rejected: str | None) -> bool:
        """A key cannot be renewed."""
        del rejected
        return False


class LoginAuthorization:
    """A stored login. Threads share it: one of them renews, the others wait and go on with the new token."""

    def __init__(self, store: CredentialStore, api: str, login: Login, refresh: Refresh) -> None:
        self._store = store
        self._api = api
        self._login = login
        self._refresh = refresh
        self._lock = threading.Lock()

    def header(self) -> str | None:
        """Return the header's value for the next request, after renewing a token that is about to expire."""
        if self._login.expires_at < time.time() + RENEW_BEFORE_SECONDS:
            self.renew(self._value())
        return self._value()

    def renew(self, rejected: str | None) -> bool:
        """Renew the login unless another thread or process has done so since the header was made."""
        with self._lock:
            if rejected != self._value():
                return True
            renewed = self._store.renew(self._api, self._login, self._renewed)
            if renewed is None:
                return False
            changed = renewed.access_token != self._login.access_token
            self._login = renewed
            return changed

    def _value(self) -> str:
        return f"Bearer {self._login.access_token}"

    def _renewed(self, spent: Login) -> Login:
        return login_from(self._refresh(spent.refresh_token), spent.email)


def login_from(answer: dict[str, Any], email: str) -> Login:
    """Make a login of what the API answers to register, login and refresh."""
    return Login(
        email=email,
        access_token=str(answer["access_token"]),
        refresh_token=str(answer["refresh_token"]),
        expires_at=time.time() + float(answer.get("expires_in", 600)),
    )


def authorization_for(target: Target, store: CredentialStore, refresh: Refresh) -> Authorization:
    """Return the authorization of a target's identity."""
    identity = target.identity
    if identity is not None and identity.login is not None:
        return LoginAuthorization(store, target.api, identity.login, refresh)
    return FixedAuthorization(identity.api_key if identity else None)
