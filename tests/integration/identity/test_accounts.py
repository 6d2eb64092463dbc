from typing import Any
from uuid import uuid4

import pytest

from chatsphere.db.database import Database
from tests.builders.running_api import PASSWORD, RunningApi
from tests.postgres import DatabaseUrls


def new_email() -> str:
    return f"{uuid4().hex}@example.com"


def test_a_person_gets_an_organization_of_their_own_on_the_free_plan(api: RunningApi) -> None:
    email = new_email()

    answer = api.request(
        "POST",
        "/v1/auth/register",
        {"email": f" {email} ", "password": PASSWORD, "first_name": "Ada", "last_name": " Lovelace "},
    )

    assert answer.status == 201
    body = answer.json
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 600)
    assert (body["user"]["email"], body["user"]["first_name"], body["user"]["last_name"]) == (email, "Ada", "Lovelace")
    assert (body["organization"]["name"], body["organization"]["plan"]) == ("Ada Lovelace", "Free")
    me = api.request("GET", "/v1/me", token=body["access_token"]).json
    assert me == {"user": body["user"], "organization": body["organization"], "role": "owner", "api_key": None}


def test_without_a_name_the_organization_is_named_after_the_address(api: RunningApi) -> None:
    account = api.register()

    me = api.request("GET", "/v1/me", token=account.access_token).json

    assert me["organization"]["name"] == account.email.partition("@")[0]


def test_a_long_name_still_makes_an_organization(api: RunningApi) -> None:
    account = api.register(first_name="A" * 150, last_name="B" * 150)

    me = api.request("GET", "/v1/me", token=account.access_token).json

    assert me["organization"]["name"] == f"{'A' * 150} {'B' * 49}"


def test_an_address_is_taken_in_every_case(api: RunningApi, database_urls: DatabaseUrls) -> None:
    email = new_email()
    api.register(email=email)

    answer = api.request("POST", "/v1/auth/register", {"email": email.upper(), "password": PASSWORD})

    assert (answer.status, answer.code) == (409, "email_taken")
    assert users_with(database_urls, email) == 1


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"email": "not an address"}, "body/email"),
        ({"email": "ada@localhost"}, "body/email"),
        ({"email": "a" * 310 + "@example.com"}, "body/email"),
        ({"email": None}, "body/email"),
        ({"password": "1234567"}, "body/password"),
        ({"password": "x" * 201}, "body/password"),
        ({"password": "12345678\x00"}, "body/password"),
        ({"password": "12345678\ud800"}, "body/password"),
        ({"first_name": "x" * 151}, "body/first_name"),
        ({"last_name": "\x00"}, "body/last_name"),
        ({"is_staff": True}, "body/is_staff"),
    ],
)
def test_a_bad_registration_names_the_field(api: RunningApi, fields: dict[str, Any], pointer: str) -> None:
    body = {"email": new_email(), "password": PASSWORD, **fields}

    answer = api.request("POST", "/v1/auth/register", body)

    assert (answer.status, answer.code) == (422, "invalid_request")
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]


@pytest.mark.parametrize("password", ["12345678", "x" * 200, "pässwörd 🚀"])
def test_a_password_may_be_any_text_of_its_length(api: RunningApi, password: str) -> None:
    account = api.register(password=password)

    assert log_in(api, account.email, password) == 200


def test_the_password_is_kept_as_a_salted_hash(api: RunningApi, database_urls: DatabaseUrls) -> None:
    account = api.register()

    with admin(database_urls).transaction(None) as connection:
        row = connection.execute("SELECT password_hash FROM users WHERE email = %s", (account.email,)).fetchone()
    assert row is not None
    assert row["password_hash"].startswith("$argon2id$")


def test_names_are_changed_one_by_one(api: RunningApi) -> None:
    account = api.register(first_name="Ada", last_name="Byron")

    assert names(api, account.access_token, {"last_name": "Lovelace"}) == ("Ada", "Lovelace")
    assert names(api, account.access_token, {}) == ("Ada", "Lovelace")
    assert names(api, account.access_token, {"first_name": ""}) == ("", "Lovelace")


@pytest.mark.parametrize("body", [{"first_name": None}, {"email": "x@example.com"}, {"first_name": 5}])
def test_nothing_else_of_a_profile_can_be_changed(api: RunningApi, body: dict[str, Any]) -> None:
    answer = api.request("PATCH", "/v1/me", body, token=api.register().access_token)

    assert (answer.status, answer.code) == (422, "invalid_request")


def test_a_username_is_unique_in_every_case(api: RunningApi) -> None:
    first, second, name = api.register(), api.register(), f"ada.{uuid4().hex[:20]}"

    taken = api.request("PATCH", "/v1/me", {"username": name}, token=first.access_token)
    answer = api.request("PATCH", "/v1/me", {"username": name.upper()}, token=second.access_token)

    assert (taken.status, taken.json["user"]["username"]) == (200, name)
    assert (answer.status, answer.code) == (409, "username_taken")
    again = api.request("PATCH", "/v1/me", {"username": name.upper()}, token=first.access_token)
    assert again.json["user"]["username"] == name.upper()


@pytest.mark.parametrize(
    "username", ["ab", "x" * 31, "ada@example.com", "-ada", "ada.", "a da", "", None, "adä", "ada\n"]
)
def test_a_username_is_short_and_plain(api: RunningApi, username: str | None) -> None:
    answer = api.request("PATCH", "/v1/me", {"username": username}, token=api.register().access_token)

    assert (answer.status, answer.code) == (422, "invalid_request")


def test_a_key_is_not_the_person_and_changes_no_name(api: RunningApi) -> None:
    account = api.register()
    key = api.api_key(account)

    answer = api.request("PATCH", "/v1/me", {"first_name": "Eve"}, token=key["key"])

    assert (answer.status, answer.code) == (403, "forbidden")


def names(api: RunningApi, token: str, body: dict[str, Any]) -> tuple[str, str]:
    user = api.request("PATCH", "/v1/me", body, token=token).json["user"]
    assert api.request("GET", "/v1/me", token=token).json["user"] == user
    return user["first_name"], user["last_name"]


def log_in(api: RunningApi, email: str, password: str) -> int:
    return api.request("POST", "/v1/auth/login", {"email": email, "password": password}).status


def admin(urls: DatabaseUrls) -> Database:
    return Database(urls.admin)


def users_with(urls: DatabaseUrls, email: str) -> int:
    with admin(urls).transaction(None) as connection:
        row = connection.execute("SELECT count(*) AS n FROM users WHERE lower(email) = %s", (email,)).fetchone()
    assert row is not None
    return int(row["n"])
