"""What the database writes into the audit log by itself."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import psycopg
import pyotp
import pytest

from chatsphere.audit.recording import note
from chatsphere.db.database import Database
from chatsphere.db.origin import Origin, coming_from
from tests.builders.running_api import PASSWORD, Account, RunningApi
from tests.conftest import Tenant
from tests.postgres import DatabaseUrls

Entry = dict[str, Any]


def log(api: RunningApi, account: Account, **query: str) -> list[Entry]:
    """The organization's entries, oldest first."""
    asked = {"limit": ["100"]} | {name: [value] for name, value in query.items()}
    answer = api.request("GET", "/v1/audit-log", token=account.access_token, query=asked)
    assert answer.status == 200, answer.text
    entries: list[Entry] = answer.json["data"]
    return entries[::-1]


def actions(entries: list[Entry]) -> list[str]:
    return [entry["action"] for entry in entries]


def test_registering_tells_of_the_organization_its_owner_and_the_session(api: RunningApi) -> None:
    account = api.register()
    entries = log(api, account)
    assert actions(entries) == ["organization.created", "membership.created", "session.created"]
    assert {entry["actor_user_id"] for entry in entries} == {account.user_id}
    assert entries[1]["after"] == {"role": "owner"}


def test_a_change_is_told_with_before_and_after_and_from_where(api: RunningApi) -> None:
    # Given
    account = api.register()
    bot = api.bot(account, name="First", description="Old.")
    # When
    answer = api.request("PATCH", f"/v1/bots/{bot['id']}", {"description": "New."}, token=account.access_token)
    # Then
    (entry,) = log(api, account, action="bot.updated")
    assert entry["before"]["description"] == "Old."
    assert entry["after"]["description"] == "New."
    assert entry["before"]["name"] == entry["after"]["name"] == "First"
    assert not {"welcome_message", "updated_at", "created_by"} & entry["after"].keys()
    assert (entry["object_type"], entry["object_id"]) == ("bot", bot["id"])
    assert (entry["actor_user_id"], entry["actor_api_key_id"]) == (account.user_id, None)
    assert (entry["address"], entry["user_agent"]) == (api.address, "tests")
    assert entry["request_id"] == answer.headers["X-Request-Id"]


def test_of_a_long_text_only_its_length_is_told(api: RunningApi) -> None:
    # The log cannot be cleared, and the text is in the bot's versions.
    account = api.register()
    bot = api.bot(account)
    api.request("PATCH", f"/v1/bots/{bot['id']}", {"system_prompt": "x" * 5000}, token=account.access_token)
    (entry,) = log(api, account, action="bot.updated")
    assert entry["after"]["system_prompt"] == "[5002 characters]"


def test_a_change_that_changes_nothing_is_not_told(api: RunningApi) -> None:
    account = api.register()
    bot = api.bot(account, name="Same")
    api.request("PATCH", f"/v1/bots/{bot['id']}", {"name": "Same"}, token=account.access_token)
    assert log(api, account, action="bot.updated", object_id=bot["id"]) == []


def test_a_key_is_told_with_its_maker_and_its_acts_with_the_key(api: RunningApi) -> None:
    # Given
    account = api.register()
    key = api.api_key(account, name="ci")
    # When
    bot = api.request("POST", "/v1/bots", {"name": "By key"}, token=key["key"])
    assert bot.status == 201
    api.request("DELETE", f"/v1/api-keys/{key['id']}", token=account.access_token)
    # Then
    (made,) = log(api, account, action="bot.created")
    assert (made["actor_user_id"], made["actor_api_key_id"]) == (account.user_id, key["id"])
    assert actions(log(api, account, object_id=key["id"])) == ["api_key.created", "api_key.revoked"]
    assert actions(log(api, account, actor_api_key_id=key["id"])) == ["bot.created", "bot_member.created"]


def test_a_deletion_is_told_once_and_what_goes_with_it_is_not(api: RunningApi) -> None:
    account = api.register()
    bot = api.bot(account)
    api.request("DELETE", f"/v1/bots/{bot['id']}", token=account.access_token)
    with api.container.database.transaction(UUID(account.organization_id)) as connection:
        assert connection.execute("DELETE FROM bots RETURNING 1").fetchall()
    assert actions(log(api, account, object_id=bot["id"])) == ["bot.created", "bot_member.created", "bot.deleted"]


def test_neither_secrets_nor_personal_values_are_kept(api: RunningApi, database_urls: DatabaseUrls) -> None:
    # Given everything that has a secret or a personal value
    account = api.register(first_name="Ada", last_name="Lovelace", email="ada.lovelace@example.com")
    other = api.register()
    api.request("PATCH", "/v1/me", {"first_name": "Augusta"}, token=account.access_token)
    key = api.api_key(account)
    with api.container.database.transaction(UUID(account.organization_id), UUID(account.user_id)) as connection:
        connection.execute(
            "INSERT INTO invitations"
            " (id, organization_id, email, role, secret_hash, invited_by, created_at, expires_at)"
            " VALUES (gen_random_uuid(), %s, 'grace@example.com', 'viewer', '\\xdeadbeef', %s, now(), now())",
            (account.organization_id, account.user_id),
        )
    # When
    with psycopg.connect(database_urls.admin) as connection:
        rows = connection.execute(
            # Not what the organization is called: that is nobody's but its own.
            "SELECT before, after FROM audit_log WHERE organization_id = %s AND object_type <> 'organization'",
            (account.organization_id,),
        ).fetchall()
    # Then
    written = json.dumps(rows)
    assert "[personal]" in written
    secrets = (
        PASSWORD,
        key["key"],
        "Ada",
        "Augusta",
        "Lovelace",
        "ada.",
        "grace@",
        "deadbeef",
        "hash",
        "argon2",
        "127.",
    )
    assert [word for word in secrets if word in written] == []
    # And the others in no way
    assert all(entry["actor_user_id"] == other.user_id for entry in log(api, other))


def test_a_second_factor_is_told_and_its_secret_is_not(api: RunningApi) -> None:
    # Given
    account, password = api.register(), {"password": PASSWORD}
    enrolled = api.request("POST", "/v1/auth/mfa/enroll", password, token=account.access_token).json
    totp = pyotp.TOTP(enrolled["secret"])

    def ask(path: str, **body: str) -> None:
        api.clock.advance(seconds=60)
        body = {"code": totp.at(api.clock.now()), **body}
        assert api.request("POST", f"/v1/auth/mfa/{path}", body, token=account.access_token).status in (200, 204)

    # When
    ask("verify", mfa_token=enrolled["mfa_token"])
    ask("recovery-codes", **password)
    ask("disable", **password)
    # Then
    entries = log(api, account, object_type="user", object_id=account.user_id)
    assert actions(entries) == ["user.updated", "user.recovery_codes_renewed", "user.updated"]
    assert [sorted(entry["after"] or {}) for entry in entries] == [["mfa_enabled_at"], [], ["mfa_enabled_at"]]
    assert {entry["actor_user_id"] for entry in entries} == {account.user_id}


def test_noted_events_and_changes_are_in_order(database: Database, make_tenant: Callable[[], Tenant]) -> None:
    tenant = make_tenant()
    with coming_from(Origin(address="198.51.100.7")), database.transaction(tenant.organization_id) as connection:
        for number in range(20):
            note(connection, "thing.seen", "thing", None, after={"number": number})
        rows = connection.execute(
            "SELECT id, after, actor_user_id, address FROM audit_log WHERE action = 'thing.seen' ORDER BY id"
        ).fetchall()
    assert [row["after"]["number"] for row in rows] == list(range(20))
    assert {row["id"].version for row in rows} == {7}
    assert {(row["actor_user_id"], row["address"]) for row in rows} == {(None, "198.51.100.7")}


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_log SET action = 'x.y'", "DELETE FROM audit_log", "TRUNCATE audit_log"]
)
@pytest.mark.parametrize("role", ["app", "authenticator", "reaper"])
def test_nobody_who_serves_requests_can_change_the_log(database_urls: DatabaseUrls, statement: str, role: str) -> None:
    database = Database(getattr(database_urls, role))
    try:
        with pytest.raises(psycopg.errors.InsufficientPrivilege), database.transaction(None) as connection:
            connection.execute(statement)
    finally:
        database.close()


def test_an_entry_for_another_tenant_is_refused(database: Database, make_tenant: Callable[[], Tenant]) -> None:
    tenant, other = make_tenant(), make_tenant()
    with (
        pytest.raises(psycopg.errors.InsufficientPrivilege),
        database.transaction(tenant.organization_id) as connection,
    ):
        note(connection, "thing.seen", "thing", None, organization_id=other.organization_id)
