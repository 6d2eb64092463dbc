from typing import Any
from uuid import uuid4

import pytest

from tests.builders.running_api import PASSWORD, RunningApi, token_in
from tests.integration.identity.people import log_in, me, post


def new_email() -> str:
    return f"{uuid4().hex}@example.com"


def test_the_token_of_the_first_mail_confirms_the_address(api: RunningApi) -> None:
    account = api.register()
    assert me(api, account.access_token)["is_verified"] is False

    answer = post(api, "/v1/auth/verify-email", {"token": api.mailed_token(account.email)})

    assert (answer.status, answer.json) == (200, {"email": account.email})
    assert me(api, account.access_token)["is_verified"] is True


def test_a_token_confirms_once_and_in_time(api: RunningApi) -> None:
    first, second = api.register(), api.register()
    used, late = "", ""
    for mail in api.mails():
        used, late = (token_in(mail), late) if mail.to == first.email else (used, token_in(mail))
    assert post(api, "/v1/auth/verify-email", {"token": used}).status == 200

    again = post(api, "/v1/auth/verify-email", {"token": used})
    api.clock.advance(days=1)
    too_late = post(api, "/v1/auth/verify-email", {"token": late})

    assert [(again.status, again.code), (too_late.status, too_late.code)] == [(401, "invalid_token")] * 2
    assert me(api, log_in(api, second.email).json["access_token"])["is_verified"] is False


@pytest.mark.parametrize("token", ["", "nonsense", "cst_" + "0" * 32 + "_" + "a" * 43, "\x01é🚀"])
def test_what_is_no_token_confirms_nothing(api: RunningApi, token: str) -> None:
    answer = post(api, "/v1/auth/verify-email", {"token": token})

    assert (answer.status, answer.code) == (401, "invalid_token")


def test_a_token_for_something_else_confirms_nothing(api: RunningApi) -> None:
    account = api.register()
    api.mails()
    post(api, "/v1/auth/password/forgot", {"email": account.email})

    answer = post(api, "/v1/auth/verify-email", {"token": api.mailed_token(account.email)})

    assert (answer.status, answer.code) == (401, "invalid_token")


def test_the_mail_is_sent_again_until_the_address_is_confirmed(api: RunningApi) -> None:
    account = api.register()
    first = api.mailed_token(account.email)

    assert post(api, "/v1/auth/resend-verification", by=account).status == 204
    second = api.mailed_token(account.email)
    # The mail that came first may be the one that is opened.
    assert post(api, "/v1/auth/verify-email", {"token": first}).status == 200

    assert second != first
    answer = post(api, "/v1/auth/resend-verification", by=account)
    assert (answer.status, answer.code) == (409, "conflict")


def test_registering_succeeds_though_no_mail_can_be_asked_for(api: RunningApi) -> None:
    api.mail_queue.failures = 1

    account = api.register()

    assert api.mails() == []
    assert post(api, "/v1/auth/resend-verification", by=account).status == 204
    assert api.mailed_token(account.email)


def test_the_address_changes_when_the_new_one_is_proved(api: RunningApi) -> None:
    account, email = api.register(), new_email()
    api.mails()
    answer = post(api, "/v1/me/email", {"email": f" {email} ", "password": PASSWORD}, by=account)
    assert (answer.status, answer.text) == (204, "")
    token = api.mailed_token(email)
    assert me(api, account.access_token)["email"] == account.email

    changed = post(api, "/v1/auth/verify-email", {"token": token})

    assert (changed.status, changed.json) == (200, {"email": email})
    assert (me(api, account.access_token)["email"], me(api, account.access_token)["is_verified"]) == (email, True)
    assert (log_in(api, account.email).status, log_in(api, email).status) == (401, 200)
    (notice,) = api.mails()
    assert (notice.to, token_in(notice)) == (account.email, "")


def test_what_was_mailed_to_the_former_address_is_worthless(api: RunningApi) -> None:
    account, email = api.register(), new_email()
    verification = api.mailed_token(account.email)
    post(api, "/v1/auth/password/forgot", {"email": account.email})
    reset = api.mailed_token(account.email)
    post(api, "/v1/me/email", {"email": email, "password": PASSWORD}, by=account)
    assert post(api, "/v1/auth/verify-email", {"token": api.mailed_token(email)}).status == 200

    answers = [
        post(api, "/v1/auth/verify-email", {"token": verification}),
        post(api, "/v1/auth/password/reset", {"token": reset, "password": "another password"}),
    ]

    assert [(answer.status, answer.code) for answer in answers] == [(401, "invalid_token")] * 2


def test_an_address_that_was_taken_meanwhile_is_a_conflict(api: RunningApi) -> None:
    account, email = api.register(), new_email()
    api.mails()
    # Whether it is taken is not said before it is proved.
    assert post(api, "/v1/me/email", {"email": email, "password": PASSWORD}, by=account).status == 204
    token = api.mailed_token(email)
    api.register(email=email)

    answer = post(api, "/v1/auth/verify-email", {"token": token})

    assert (answer.status, answer.code) == (409, "email_taken")
    assert me(api, account.access_token)["email"] == account.email


def test_asking_for_an_address_that_is_taken_is_answered_like_any_other(api: RunningApi) -> None:
    account, other = api.register(), api.register()

    assert post(api, "/v1/me/email", {"email": other.email, "password": PASSWORD}, by=account).status == 204


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"password": "wrong password"}, 403, "not_confirmed"),
        ({"email": "not an address"}, 422, "invalid_request"),
        ({"email": None}, 422, "invalid_request"),
        ({"extra": 1}, 422, "invalid_request"),
    ],
)
def test_a_change_that_is_not_valid_mails_nothing(
    api: RunningApi, body: dict[str, Any], status: int, code: str
) -> None:
    account = api.register()
    api.mails()

    answer = post(api, "/v1/me/email", {"email": new_email(), "password": PASSWORD, **body}, by=account)

    assert (answer.status, answer.code) == (status, code)
    assert api.mails() == []


def test_the_address_that_one_has_is_no_change(api: RunningApi) -> None:
    account = api.register()

    answer = post(api, "/v1/me/email", {"email": account.email.upper(), "password": PASSWORD}, by=account)

    assert (answer.status, answer.code) == (409, "conflict")


@pytest.mark.parametrize("path", ["/v1/me/email", "/v1/auth/resend-verification", "/v1/me/password"])
def test_a_key_is_not_the_person(api: RunningApi, path: str) -> None:
    key = api.api_key(api.register())["key"]

    answer = post(api, path, {}, by=key)

    assert (answer.status, answer.code) == (403, "forbidden")
