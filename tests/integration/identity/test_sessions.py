from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Barrier
from typing import Any

import pytest

from chatsphere.adapters.argon2_passwords import Argon2PasswordHasher
from chatsphere.db.database import Database
from chatsphere.errors import InvalidLoginError, UnauthorizedError
from chatsphere.identity import sessions
from chatsphere.identity.homes import Homes
from chatsphere.identity.login import Login
from chatsphere.identity.login import log_in as log_in_with
from chatsphere.identity.model import TokenPair
from chatsphere.settings import PasswordSettings
from tests.builders.running_api import PASSWORD, Account, Answer, RunningApi
from tests.postgres import DatabaseUrls


@dataclass
class CountingHasher:
    """`PasswordHasher` that counts the expensive calls."""

    hasher: Argon2PasswordHasher
    verified: int = 0
    hashed: list[str] = field(default_factory=list)

    def hash(self, password: str) -> str:
        self.hashed.append(password)
        return self.hasher.hash(password)

    def verify(self, encoded: str | None, password: str) -> bool:
        self.verified += 1
        return self.hasher.verify(encoded, password)

    def needs_rehash(self, encoded: str) -> bool:
        return self.hasher.needs_rehash(encoded)


@pytest.fixture
def account(api: RunningApi) -> Account:
    return api.register()


@pytest.fixture
def admin(database_urls: DatabaseUrls) -> Iterator[Database]:
    database = Database(database_urls.admin)
    yield database
    database.close()


def in_process(api: RunningApi, database: Database) -> sessions.Sessions:
    c = api.container
    return sessions.Sessions(database, c.token_signer, c.ids, c.clock, 600, 3600)


def checking(api: RunningApi, hasher: CountingHasher) -> Login:
    c = api.container
    return Login(c.sessions, hasher, c.credential_throttle, Homes(c.database, c.ids, c.clock, "Free"), 300)


def log_in(api: RunningApi, email: str, password: str = PASSWORD) -> Answer:
    return api.request("POST", "/v1/auth/login", {"email": email, "password": password})


def refresh(api: RunningApi, token: str) -> Answer:
    return api.request("POST", "/v1/auth/refresh", {"refresh_token": token})


def is_known(api: RunningApi, access_token: str) -> bool:
    return api.request("GET", "/v1/me", token=access_token).status == 200


def test_logging_in_yields_tokens_and_is_noted(api: RunningApi, account: Account) -> None:
    api.clock.advance(days=1)

    answer = log_in(api, f" {account.email.upper()} ")

    assert answer.status == 200
    assert sorted(answer.json) == ["access_token", "expires_in", "refresh_token", "token_type"]
    me = api.request("GET", "/v1/me", token=answer.json["access_token"]).json
    assert me["user"]["last_login"] == api.clock.moment.isoformat().replace("+00:00", "Z")


def test_an_unknown_person_and_a_wrong_password_get_the_same_answer(api: RunningApi, account: Account) -> None:
    answers = [
        log_in(api, account.email, "wrong password"),
        log_in(api, "nobody@example.com"),
        log_in(api, "not an address"),
        log_in(api, account.email, ""),
    ]

    bodies = [{**answer.json, "request_id": ""} for answer in answers]
    assert [answer.status for answer in answers] == [401] * 4
    assert all(body == bodies[0] for body in bodies)
    assert bodies[0]["code"] == "invalid_login"
    assert answers[0].headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("who", ["known", "unknown", "inactive"])
def test_every_failed_login_takes_the_same_work(
    api: RunningApi, account: Account, database_urls: DatabaseUrls, admin: Database, who: str
) -> None:
    if who == "inactive":
        deactivate(admin, account)
    hasher = CountingHasher(Argon2PasswordHasher(PasswordSettings(argon2_memory_kib=8, argon2_passes=1)))
    email = "nobody@example.com" if who == "unknown" else account.email
    password = PASSWORD if who == "inactive" else "wrong password"

    with pytest.raises(InvalidLoginError):
        log_in_with(checking(api, hasher), email=email, password=password)

    assert (hasher.verified, hasher.hashed) == (1, [])


def test_a_hash_of_old_parameters_is_replaced_at_the_next_login(
    api: RunningApi, account: Account, admin: Database
) -> None:
    stronger = CountingHasher(Argon2PasswordHasher(PasswordSettings(argon2_memory_kib=16, argon2_passes=1)))

    for _ in range(2):
        log_in_with(checking(api, stronger), email=account.email, password=PASSWORD)

    assert stronger.hashed == [PASSWORD]
    with admin.transaction(None) as connection:
        row = connection.execute("SELECT password_hash FROM users WHERE email = %s", (account.email,)).fetchone()
    assert row is not None
    assert "m=16," in row["password_hash"]


def test_a_refresh_token_yields_the_next_pair(api: RunningApi, account: Account) -> None:
    first = refresh(api, account.refresh_token)
    second = refresh(api, first.json["refresh_token"])

    assert [first.status, second.status] == [200, 200]
    assert len({account.refresh_token, first.json["refresh_token"], second.json["refresh_token"]}) == 3
    assert is_known(api, second.json["access_token"])


def test_using_a_token_twice_revokes_everything_from_the_same_login(api: RunningApi, account: Account) -> None:
    elsewhere = log_in(api, account.email).json
    successor = refresh(api, account.refresh_token).json

    reused = refresh(api, account.refresh_token)

    assert (reused.status, reused.code) == (401, "unauthorized")
    assert not is_known(api, successor["access_token"])
    assert is_known(api, elsewhere["access_token"])
    assert refresh(api, successor["refresh_token"]).status == 401
    assert refresh(api, elsewhere["refresh_token"]).status == 200


RACERS = 6


def test_of_many_uses_at_once_only_one_wins(api: RunningApi, account: Account, database_urls: DatabaseUrls) -> None:
    all_of_them = Barrier(RACERS)

    def use() -> TokenPair | None:
        database = Database(database_urls.authenticator)
        own = in_process(api, database)
        with database.transaction(None):
            pass  # connected before the race begins
        all_of_them.wait(timeout=30)
        try:
            return sessions.refresh(own, account.refresh_token)
        except UnauthorizedError:
            return None
        finally:
            database.close()

    with ThreadPoolExecutor(RACERS) as threads:
        results = [future.result(timeout=60) for future in [threads.submit(use) for _ in range(RACERS)]]

    winners = [pair for pair in results if pair is not None]
    assert len(winners) == 1
    # The losers' use is a reuse like any other.
    assert refresh(api, winners[0].refresh_token).status == 401
    assert not is_known(api, winners[0].access_token)


def test_a_refresh_token_expires(api: RunningApi, account: Account) -> None:
    api.clock.advance(days=30)

    assert refresh(api, account.refresh_token).status == 401


@pytest.mark.parametrize("change", ["secret", "id", "nonsense", "empty", "binary"])
def test_a_wrong_refresh_token_is_refused_and_harms_nobody(api: RunningApi, account: Account, change: str) -> None:
    token = account.refresh_token
    other = api.register().refresh_token
    wrong = {
        "secret": token[:-1] + ("x" if token[-1] != "x" else "y"),
        "id": other[:36] + token[36:],
        "nonsense": "csr_nonsense",
        "empty": "",
        "binary": "\x01é🚀",
    }[change]

    answer = refresh(api, wrong)

    assert (answer.status, answer.code) == (401, "unauthorized")
    assert refresh(api, token).status == 200
    assert refresh(api, other).status == 200


def test_logging_out_ends_this_session_and_no_other(api: RunningApi, account: Account) -> None:
    elsewhere = log_in(api, account.email).json
    successor = refresh(api, account.refresh_token).json

    # Also with a token that was used up: it names the same login.
    answer = api.request("POST", "/v1/auth/logout", {"refresh_token": account.refresh_token})

    assert (answer.status, answer.text) == (204, "")
    assert not is_known(api, successor["access_token"])
    assert is_known(api, elsewhere["access_token"])
    assert refresh(api, successor["refresh_token"]).status == 401
    assert refresh(api, elsewhere["refresh_token"]).status == 200


@pytest.mark.parametrize("token", ["", "nonsense", "csr_" + "0" * 32 + "_" + "a" * 43])
def test_logging_out_of_nothing_is_no_error(api: RunningApi, token: str) -> None:
    assert api.request("POST", "/v1/auth/logout", {"refresh_token": token}).status == 204


def test_only_hashes_of_refresh_tokens_are_kept(api: RunningApi, account: Account, admin: Database) -> None:
    with admin.transaction(None) as connection:
        row = connection.execute("SELECT refresh_tokens::text AS row FROM refresh_tokens ORDER BY id DESC LIMIT 1")
        text = str(row.fetchone())
    assert account.refresh_token[37:] not in text


def test_an_inactive_person_can_neither_log_in_nor_stay(api: RunningApi, account: Account, admin: Database) -> None:
    deactivate(admin, account)

    assert log_in(api, account.email).status == 401
    assert refresh(api, account.refresh_token).status == 401
    assert not is_known(api, account.access_token)


def deactivate(admin: Database, account: Account) -> None:
    with admin.transaction(None) as connection:
        connection.execute("UPDATE users SET is_active = false WHERE id = %s", (account.user_id,))


@pytest.mark.parametrize("body", [{}, {"email": "a@b.co"}, {"email": 1, "password": "x"}, {"password": "x" * 5000}])
def test_a_login_without_its_fields_is_invalid(api: RunningApi, body: dict[str, Any]) -> None:
    assert api.request("POST", "/v1/auth/login", body).status == 422


def test_a_failed_login_is_told_to_the_organization_and_names_nobody_as_actor(
    api: RunningApi, account: Account, admin: Database
) -> None:
    log_in(api, account.email, "wrong password")
    log_in(api, "nobody@example.com", "wrong password")

    with admin.transaction(None) as connection:
        entries = connection.execute(
            "SELECT organization_id::text, actor_user_id, object_id, address FROM audit_log"
            " WHERE action = 'user.login_failed' AND address = %s",
            (api.address,),
        ).fetchall()
    assert entries == [
        {
            "organization_id": account.organization_id,
            "actor_user_id": None,
            "object_id": account.user_id,
            "address": api.address,
        }
    ]
