from typing import Any

import pytest

from chatsphere.db.database import Database
from chatsphere.errors import InvalidTokenError
from chatsphere.identity import passwords
from tests.builders.running_api import PASSWORD, Account, RunningApi, token_in
from tests.integration.identity.people import Phone, enroll, is_logged_in, log_in, me, post, race, refresh
from tests.postgres import DatabaseUrls

NEW = "another fine password"


@pytest.fixture
def account(api: RunningApi) -> Account:
    account = api.register()
    api.mails()
    return account


def reset_token(api: RunningApi, account: Account) -> str:
    assert post(api, "/v1/auth/password/forgot", {"email": account.email}).status == 204
    return api.mailed_token(account.email)


def test_a_forgotten_password_is_reset_with_the_mailed_token(api: RunningApi, account: Account) -> None:
    token = reset_token(api, account)

    answer = post(api, "/v1/auth/password/reset", {"token": token, "password": NEW})

    assert (answer.status, answer.text) == (204, "")
    assert (log_in(api, account.email).status, log_in(api, account.email, NEW).status) == (401, 200)
    (notice,) = api.mails()
    assert (notice.to, token_in(notice)) == (account.email, "")


def test_a_reset_ends_every_session_and_proves_the_address(api: RunningApi, account: Account) -> None:
    elsewhere = log_in(api, account.email).json

    post(api, "/v1/auth/password/reset", {"token": reset_token(api, account), "password": NEW})

    assert not is_logged_in(api, account.access_token)
    assert not is_logged_in(api, elsewhere["access_token"])
    assert refresh(api, account.refresh_token).status == 401
    assert me(api, log_in(api, account.email, NEW).json["access_token"])["is_verified"] is True


def test_known_and_unknown_addresses_get_one_answer_and_one_message(api: RunningApi, account: Account) -> None:
    addresses = [account.email, "nobody@example.com", "not an address", ""]

    answers = [post(api, "/v1/auth/password/forgot", {"email": address}) for address in addresses]

    assert [(answer.status, answer.text) for answer in answers] == [(204, "")] * 4
    messages = [message for message, _ in api.mail_queue.sent]
    assert messages == [{"kind": "reset_password", "email": address} for address in addresses]
    assert [mail.to for mail in api.mails()] == [account.email]


def test_an_inactive_person_is_sent_nothing(api: RunningApi, account: Account, admin: Database) -> None:
    with admin.transaction(None) as connection:
        connection.execute("UPDATE users SET is_active = false WHERE id = %s", (account.user_id,))

    assert post(api, "/v1/auth/password/forgot", {"email": account.email}).status == 204
    assert api.mails() == []


def test_a_token_resets_once_within_an_hour(api: RunningApi, account: Account) -> None:
    used, late = reset_token(api, account), reset_token(api, api.register())
    assert post(api, "/v1/auth/password/reset", {"token": used, "password": NEW}).status == 204

    again = post(api, "/v1/auth/password/reset", {"token": used, "password": "a third password"})
    api.clock.advance(hours=1)
    too_late = post(api, "/v1/auth/password/reset", {"token": late, "password": NEW})

    assert [(again.status, again.code), (too_late.status, too_late.code)] == [(401, "invalid_token")] * 2
    assert log_in(api, account.email, NEW).status == 200


def test_a_reset_makes_the_other_tokens_worthless(api: RunningApi, account: Account) -> None:
    first, second = reset_token(api, account), reset_token(api, account)

    assert post(api, "/v1/auth/password/reset", {"token": second, "password": NEW}).status == 204

    assert post(api, "/v1/auth/password/reset", {"token": first, "password": "a third password"}).status == 401


def test_nothing_that_was_begun_with_the_former_password_can_be_finished(api: RunningApi, account: Account) -> None:
    # Given somebody who has got hold of the password
    theirs = f"not.{account.email}"
    post(api, "/v1/me/email", {"email": theirs, "password": PASSWORD}, by=account)
    change = api.mailed_token(theirs)
    made = post(api, "/v1/auth/mfa/enroll", {"password": PASSWORD}, by=account).json

    post(api, "/v1/auth/password/reset", {"token": reset_token(api, account), "password": NEW})

    code = {"mfa_token": made["mfa_token"], "code": Phone(api, made["secret"]).code()}
    assert post(api, "/v1/auth/mfa/verify", code).status == 401
    assert post(api, "/v1/auth/verify-email", {"token": change}).status == 401
    assert "access_token" in log_in(api, account.email, NEW).json


def test_who_made_the_account_with_an_address_not_theirs_is_out_when_its_owner_resets_it(
    api: RunningApi, account: Account
) -> None:
    # Given an address that was never proved
    key = api.api_key(account)["key"]
    enroll(api, account)

    post(api, "/v1/auth/password/reset", {"token": reset_token(api, account), "password": NEW})

    assert not is_logged_in(api, key)
    mine = log_in(api, account.email, NEW).json["access_token"]
    assert me(api, mine)["mfa_enabled"] is False
    # And from then on a mail is no second factor, and what works goes on working
    key = post(api, "/v1/api-keys", {"name": "mine"}, by=mine).json["key"]
    post(api, "/v1/auth/password/reset", {"token": reset_token(api, account), "password": PASSWORD})
    assert is_logged_in(api, key)


def test_of_many_resets_with_one_token_exactly_one_wins(
    api: RunningApi, account: Account, database_urls: DatabaseUrls
) -> None:
    token, c = reset_token(api, account), api.container

    def reset(number: int) -> str:
        database = Database(database_urls.authenticator)
        try:
            own = passwords.Passwords(database, c.passwords, c.credential_throttle, c.clock)
            passwords.reset_password(own, token, f"password number {number}")
        finally:
            database.close()
        return f"password number {number}"

    won, refused = race(6, reset)

    assert (len(won), [type(error) for error in refused]) == (1, [InvalidTokenError] * 5)
    assert log_in(api, account.email, won[0]).status == 200


def test_changing_the_password_ends_every_other_session(api: RunningApi, account: Account) -> None:
    elsewhere = log_in(api, account.email).json

    answer = post(api, "/v1/me/password", {"current_password": PASSWORD, "new_password": NEW}, by=account)

    assert (answer.status, answer.text) == (204, "")
    assert is_logged_in(api, account.access_token)
    assert refresh(api, account.refresh_token).status == 200
    assert not is_logged_in(api, elsewhere["access_token"])
    assert (log_in(api, account.email).status, log_in(api, account.email, NEW).status) == (401, 200)
    assert [mail.to for mail in api.mails()] == [account.email]


def test_a_wrong_password_changes_nothing(api: RunningApi, account: Account) -> None:
    answer = post(api, "/v1/me/password", {"current_password": "wrong", "new_password": NEW}, by=account)

    assert (answer.status, answer.code) == (403, "not_confirmed")
    assert log_in(api, account.email).status == 200
    assert api.mails() == []


@pytest.mark.parametrize(
    "fields",
    [
        {"new_password": "1234567"},
        {"new_password": "x" * 201},
        {"new_password": None},
        {"current_password": 1},
        {"x": 1},
    ],
)
def test_a_bad_change_names_its_field(api: RunningApi, account: Account, fields: dict[str, Any]) -> None:
    body = {"current_password": PASSWORD, "new_password": NEW, **fields}

    answer = post(api, "/v1/me/password", body, by=account)

    assert (answer.status, answer.code) == (422, "invalid_request")
    assert [error["pointer"] for error in answer.json["errors"]] == [f"body/{next(iter(fields))}"]


def test_the_mail_address_is_no_password(api: RunningApi, account: Account) -> None:
    email = account.email.upper()
    answers = [
        post(api, "/v1/me/password", {"current_password": PASSWORD, "new_password": email}, by=account),
        post(api, "/v1/auth/password/reset", {"token": (token := reset_token(api, account)), "password": email}),
        post(api, "/v1/auth/register", {"email": "ada@example.com", "password": "Ada@example.com"}),
    ]

    assert [answer.status for answer in answers] == [422] * 3
    assert {answer.json["errors"][0]["code"] for answer in answers} == {"password_is_email"}
    # What was refused for its password has not used the token up.
    assert post(api, "/v1/auth/password/reset", {"token": token, "password": NEW}).status == 204


def test_a_login_that_overlaps_a_reset_does_not_outlive_it(
    api: RunningApi, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The former password is verified, then the reset commits, then the login goes on."""
    token, hasher = reset_token(api, account), api.container.passwords
    verify = hasher.verify

    def slow(encoded: str | None, password: str) -> bool:
        monkeypatch.setattr(hasher, "verify", verify)
        fits = verify(encoded, password)
        assert post(api, "/v1/auth/password/reset", {"token": token, "password": NEW}).status == 204
        return fits

    monkeypatch.setattr(hasher, "verify", slow)

    assert (log_in(api, account.email).status, log_in(api, account.email, NEW).status) == (401, 200)
