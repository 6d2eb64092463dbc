from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from chatsphere.db.database import Database
from chatsphere.errors import ChatSphereError, InvalidCodeError, InvalidTokenError
from chatsphere.identity import second_factor
from chatsphere.identity.passwords import Passwords
from chatsphere.identity.sessions import Sessions
from chatsphere.identity.throttling import CredentialThrottle
from chatsphere.settings import CredentialThrottleSettings
from tests.builders.running_api import PASSWORD, Account, Answer, RunningApi
from tests.integration.identity.people import (
    Phone,
    enroll,
    is_logged_in,
    log_in,
    me,
    mfa_token,
    post,
    race,
)
from tests.postgres import DatabaseUrls

RACERS = 5
Verify = Callable[[str, str], Any]


@pytest.fixture
def account(api: RunningApi) -> Account:
    account = api.register()
    post(api, "/v1/auth/verify-email", {"token": api.mailed_token(account.email)})
    return account


def verify(api: RunningApi, token: str, code: str) -> Answer:
    return post(api, "/v1/auth/mfa/verify", {"mfa_token": token, "code": code})


def test_a_first_code_switches_the_second_factor_on(api: RunningApi, account: Account) -> None:
    made = post(api, "/v1/auth/mfa/enroll", {"password": PASSWORD}, by=account)
    assert (made.status, sorted(made.json)) == (201, ["expires_in", "mfa_token", "otpauth_uri", "secret"])
    uri = urlsplit(made.json["otpauth_uri"])
    assert (uri.scheme, uri.netloc) == ("otpauth", "totp")
    assert parse_qs(uri.query) == {"secret": [made.json["secret"]], "issuer": ["ChatSphere"]}
    # Shown is not switched on.
    assert "access_token" in log_in(api, account.email).json

    answer = verify(api, made.json["mfa_token"], Phone(api, made.json["secret"]).code())

    assert (answer.status, list(answer.json)) == (200, ["recovery_codes"])
    assert len(set(answer.json["recovery_codes"])) == 10
    assert me(api, account.access_token)["mfa_enabled"] is True
    assert [mail.subject for mail in api.mails()] == ["Second factor switched on"]


def test_a_login_takes_password_and_code(api: RunningApi, account: Account) -> None:
    phone, _ = enroll(api, account)

    first = log_in(api, account.email)
    assert (first.status, sorted(first.json)) == (200, ["expires_in", "mfa_required", "mfa_token"])
    assert first.json["mfa_required"] is True
    second = verify(api, first.json["mfa_token"], phone.code())

    assert (second.status, sorted(second.json)) == (
        200,
        ["access_token", "expires_in", "refresh_token", "token_type"],
    )
    assert is_logged_in(api, second.json["access_token"])
    assert verify(api, first.json["mfa_token"], phone.code(1)).code == "invalid_token"


def test_last_login_is_that_of_the_code(api: RunningApi, account: Account) -> None:
    phone, _ = enroll(api, account)
    api.clock.advance(hours=1)
    before = me(api, log_in_with(api, account, phone))["last_login"]
    api.clock.advance(hours=1)
    token = mfa_token(api, account)

    assert me(api, verify(api, token, phone.code()).json["access_token"])["last_login"] > before


def test_a_code_counts_once(api: RunningApi, account: Account) -> None:
    phone, _ = enroll(api, account)
    tokens = [mfa_token(api, account) for _ in range(3)]
    assert verify(api, tokens[0], phone.code()).status == 200

    again = verify(api, tokens[1], phone.code())
    former = verify(api, tokens[1], phone.code(-1))
    api.clock.advance(seconds=30)

    assert [(again.status, again.code), (former.status, former.code)] == [(401, "invalid_code")] * 2
    assert verify(api, tokens[2], phone.code()).status == 200


@pytest.mark.parametrize(("steps", "status"), [(-2, 401), (-1, 200), (0, 200), (1, 200), (2, 401)])
def test_a_code_may_be_half_a_minute_early_or_late(api: RunningApi, account: Account, steps: int, status: int) -> None:
    phone, _ = enroll(api, account)
    api.clock.advance(minutes=5)

    assert verify(api, mfa_token(api, account), phone.code(steps)).status == status


@pytest.mark.parametrize("typed", [str, str.upper, lambda code: code.replace("-", " "), lambda code: f" {code} "])
def test_a_recovery_code_stands_in_once(api: RunningApi, account: Account, typed: Callable[[str], str]) -> None:
    _, codes = enroll(api, account)

    first = verify(api, mfa_token(api, account), typed(codes[3]))
    again = verify(api, mfa_token(api, account), codes[3])

    assert "access_token" in first.json
    assert (again.status, again.code) == (401, "invalid_code")
    assert "access_token" in verify(api, mfa_token(api, account), codes[4]).json


@pytest.mark.parametrize("code", ["x", "é🚀", "      ", "٠١٢٣٤٥", "0" * 40])
def test_what_is_no_code_is_refused(api: RunningApi, account: Account, code: str) -> None:
    enroll(api, account)

    answer = verify(api, mfa_token(api, account), code)

    assert (answer.status, answer.code) == (401, "invalid_code")


def test_a_token_may_be_tried_five_times(api: RunningApi, account: Account) -> None:
    phone, _ = enroll(api, account)
    token = mfa_token(api, account)

    answers = [verify(api, token, phone.wrong_code()) for _ in range(6)]

    assert [answer.code for answer in answers] == ["invalid_code"] * 5 + ["invalid_token"]
    assert verify(api, token, phone.code()).code == "invalid_token"


def test_many_logins_do_not_yield_more_tries_of_the_code(api: RunningApi, account: Account) -> None:
    phone, _ = enroll(api, account)
    for _ in range(2):
        token = mfa_token(api, account)
        assert [verify(api, token, phone.wrong_code()).status for _ in range(5)] == [401] * 5

    refused = verify(api, mfa_token(api, account), phone.code())
    assert (refused.status, refused.code, refused.headers["Retry-After"]) == (429, "too_many_tries", "1")
    api.clock.advance(seconds=1)
    assert verify(api, mfa_token(api, account), phone.code()).status == 200


def test_the_token_of_a_login_expires(api: RunningApi, account: Account) -> None:
    phone, _ = enroll(api, account)
    token = mfa_token(api, account)
    api.clock.advance(minutes=5)

    assert verify(api, token, phone.code()).code == "invalid_token"


def test_a_reset_password_does_not_replace_the_second_factor(api: RunningApi, account: Account) -> None:
    phone, _ = enroll(api, account)
    waiting = mfa_token(api, account)
    post(api, "/v1/auth/password/forgot", {"email": account.email})
    new = "another fine password"
    post(api, "/v1/auth/password/reset", {"token": api.mailed_token(account.email), "password": new})

    answer = log_in(api, account.email, new)

    assert answer.json["mfa_required"] is True
    assert verify(api, waiting, phone.code()).code == "invalid_token"
    assert verify(api, answer.json["mfa_token"], phone.code()).status == 200


def test_it_is_switched_off_with_password_and_code(api: RunningApi, account: Account) -> None:
    phone, codes = enroll(api, account)
    waiting = mfa_token(api, account)
    api.mails()
    wrong = [
        post(api, "/v1/auth/mfa/disable", {"password": "wrong", "code": phone.code()}, by=account),
        post(api, "/v1/auth/mfa/disable", {"password": PASSWORD, "code": phone.wrong_code()}, by=account),
    ]
    assert [(answer.status, answer.code) for answer in wrong] == [(403, "not_confirmed")] * 2

    answer = post(api, "/v1/auth/mfa/disable", {"password": PASSWORD, "code": phone.code()}, by=account)

    assert (answer.status, answer.text) == (204, "")
    assert "access_token" in log_in(api, account.email).json
    assert verify(api, waiting, codes[0]).code == "invalid_token"
    assert me(api, account.access_token)["mfa_enabled"] is False
    assert [mail.subject for mail in api.mails()] == ["Second factor switched off"]


def test_new_recovery_codes_replace_the_former(api: RunningApi, account: Account) -> None:
    phone, former = enroll(api, account)

    answer = post(api, "/v1/auth/mfa/recovery-codes", {"password": PASSWORD, "code": phone.code()}, by=account)

    assert (answer.status, len(answer.json["recovery_codes"])) == (200, 10)
    assert verify(api, mfa_token(api, account), former[0]).code == "invalid_code"
    assert verify(api, mfa_token(api, account), answer.json["recovery_codes"][0]).status == 200


@pytest.mark.parametrize("route", ["disable", "recovery-codes"])
def test_what_is_not_on_cannot_be_changed(api: RunningApi, account: Account, route: str) -> None:
    answer = post(api, f"/v1/auth/mfa/{route}", {"password": PASSWORD, "code": "123456"}, by=account)

    assert (answer.status, answer.code) == (409, "conflict")


def test_there_is_one_second_factor_at_most(api: RunningApi, account: Account) -> None:
    first, second = (post(api, "/v1/auth/mfa/enroll", {"password": PASSWORD}, by=account).json for _ in range(2))
    # The last secret that was shown is the one that counts.
    assert verify(api, first["mfa_token"], Phone(api, first["secret"]).code()).code == "invalid_token"
    assert verify(api, second["mfa_token"], Phone(api, second["secret"]).code()).status == 200

    answer = post(api, "/v1/auth/mfa/enroll", {"password": PASSWORD}, by=account)

    assert (answer.status, answer.code) == (409, "conflict")


def test_enrolling_takes_the_password(api: RunningApi, account: Account) -> None:
    answer = post(api, "/v1/auth/mfa/enroll", {"password": "wrong"}, by=account)

    assert (answer.status, answer.code) == (403, "not_confirmed")


@pytest.mark.parametrize("route", ["enroll", "disable", "recovery-codes"])
def test_a_key_is_not_the_person(api: RunningApi, account: Account, route: str) -> None:
    answer = post(api, f"/v1/auth/mfa/{route}", {"password": PASSWORD}, by=api.api_key(account)["key"])

    assert (answer.status, answer.code) == (403, "forbidden")


@pytest.mark.parametrize(
    "body", [{}, {"mfa_token": "x"}, {"mfa_token": "x", "code": ""}, {"mfa_token": "x", "code": "1" * 41}]
)
def test_a_body_that_is_not_valid_is_no_try(api: RunningApi, body: dict[str, Any]) -> None:
    assert post(api, "/v1/auth/mfa/verify", body).status == 422


def test_the_secret_is_sealed_and_the_codes_are_hashed(api: RunningApi, account: Account, admin: Database) -> None:
    made = post(api, "/v1/auth/mfa/enroll", {"password": PASSWORD}, by=account).json
    codes = verify(api, made["mfa_token"], Phone(api, made["secret"]).code()).json["recovery_codes"]

    with admin.transaction(None) as connection:
        rows = [
            *connection.execute("SELECT users::text AS row FROM users WHERE id = %s", (account.user_id,)),
            *connection.execute("SELECT t::text AS row FROM user_tokens t WHERE user_id = %s", (account.user_id,)),
            *connection.execute("SELECT c::text AS row FROM recovery_codes c WHERE user_id = %s", (account.user_id,)),
        ]
    text = " ".join(row["row"] for row in rows)
    assert len(rows) == 13
    assert not any(secret in text for secret in [made["secret"], made["mfa_token"][37:], *codes])


def verifying(api: RunningApi, urls: DatabaseUrls) -> Verify:
    """Return `verify` on a connection of its own, with no limit of tries for the account."""
    c = api.container

    def attempt(token: str, code: str) -> Any:
        database = Database(urls.authenticator)
        try:
            sessions = Sessions(database, c.token_signer, c.ids, c.clock, 600, 3600)
            throttle = CredentialThrottle(database, c.clock, CredentialThrottleSettings(login_free_tries=1000))
            own = Passwords(database, c.passwords, throttle, c.clock)
            return second_factor.verify(
                second_factor.SecondFactor(sessions, own, c.secret_box, "ChatSphere", 900), token, code
            )
        finally:
            database.close()

    return attempt


def kinds(errors: list[ChatSphereError]) -> set[type[ChatSphereError]]:
    return {type(error) for error in errors}


@pytest.mark.parametrize("what", ["code of the app", "recovery code"])
def test_of_many_uses_of_a_code_exactly_one_wins(
    api: RunningApi, account: Account, database_urls: DatabaseUrls, what: str
) -> None:
    phone, codes = enroll(api, account)
    code = phone.code() if what == "code of the app" else codes[0]
    tokens, attempt = [mfa_token(api, account) for _ in range(RACERS)], verifying(api, database_urls)

    won, refused = race(RACERS, lambda number: attempt(tokens[number], code))

    assert (len(won), len(refused), kinds(refused)) == (1, RACERS - 1, {InvalidCodeError})


def test_of_many_uses_of_a_token_exactly_one_wins(
    api: RunningApi, account: Account, database_urls: DatabaseUrls
) -> None:
    _, codes = enroll(api, account)
    token, attempt = mfa_token(api, account), verifying(api, database_urls)

    won, refused = race(RACERS, lambda number: attempt(token, codes[number]))

    assert (len(won), len(refused), kinds(refused)) == (1, RACERS - 1, {InvalidTokenError})
    # What lost has used no recovery code up.
    assert len(left(api, account, codes)) == 9


def test_of_many_first_codes_exactly_one_switches_it_on(
    api: RunningApi, account: Account, database_urls: DatabaseUrls
) -> None:
    made = post(api, "/v1/auth/mfa/enroll", {"password": PASSWORD}, by=account).json
    code, attempt = Phone(api, made["secret"]).code(), verifying(api, database_urls)

    won, refused = race(RACERS, lambda _: attempt(made["mfa_token"], code))

    assert (len(won), len(refused), kinds(refused)) == (1, RACERS - 1, {InvalidTokenError})
    assert len(left(api, account, won[0].recovery_codes)) == 10


def left(api: RunningApi, account: Account, codes: list[str]) -> list[str]:
    """Return the recovery codes that still log in, by logging in with them."""
    return [code for code in codes if verify(api, mfa_token(api, account), code).status == 200]


def log_in_with(api: RunningApi, account: Account, phone: Phone) -> str:
    token: str = verify(api, mfa_token(api, account), phone.code()).json["access_token"]
    return token
