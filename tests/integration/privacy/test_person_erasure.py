"""A person is deleted from every organization; what is the organizations' stays, and names them no more."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import UUID

import pytest

from chatsphere.db.database import Database
from chatsphere.errors import OwnershipRequiredError
from chatsphere.identity.passwords import confirm
from chatsphere.privacy.looking import PERSON_COLUMNS
from chatsphere.privacy.requesting import ErasureDesk
from tests.builders.running_api import PASSWORD, Account, FakeQueue
from tests.integration.privacy.world import IDS, UUID_COLUMNS, World
from tests.postgres import DatabaseUrls

PSEUDONYM = {
    "audit_log.actor_user_id", "deletions.requested_by", "erasures.subject_id", "erasures.requested_by",
    "legal_holds.made_by", "legal_holds.released_by",
}  # fmt: skip
"""Where the id of a person who is gone may stand: it leads to nobody."""


def pseudonyms(world: World, account: Account) -> set[str]:
    return world.columns_with(account.user_id) - PSEUDONYM


@pytest.fixture
def member(world: World) -> tuple[Account, Account, str]:
    """A person with an organization of their own, who has left traces in another's; and that one's owner, and bot."""
    member, owner = world.api.register(first_name="Ada"), world.api.register()
    world.fill(member)
    bot_id = world.fill(owner)
    world.join(member, owner)
    # Tries are noted where the person was first.
    world.admin.execute(
        "UPDATE memberships SET created_at = '2020-01-01' WHERE organization_id = %s AND user_id = %s",
        (owner.organization_id, member.user_id),
    )
    world.api.request("POST", "/v1/auth/login", {"email": member.email, "password": "not hers"})
    moved = world.api.request(
        "POST", "/v1/auth/switch", {"organization_id": owner.organization_id}, token=member.access_token
    )
    assert moved.status == 200, moved.text
    switched = Account(
        member.email, moved.json["access_token"], moved.json["refresh_token"], member.user_id, owner.organization_id
    )
    made = world.api.bot(switched, name="Made by Ada")
    world.api.api_key(switched, name="Ada's key")
    world.api.request("PATCH", f"/v1/bots/{made['id']}", {"name": "Changed"}, token=switched.access_token)
    values = {"organization": owner.organization_id, "user": member.user_id, "email": member.email}
    values |= {"usage": str(IDS.new()), "sent": str(IDS.new()), "received": str(IDS.new())}
    for statement in (
        "INSERT INTO usage_events (id, organization_id, user_id, metric)"
        " VALUES (%(usage)s, %(organization)s, %(user)s, 'chat.answer')",
        "INSERT INTO invitations (id, organization_id, email, role, invited_by, created_at, expires_at)"
        " VALUES (%(sent)s, %(organization)s, 'x@example.com', 'viewer', %(user)s, now(), now())",
        "INSERT INTO invitations (id, organization_id, email, role, created_at, expires_at)"
        " VALUES (%(received)s, %(organization)s, upper(%(email)s), 'viewer', now(), now())",
    ):
        world.admin.execute(statement, values)
    return member, owner, bot_id


def test_nothing_names_the_person_and_the_other_organization_is_intact(
    world: World, member: tuple[Account, Account, str]
) -> None:
    # Given
    person, owner, _ = member
    ours = world.rows_of_organization(person.organization_id)
    # When
    answer = world.delete_me(person)
    assert answer.status == 202, answer.text
    theirs = world.rows_of_organization(owner.organization_id)
    assert pseudonyms(world, person) >= {"users.id", "memberships.user_id", "usage_events.user_id", "bots.created_by"}
    assert world.purge() == []
    # Then
    erasure = world.receipt(answer)
    assert (erasure["kind"], erasure["status"]) == ("person", "done")
    receipt = erasure["receipt"]
    assert receipt["removed"]["bots"] == ours["bots"]
    assert receipt["removed"]["users"] == 1
    assert receipt["removed"]["memberships"] == 2
    assert receipt["removed"]["invitations_received"] == 1
    assert receipt["anonymized"].keys() == {
        "audit_log_personal_values", "bots", "bot_versions", "invitations", "usage_events"
    }  # fmt: skip
    assert set(receipt["left"].values()) == {0}
    assert pseudonyms(world, person) == set()
    assert world.rows_of_organization(person.organization_id) == {}
    gone = ("memberships", "sessions", "refresh_tokens", "api_keys", "bot_members", "rate_limits", "invitations")
    now = world.rows_of_organization(owner.organization_id)
    assert {table: n for table, n in now.items() if table not in gone} == {
        table: n for table, n in theirs.items() if table not in gone
    }
    # And what the person did there is still told, of nobody
    log = world.admin.execute(
        "SELECT action, address, user_agent, after ->> 'name' FROM audit_log"
        " WHERE organization_id = %s AND actor_user_id = %s ORDER BY id",
        (owner.organization_id, person.user_id),
    ).fetchall()
    assert ("bot.updated", None, None, "Changed") in log
    assert ("api_key.created", None, None, None) in log
    assert {(address, agent) for _, address, agent, _ in log} == {(None, None)}
    assert world.admin.execute(
        "SELECT address, user_agent FROM audit_log"
        " WHERE organization_id = %s AND action = 'user.login_failed' AND object_id = %s",
        (owner.organization_id, person.user_id),
    ).fetchall() == [(None, None)]
    # And the address is free again
    assert world.api.register(email=person.email).user_id != person.user_id


def test_from_the_request_on_no_credential_of_the_person_is_accepted(
    world: World, member: tuple[Account, Account, str]
) -> None:
    person, owner, _ = member
    key = world.api.api_key(person)
    assert world.delete_me(person).status == 202
    for credential in (person.access_token, key["key"]):
        assert world.api.request("GET", "/v1/me", token=credential).status == 401
    body = {"email": person.email, "password": PASSWORD}
    assert world.api.request("POST", "/v1/auth/login", body).status == 401
    refresh = {"refresh_token": person.refresh_token}
    assert world.api.request("POST", "/v1/auth/refresh", refresh).status == 401
    assert world.api.request("GET", "/v1/me", token=owner.access_token).status == 200


def test_who_alone_owns_an_organization_of_several_cannot_go(world: World) -> None:
    # Given
    owner, member = world.api.register(), world.api.register()
    world.join(member, owner)
    # When
    answer = world.delete_me(owner)
    # Then
    assert (answer.status, answer.code) == (409, "ownership_required")
    assert owner.organization_id in answer.json["detail"]
    assert world.api.request("GET", "/v1/me", token=owner.access_token).status == 200
    # And with a second owner they can, and the organization stays
    world.admin.execute("UPDATE memberships SET role = 'owner' WHERE user_id = %s", (member.user_id,))
    answer = world.delete_me(owner)
    assert answer.status == 202
    assert world.purge() == []
    assert world.rows_of_organization(owner.organization_id)["memberships"] == 1


def test_it_takes_the_password_and_a_person(world: World) -> None:
    person = world.api.register()
    key = world.api.api_key(person)
    wrong = world.delete_me(person, password="another one")
    assert (wrong.status, wrong.code) == (403, "not_confirmed")
    by_key = world.api.request("DELETE", "/v1/me", {"password": PASSWORD}, token=key["key"])
    assert (by_key.status, by_key.code) == (403, "forbidden")
    assert world.api.request("DELETE", "/v1/me", {}, token=person.access_token).status == 422
    assert world.api.purge_queue.sent == []


def test_a_second_factor_is_asked_for(world: World) -> None:
    # Given
    person = world.api.register()
    totp = world.enroll(person)
    # Then
    assert world.delete_me(person).code == "not_confirmed"
    assert world.delete_me(person, code="000000").code == "not_confirmed"
    world.api.clock.advance(seconds=60)
    assert world.delete_me(person, code=totp.at(world.api.clock.now())).status == 202


KNOWN_COLUMNS = {
    "id", "organization_id", "bot_id", "document_id", "chunk_id", "conversation_id", "segment_id", "plan_id",
    "api_key_id", "actor_api_key_id", "rotated_to", "family_id", "subject_id", "lease_token", "session_id", "source_id",
    "training_run_id", "unseen_document_id", "holder", "message_id", "claim", "remaining_before", "set_id",
    "question_id", "answer_id", "hold_id", "deletion_id", "made_by_key", "released_by_key", "endpoint_id", "event_id",
    "run_id", "tenant_id", "erasure_id", "archived_bot", "archived_organization",
}  # fmt: skip
"""Columns of ids that are no person's. `holder` is an open stream; `subject_id` is an organization's or a key's, or an
erasure's."""


def test_every_column_of_ids_is_known_to_name_people_or_not(world: World) -> None:
    """A new one makes somebody decide whether an erasure must look at it."""
    columns = {column for _, column in world.admin.execute(UUID_COLUMNS)}
    of_people = {*PERSON_COLUMNS, "accepted_by", "actor_user_id", "requested_by", "made_by", "released_by"}
    assert columns - KNOWN_COLUMNS - of_people == set()
    assert of_people <= columns


def test_of_two_owners_who_go_at_once_one_has_to_stay(world: World, database_urls: DatabaseUrls) -> None:
    # Given two owners, and a member who would be left alone
    first, second, member = world.api.register(), world.api.register(), world.api.register()
    world.join(second, first, "owner")
    world.join(member, first)
    c = world.api.container
    start = Barrier(2)

    def go(person: Account) -> str:
        database = Database(database_urls.authenticator)
        desk = ErasureDesk(database, c.database, FakeQueue(), c.clock, IDS)
        proved = confirm(c.password_checks, UUID(person.user_id), PASSWORD)
        start.wait()
        try:
            desk.request_person(proved, c.second_factor, None)
        except OwnershipRequiredError:
            return "stays"
        finally:
            database.close()
        return "goes"

    # When
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(go, (first, second)))
    # Then
    assert sorted(outcomes) == ["goes", "stays"]
