"""What happens when several do it at the same moment."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from chatsphere.access.permissions import Role
from chatsphere.adapters.system import UuidV7Ids
from chatsphere.db.database import Database
from chatsphere.errors import ChatSphereError
from chatsphere.organizations import invitations, members
from chatsphere.organizations.invitations import InvitationRequest
from tests.conftest import add_tenant
from tests.integration.organizations.crowd import NOW, Organization, Work
from tests.postgres import DatabaseUrls

AT_ONCE = 6


@pytest.fixture
def organization(database: Database, database_urls: DatabaseUrls, ids: UuidV7Ids) -> Iterator[Organization]:
    organization = Organization(add_tenant(database, ids), database_urls, ids)
    yield organization
    organization.close()


def accepting(organization: Organization, person: UUID, token: str) -> Work:
    return organization.as_member(person, lambda connection: invitations.accept(connection, person, token, now=NOW).id)


def refusals(outcomes: list[object]) -> list[str]:
    return sorted(outcome.code for outcome in outcomes if isinstance(outcome, ChatSphereError))


def test_of_many_who_accept_one_invitation_one_does(organization: Organization) -> None:
    token = organization.invitation()
    people = [organization.person() for _ in range(AT_ONCE)]

    outcomes = organization.at_once(*(accepting(organization, person, token) for person in people))

    assert refusals(outcomes) == ["invitation_not_valid"] * (AT_ONCE - 1)
    assert outcomes.count(organization.id) == 1
    joined = people[outcomes.index(organization.id)]
    assert organization.roles() == {organization.owner_id: "owner", joined: "editor"}
    [row] = organization.rows("SELECT accepted_by FROM invitations")
    assert row["accepted_by"] == joined


def test_one_who_accepts_twice_at_once_is_a_member_once(organization: Organization) -> None:
    person = organization.person()
    first, second = organization.invitation(), organization.invitation()

    outcomes = organization.at_once(accepting(organization, person, first), accepting(organization, person, second))

    # The other invitation stays open: who is a member already uses none up.
    assert refusals(outcomes) == ["conflict"]
    assert len(organization.roles()) == 2
    assert [row["accepted_at"] for row in organization.rows("SELECT accepted_at FROM invitations")].count(None) == 1


def test_of_two_owners_who_leave_at_once_one_stays(organization: Organization) -> None:
    other = organization.member("owner")

    def leaving(person: UUID) -> Work:
        return organization.as_member(person, lambda connection: members.leave(connection, person, now=NOW))

    outcomes = organization.at_once(leaving(organization.owner_id), leaving(other))

    assert refusals(outcomes) == ["conflict"]
    assert len(organization.owners()) == 1


@pytest.mark.parametrize("_again", range(3))
def test_no_race_leaves_an_organization_without_an_owner(organization: Organization, _again: int) -> None:
    """Three owners demote, remove and hand over to each other at the same moment."""
    first, second, third = organization.owner_id, organization.member("owner"), organization.member("owner")
    people = (first, second, third)

    def demoting(actor: UUID, person: UUID) -> Work:
        return organization.as_member(
            actor,
            lambda connection: members.change_role(
                connection, members.Actor(actor, is_person=True), person, Role.VIEWER, now=NOW
            ),
        )

    def removing(actor: UUID, person: UUID) -> Work:
        return organization.as_member(
            actor,
            lambda connection: members.remove(connection, members.Actor(actor, is_person=True), person, now=NOW),
        )

    def handing_over(actor: UUID, person: UUID) -> Work:
        return organization.as_member(actor, lambda connection: members.transfer(connection, actor, person, now=NOW))

    pairs = list(zip(people, (*people[1:], people[0]), strict=True))
    outcomes = organization.at_once(
        *(work(*pair) for pair in pairs for work in (demoting, removing, handing_over)),
    )

    assert len(organization.owners()) >= 1
    assert set(refusals(outcomes)) <= {"insufficient_role", "unauthorized", "not_found", "conflict"}


def test_the_last_place_of_a_plan_is_invited_to_once(organization: Organization) -> None:
    """A Free organization holds three: its owner, a member, and one who may be invited."""
    organization.member("viewer")

    def inviting(email: str) -> Work:
        request = InvitationRequest(email, Role.VIEWER, timedelta(days=1))
        return organization.as_member(
            organization.owner_id,
            lambda connection: invitations.invite(
                connection,
                organization.owner_id,
                request,
                invitation_id=organization.ids.new(),
                verified_only=False,
                now=NOW,
            ),
        )

    outcomes = organization.at_once(*(inviting(f"{number}@example.com") for number in range(AT_ONCE)))

    assert refusals(outcomes) == ["quota_exceeded"] * (AT_ONCE - 1)
    assert len(organization.rows("SELECT id FROM invitations")) == 1


def test_an_address_that_is_invited_many_times_at_once_holds_one_invitation(organization: Organization) -> None:
    email = f"{uuid4().hex}@example.com"
    request = InvitationRequest(email, Role.VIEWER, timedelta(days=1))
    works = [
        organization.as_member(
            organization.owner_id,
            lambda connection: (
                invitations.invite(
                    connection,
                    organization.owner_id,
                    request,
                    invitation_id=organization.ids.new(),
                    verified_only=False,
                    now=NOW,
                ).id
            ),
        )
        for _ in range(AT_ONCE)
    ]

    outcomes = organization.at_once(*works)

    assert len(set(outcomes)) == 1
    assert len(organization.rows("SELECT id FROM invitations")) == 1


def test_the_last_place_of_a_plan_is_taken_once(organization: Organization) -> None:
    """Two invitations that were made while there was room for both."""
    tokens = [organization.invitation(), organization.invitation()]
    organization.member("viewer")
    people = [organization.person(), organization.person()]

    outcomes = organization.at_once(
        *(accepting(organization, person, token) for person, token in zip(people, tokens, strict=True))
    )

    assert refusals(outcomes) == ["quota_exceeded"]
    assert len(organization.roles()) == 3
