import math
from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

import pytest

from chatsphere.db.database import Database
from chatsphere.db.origin import Origin, coming_from
from chatsphere.errors import TooManyTriesError
from chatsphere.identity.throttling import CredentialThrottle
from chatsphere.settings import CredentialThrottleSettings
from tests.builders.running_api import Account, Answer, RunningApi
from tests.integration.identity.people import log_in, post, race
from tests.postgres import DatabaseUrls

FREE = 10


def wrong(api: RunningApi, email: str) -> Answer:
    return log_in(api, email, "wrong password")


def addresses(api: RunningApi) -> dict[str, str]:
    return {"known": api.register().email, "unknown": f"{uuid4().hex}@example.com"}


@pytest.mark.parametrize("who", ["known", "unknown"])
def test_after_the_free_tries_each_wait_is_twice_the_one_before(api: RunningApi, who: str) -> None:
    email = addresses(api)[who]
    assert [wrong(api, email).status for _ in range(FREE)] == [401] * FREE

    waits = []
    for _ in range(12):
        refused = wrong(api, email)
        assert (refused.status, refused.code) == (429, "too_many_tries")
        waits.append(int(refused.headers["Retry-After"]))
        api.clock.advance(seconds=waits[-1])
        assert wrong(api, email).status == 401

    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]


def test_the_right_password_is_not_looked_at_while_the_account_waits(api: RunningApi) -> None:
    account = api.register()
    for _ in range(FREE):
        wrong(api, account.email)

    assert log_in(api, account.email).status == 429
    api.clock.advance(seconds=1)
    assert log_in(api, account.email).status == 200


def test_another_way_to_write_the_address_is_no_other_account(api: RunningApi) -> None:
    account = api.register(email=f"ik.{uuid4().hex}@example.com")
    for _ in range(FREE):
        wrong(api, account.email)

    # PostgreSQL's lower() makes an `i` of the first, and a `k` of the second.
    written = [account.email.replace("i", "\u0130"), account.email.replace("k", "\u212a"), f" {account.email.upper()} "]
    answers = [log_in(api, email).status for email in written]

    assert answers == [401, 429, 429]


def test_a_success_forgets_the_failures(api: RunningApi) -> None:
    account = api.register()
    for _ in range(3):
        assert [wrong(api, account.email).status for _ in range(FREE - 1)] == [401] * (FREE - 1)
        assert log_in(api, account.email).status == 200


def test_failures_are_forgotten_after_a_day(api: RunningApi) -> None:
    account = api.register()
    for _ in range(FREE + 1):
        wrong(api, account.email)
    api.clock.advance(days=1, seconds=1)

    assert [wrong(api, account.email).status for _ in range(FREE)] == [401] * FREE
    assert wrong(api, account.email).headers["Retry-After"] == "1"


def test_a_reset_password_ends_the_wait(api: RunningApi) -> None:
    account, new = api.register(), "another fine password"
    for _ in range(FREE):
        wrong(api, account.email)
    post(api, "/v1/auth/password/forgot", {"email": account.email})
    post(api, "/v1/auth/password/reset", {"token": api.mailed_token(account.email), "password": new})

    assert log_in(api, account.email, new).status == 200


def test_one_account_is_one_however_its_address_is_written(api: RunningApi) -> None:
    account = api.register()
    for number in range(FREE):
        wrong(api, f" {account.email.upper()} " if number % 2 else account.email)

    assert wrong(api, account.email).status == 429
    assert wrong(api, api.register().email).status == 401


def test_a_stolen_session_does_not_guess_the_password(api: RunningApi) -> None:
    account = api.register()
    body = {"current_password": "wrong", "new_password": "another fine password"}
    assert [post(api, "/v1/me/password", body, by=account).status for _ in range(FREE)] == [403] * FREE

    refused = post(api, "/v1/me/email", {"email": "new@example.com", "password": "wrong"}, by=account)

    assert (refused.status, refused.code) == (429, "too_many_tries")
    # Whoever has the session cannot keep the person from logging in.
    assert log_in(api, account.email).status == 200


def log_in_from(api: RunningApi, address: str, email: str, password: str = "correct horse battery") -> Answer:
    return _from(api, address, "/v1/auth/login", {"email": email, "password": password})


def fail_from_elsewhere(api: RunningApi, email: str) -> None:
    """Fail from one network after the other until one must wait for two minutes."""
    networks = f"fd00:{uuid4().hex[:4]}:{uuid4().hex[:4]}"
    for number in range(FREE + 8):
        api.clock.advance(seconds=0 if number < FREE else 130)
        assert log_in_from(api, f"{networks}:{number:x}::1", email, "wrong").status == 401


def test_failing_from_elsewhere_keeps_nobody_out_who_was_logged_in_from_here(api: RunningApi) -> None:
    account = api.register()
    fail_from_elsewhere(api, account.email)
    assert log_in_from(api, "198.51.100.77", account.email).status == 429

    assert log_in(api, account.email).status == 200
    # Nor does that let whoever fails elsewhere begin anew.
    assert log_in_from(api, "198.51.100.77", account.email).status == 429


def test_where_one_was_logged_in_one_may_not_guess_without_end(api: RunningApi) -> None:
    account = api.register()
    assert [wrong(api, account.email).status for _ in range(FREE)] == [401] * FREE
    assert wrong(api, account.email).status == 429
    # The failures here count nothing elsewhere.
    assert log_in_from(api, "198.51.100.78", account.email).status == 200


def test_a_network_is_known_for_as_long_as_a_session_of_it_would_live(api: RunningApi) -> None:
    account, here = api.register(), "198.51.100.79"
    assert log_in_from(api, here, account.email).status == 200
    fail_from_elsewhere(api, account.email)
    assert log_in_from(api, here, account.email).status == 200

    api.clock.advance(days=400)
    fail_from_elsewhere(api, account.email)

    assert log_in_from(api, here, account.email).status == 429


def test_a_neighbour_in_a_network_of_ipv6_is_known(api: RunningApi) -> None:
    account = api.register()
    assert log_in_from(api, "2001:db8:77:1::1", account.email).status == 200
    fail_from_elsewhere(api, account.email)

    assert log_in_from(api, "2001:db8:77:1::2", account.email).status == 200
    assert log_in_from(api, "2001:db8:77:2::1", account.email).status == 429


@pytest.mark.parametrize("known", [True, False])
def test_many_wrong_passwords_at_once_do_not_exceed_the_free_tries(
    api: RunningApi, database_urls: DatabaseUrls, known: bool
) -> None:
    email = addresses(api)["known" if known else "unknown"]
    settings = CredentialThrottleSettings(login_free_tries=4, credential_tries_per_minute=1000)

    def try_one(_: int) -> None:
        database = Database(database_urls.authenticator)
        try:
            with coming_from(Origin(address=api.address)):
                CredentialThrottle(database, api.clock, settings).admit_login(email)
        finally:
            database.close()

    admitted, refused = race(12, try_one)

    assert (len(admitted), len(refused)) == (4, 8)
    assert {type(error) for error in refused} == {TooManyTriesError}


ROUTES: dict[str, Callable[[RunningApi, str], Answer]] = {
    "login": lambda api, address: _from(api, address, "/v1/auth/login", {"email": f"{uuid4()}", "password": "x"}),
    "register": lambda api, address: _from(api, address, "/v1/auth/register", {"email": "x@y", "password": "12345678"}),
    "forgot": lambda api, address: _from(api, address, "/v1/auth/password/forgot", {"email": "x"}),
    "reset": lambda api, address: _from(
        api, address, "/v1/auth/password/reset", {"token": "x", "password": "12345678"}
    ),
    "verify": lambda api, address: _from(api, address, "/v1/auth/verify-email", {"token": "x"}),
    "mfa": lambda api, address: _from(api, address, "/v1/auth/mfa/verify", {"mfa_token": "x", "code": "1"}),
}


def _from(api: RunningApi, address: str, path: str, body: dict[str, str]) -> Answer:
    return api.request("POST", path, body, address=address)


def allow(api: RunningApi, tries_per_minute: int) -> None:
    settings = CredentialThrottleSettings(credential_tries_per_minute=tries_per_minute)
    api.container.credential_throttle = replace(api.container.credential_throttle, settings=settings)


def test_all_credential_routes_share_one_bucket_an_address(api: RunningApi) -> None:
    allow(api, len(ROUTES))

    first = [route(api, "192.0.2.1").status for route in ROUTES.values()]
    refused = [route(api, "192.0.2.1") for route in ROUTES.values()]

    assert 429 not in first
    assert [(answer.status, answer.code) for answer in refused] == [(429, "too_many_tries")] * len(ROUTES)
    assert {answer.headers["Retry-After"] for answer in refused} == {str(math.ceil(60 / len(ROUTES)))}
    assert ROUTES["verify"](api, "192.0.2.2").status == 401


def test_the_bucket_fills_up_evenly(api: RunningApi) -> None:
    allow(api, 6)
    verify = ROUTES["verify"]
    assert [verify(api, "192.0.2.3").status for _ in range(7)] == [401] * 6 + [429]

    api.clock.advance(seconds=10)

    assert [verify(api, "192.0.2.3").status for _ in range(2)] == [401, 429]


def test_a_network_of_ipv6_is_one_client(api: RunningApi) -> None:
    allow(api, 2)
    verify = ROUTES["verify"]
    network, other = f"2001:db8:{uuid4().hex[:4]}:1", f"2001:db8:{uuid4().hex[:4]}:2"

    assert [verify(api, f"{network}::{number}").status for number in range(1, 4)] == [401, 401, 429]
    assert verify(api, f"{other}::1").status == 401


def test_a_client_of_ipv4_is_the_same_however_it_is_written(api: RunningApi) -> None:
    allow(api, 1)
    verify = ROUTES["verify"]

    assert [verify(api, f"{prefix}192.0.2.7").status for prefix in ("", "::ffff:")] == [401, 429]
    assert verify(api, "::ffff:192.0.2.8").status == 401


def test_a_try_that_its_address_may_not_make_is_not_counted_against_the_account(api: RunningApi) -> None:
    account: Account = api.register()
    allow(api, 1)
    for _ in range(FREE + 5):
        _from(api, "192.0.2.4", "/v1/auth/login", {"email": account.email, "password": "wrong"})

    answer = _from(api, "192.0.2.5", "/v1/auth/login", {"email": account.email, "password": "correct horse battery"})

    assert answer.status == 200


def test_old_rows_go_little_by_little_with_later_tries(api: RunningApi, admin: Database) -> None:
    def rows() -> int:
        with admin.transaction(None) as connection:
            found = connection.execute("SELECT count(*) AS n FROM credential_throttles WHERE failures = 77").fetchone()
        assert found is not None
        return int(found["n"])

    with admin.transaction(None) as connection:
        connection.execute(
            "INSERT INTO credential_throttles (subject, failures, blocked_until, updated_at)"
            " SELECT sha256(random()::text::bytea), 77, now(), '2001-01-01' FROM generate_series(1, 25)"
        )
    left = []
    for _ in range(3):
        ROUTES["verify"](api, "192.0.2.6")
        left.append(rows())

    assert left == [15, 5, 0]


def test_no_address_is_kept_in_the_clear(api: RunningApi, admin: Database) -> None:
    account = api.register()
    wrong(api, account.email)

    with admin.transaction(None) as connection:
        text = " ".join(row["row"] for row in connection.execute("SELECT t::text AS row FROM credential_throttles t"))
    assert account.email not in text
    assert api.address not in text
