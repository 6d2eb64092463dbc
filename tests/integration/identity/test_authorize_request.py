from collections.abc import Iterator
from typing import Any

import pytest

from chatsphere.access.permissions import ALL_SCOPES, Role, Scope
from chatsphere.access.principal import Principal
from chatsphere.db.database import Database
from chatsphere.errors import UnavailableError
from chatsphere.identity.opaque_tokens import checksum
from tests.builders.rest_api import authorize
from tests.builders.running_api import Account, RunningApi, running_api
from tests.postgres import DatabaseUrls

NOWHERE = "postgresql://127.0.0.1:1/nothing?connect_timeout=1"


@pytest.fixture
def account(api: RunningApi) -> Account:
    return api.register()


@pytest.fixture
def admin(database_urls: DatabaseUrls) -> Iterator[Database]:
    database = Database(database_urls.admin)
    yield database
    database.close()


def ask(credential: str) -> dict[str, Any]:
    return authorize({"Authorization": f"Bearer {credential}"})


def effect(decision: dict[str, Any]) -> str:
    return str(decision["policyDocument"]["Statement"][0]["Effect"])


def refusal(decision: dict[str, Any]) -> str:
    assert effect(decision) == "Deny"
    assert sorted(decision["context"]) == ["code", "detail", "title"]
    return str(decision["context"]["code"])


def test_a_person_has_every_scope_and_every_bot(account: Account) -> None:
    decision = ask(account.access_token)

    assert effect(decision) == "Allow"
    assert decision["principalId"] == account.user_id
    caller = Principal.from_context(decision["context"])
    assert (str(caller.organization_id), str(caller.user_id)) == (account.organization_id, account.user_id)
    assert (caller.role, caller.scopes, caller.api_key_id, caller.bot_ids) == (Role.OWNER, ALL_SCOPES, None, None)


def test_a_key_has_what_it_was_given(api: RunningApi, account: Account) -> None:
    bot = api.bot(account)
    key = api.api_key(account, scopes=["chat"], bot_ids=[bot["id"]])

    caller = Principal.from_context(ask(key["key"])["context"])

    assert caller.scopes == {Scope.CHAT}
    assert str(caller.api_key_id) == key["id"]
    assert [str(bot_id) for bot_id in caller.bot_ids or ()] == [bot["id"]]


def test_the_policy_is_right_for_every_method_of_the_stage(account: Account) -> None:
    decision = authorize({"Authorization": f"Bearer {account.access_token}"}, "GET", "/v1/bots/1/documents/2")

    statement = decision["policyDocument"]["Statement"][0]
    assert statement["Action"] == "execute-api:Invoke"
    assert statement["Resource"] == "arn:aws:execute-api:eu-central-1:123456789012:abcdef1234/v1stage/*"


def test_the_context_holds_nothing_but_strings(api: RunningApi, account: Account) -> None:
    for credential in (account.access_token, api.api_key(account)["key"], "nonsense"):
        assert {type(value) for value in ask(credential)["context"].values()} == {str}


def test_no_credential_is_told_from_a_wrong_one(api: RunningApi) -> None:
    assert refusal(authorize({})) == "missing_credential"
    assert refusal(authorize({"Authorization": "Basic YTpi"})) == "unauthorized"


def test_an_expired_token_is_said_to_be(api: RunningApi, account: Account) -> None:
    api.clock.advance(seconds=599)
    assert effect(ask(account.access_token)) == "Allow"
    api.clock.advance(seconds=1)
    assert refusal(ask(account.access_token)) == "token_expired"


def test_the_role_is_the_databases(account: Account, admin: Database) -> None:
    with admin.transaction(None) as connection:
        connection.execute("UPDATE memberships SET role = 'viewer' WHERE user_id = %s", (account.user_id,))

    assert ask(account.access_token)["context"]["role"] == "viewer"


@pytest.mark.parametrize(
    "statement",
    ["DELETE FROM memberships WHERE user_id = %s", "UPDATE users SET is_active = false WHERE id = %s"],
)
def test_who_has_left_is_refused_with_every_credential(
    api: RunningApi, account: Account, admin: Database, statement: str
) -> None:
    key = api.api_key(account)
    with admin.transaction(None) as connection:
        connection.execute(statement, (account.user_id,))

    assert refusal(ask(account.access_token)) == "unauthorized"
    assert refusal(ask(key["key"])) == "unauthorized"


def test_a_token_for_another_organization_is_refused(api: RunningApi, account: Account) -> None:
    stranger = api.register()
    claims = {"sub": account.user_id, "org": stranger.organization_id}

    assert refusal(ask(api.container.token_signer.sign(claims, now=api.clock.moment))) == "unauthorized"


@pytest.mark.parametrize("claims", [{}, {"sub": "x", "org": "y"}, {"sub": 5, "org": None}, {"sub": [], "org": {}}])
def test_a_token_of_ours_with_odd_claims_is_refused(api: RunningApi, claims: dict[str, Any]) -> None:
    assert refusal(ask(api.container.token_signer.sign(claims, now=api.clock.moment))) == "unauthorized"


def test_a_typing_error_in_a_key_never_reaches_the_database(database_urls: DatabaseUrls) -> None:
    with running_api(database_urls) as api:
        key = api.api_key(api.register())["key"]
    typo = key[:-8] + ("x" if key[-8] != "x" else "y") + key[-7:]

    with running_api(database_urls, AUTHENTICATOR_DATABASE_URL=NOWHERE):
        assert refusal(ask(typo)) == "malformed_api_key"
        with pytest.raises(UnavailableError):
            ask(key)


def test_a_right_prefix_with_another_secret_is_refused(api: RunningApi, account: Account) -> None:
    made = api.api_key(account)
    body = f"{made['prefix']}_{'A' * 32}"

    assert refusal(ask(body + checksum(body))) == "unauthorized"


@pytest.mark.parametrize(
    "credential",
    [
        "nonsense",
        "x" * 1_000_000,
        "cs_live_" + "x" * 1_000_000,
        "a.b.c",
        "\x00",
        "\x00\x01\xff\ud800",
        "cs_live_é_🚀",
        "Bearer Bearer",
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.",
        "csr_" + "0" * 32 + "_" + "a" * 43,
        "' OR 1=1 --",
        "." * 100_000,
    ],
)
def test_garbage_is_refused_and_never_raises(api: RunningApi, credential: str) -> None:
    ours = credential.startswith("cs_live_") and credential.isascii()
    expected = "malformed_api_key" if ours else "unauthorized"
    assert refusal(ask(credential)) == expected


def test_a_scope_that_was_abolished_grants_nothing(api: RunningApi, account: Account, admin: Database) -> None:
    key = api.api_key(account, scopes=["chat"])
    with admin.transaction(None) as connection:
        connection.execute("UPDATE api_keys SET scopes = '{chat,abolished}' WHERE id = %s", (key["id"],))

    assert ask(key["key"])["context"]["scopes"] == "chat"
