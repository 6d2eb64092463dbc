"""Stored logins under processes and threads that share them."""

import stat
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from chatsphere.cli.authorization import LoginAuthorization
from chatsphere.cli.credentials import CredentialStore, Login
from chatsphere.cli.errors import UsageError

API = "http://127.0.0.1:8000"
LOGIN = Login("ada@example.com", "access-1", "refresh-1", expires_at=2e9)


def test_logins_are_kept_by_api_and_the_last_is_current(tmp_path: Path) -> None:
    store = CredentialStore(tmp_path)
    store.put(API, LOGIN)
    store.put("https://other", replace(LOGIN, email="b"))

    assert store.get(API) == LOGIN
    assert store.current() == "https://other"
    store.remove("https://other")
    assert store.current() is None
    assert store.get(API) == LOGIN


def test_a_login_replaced_by_another_process_is_not_renewed_again(tmp_path: Path) -> None:
    store, other = CredentialStore(tmp_path), CredentialStore(tmp_path)
    renewed = replace(LOGIN, access_token="access-2", refresh_token="refresh-2")
    store.put(API, LOGIN)
    assert other.renew(API, LOGIN, lambda _: renewed) == renewed

    def spend(_: Login) -> Login:
        raise AssertionError("the refresh token was spent twice")

    assert store.renew(API, LOGIN, spend) == renewed


def test_a_login_that_is_gone_is_not_brought_back(tmp_path: Path) -> None:
    store = CredentialStore(tmp_path)
    assert store.renew(API, LOGIN, lambda login: login) is None
    assert store.get(API) is None


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = CredentialStore(tmp_path)
    store.put(API, LOGIN)
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))

    with pytest.raises(OSError, match="disk full"):
        store.put(API, replace(LOGIN, email="b"))

    assert store.get(API) == LOGIN
    assert sorted(path.name for path in tmp_path.iterdir()) == ["credentials.json", "credentials.json.lock"]


def test_an_open_file_is_closed_to_others(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    store = CredentialStore(tmp_path)
    store.put(API, LOGIN)
    store.path.chmod(0o644)

    store.put(API, LOGIN)

    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", ["{", "[]", '{"logins": []}', '{"logins": {"http://127.0.0.1:8000": {"x": 1}}}'])
def test_a_damaged_file_is_named(tmp_path: Path, content: str) -> None:
    store = CredentialStore(tmp_path)
    store.path.write_text(content)

    with pytest.raises(UsageError, match=r"credentials\.json"):
        store.get(API)


def test_threads_that_are_rejected_together_renew_once(tmp_path: Path) -> None:
    # Given eight threads whose shared token the server has rejected
    store = CredentialStore(tmp_path)
    store.put(API, LOGIN)
    spent: list[str] = []

    def refresh(token: str) -> dict[str, object]:
        spent.append(token)
        return {"access_token": "access-2", "refresh_token": "refresh-2", "expires_in": 600}

    authorization = LoginAuthorization(store, API, LOGIN, refresh)
    rejected = authorization.header()
    together = threading.Barrier(8)

    def renew() -> None:
        together.wait()
        assert authorization.renew(rejected)

    # When all of them ask for a new one
    threads = [threading.Thread(target=renew) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    # Then the refresh token was spent once, and all use the new access token
    assert spent == ["refresh-1"]
    assert authorization.header() == "Bearer access-2"
