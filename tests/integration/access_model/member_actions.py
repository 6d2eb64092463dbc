"""What is done about who belongs to an organization, and as what."""

from tests.builders.invitations import invitation_mails
from tests.builders.running_api import token_in
from tests.integration.access_model.run import Run
from tests.integration.access_model.steps import Choices
from tests.integration.access_model.world import Credential, Invitation, Person

ROLES = ("viewer", "editor", "admin", "owner")


def read_organization(run: Run, choices: Choices) -> None:
    credential = run.credential(choices)
    organization = run.organization(credential, choices)
    path = f"/v1/organizations/{organization.id}"
    run.ask(credential, "read organization", "GET", path, of=organization)


def rename_organization(run: Run, choices: Choices) -> None:
    credential = run.credential(choices)
    organization = run.organization(credential, choices)
    path = f"/v1/organizations/{organization.id}"
    run.ask(credential, "rename organization", "PATCH", path, {"name": "Renamed"}, of=organization)


def list_members(run: Run, choices: Choices) -> None:
    credential = run.credential(choices)
    organization = run.organization(credential, choices)
    path = f"/v1/organizations/{organization.id}/members"
    page = run.ask(credential, "list members", "GET", path, of=organization, query={"limit": ["100"]})
    if page is not None:
        shown = {(member["user_id"], member["role"]) for member in page["data"]}
        run.same("list members", shown, {(person.id, role) for person, role in organization.roles.items()})


def invite(run: Run, choices: Choices) -> None:
    credential = run.credential(choices)
    organization = run.organization(credential, choices)
    members = {person.email for person in organization.roles}
    everybody = [person.email for person in run.world.people]
    email = choices.mostly([one for one in everybody if one not in members], everybody)
    role = choices.one(("viewer", "editor", "admin"))
    path = f"/v1/organizations/{organization.id}/invitations"
    body = {"email": email, "role": role}
    made = run.ask(credential, "invite", "POST", path, body, of=organization, then=409 if email in members else 201)
    if made is None:
        return
    # So that nobody is sent more mails in an hour than are let through.
    run.api.clock.advance(minutes=20)
    invitation = next((one for one in run.world.open_invitations(organization) if one.email == email), None)
    if invitation is None:
        invitation = Invitation(made["id"], "", organization, email, role, credential.person)
        run.world.invitations.append(invitation)
    run.same("invite", made["id"], invitation.id)
    invitation.role, invitation.inviter = role, credential.person
    invitation.token = token_in(invitation_mails(run.api, email)[0])


def list_invitations(run: Run, choices: Choices) -> None:
    credential = run.credential(choices)
    organization = run.organization(credential, choices)
    path = f"/v1/organizations/{organization.id}/invitations"
    shown = run.ids(credential, "list invitations", path, of=organization)
    run.same("list invitations", shown, {one.id for one in run.world.open_invitations(organization)})


def revoke_invitation(run: Run, choices: Choices) -> None:
    credential = run.credential(choices)
    invitation = _invitation(run, credential, choices)
    if invitation is None:
        return list_invitations(run, choices)
    path = f"/v1/organizations/{credential.organization.id}/invitations/{invitation.id}"
    there = invitation.organization is credential.organization and not invitation.closed
    if run.ask(credential, "revoke invitation", "DELETE", path, then=204 if there else 404) is not None:
        invitation.closed = True
    return None


def accept(run: Run, choices: Choices) -> None:
    credential = run.credential(choices)
    away = [one for one in run.world.invitations if not one.closed and credential.person not in one.organization.roles]
    if not run.world.invitations:
        return list_invitations(run, choices)
    invitation = choices.mostly(away, run.world.invitations)
    organization = invitation.organization
    status = 404 if invitation.closed else 409 if credential.person in organization.roles else 200
    joined = run.ask(credential, "accept", "POST", "/v1/invitations/accept", {"token": invitation.token}, then=status)
    if joined is not None:
        run.same("accept", (joined["id"], joined["role"]), (organization.id, invitation.role))
        invitation.closed = True
        organization.roles[credential.person] = invitation.role
    return None


def change_role(run: Run, choices: Choices) -> None:
    credential = run.credential(choices)
    organization = run.organization(credential, choices)
    person, role = _person(run, credential, choices), choices.one(ROLES)
    path = f"/v1/organizations/{organization.id}/members/{person.id}"
    changed = run.ask(
        credential,
        "change role",
        "PATCH",
        path,
        {"role": role},
        of=organization,
        then=lambda: _may_change(credential, person, role, 200),
    )
    if changed is not None:
        run.world.set_role(organization, person, role)


def remove(run: Run, choices: Choices) -> None:
    credential = run.credential(choices)
    organization = run.organization(credential, choices)
    person = _person(run, credential, choices)
    path = f"/v1/organizations/{organization.id}/members/{person.id}"
    removed = run.ask(
        credential,
        "remove member",
        "DELETE",
        path,
        of=organization,
        then=lambda: _may_change(credential, person, None, 204),
    )
    if removed is not None:
        run.world.end_membership(organization, person)


def leave(run: Run, choices: Choices) -> None:
    credential = run.credential(choices)
    organization = run.organization(credential, choices)
    path = f"/v1/organizations/{organization.id}/leave"
    alone = organization.owners() == [credential.person]
    if run.ask(credential, "leave", "POST", path, of=organization, then=409 if alone else 204) is not None:
        run.world.end_membership(organization, credential.person)


def transfer(run: Run, choices: Choices) -> None:
    credential = run.credential(choices)
    organization = run.organization(credential, choices)
    person = _person(run, credential, choices)
    path = f"/v1/organizations/{organization.id}/transfer"
    status = 409 if person is credential.person else 200 if person in organization.roles else 404
    done = run.ask(credential, "transfer", "POST", path, {"user_id": person.id}, of=organization, then=status)
    if done is not None:
        run.world.set_role(organization, person, "owner")
        run.world.set_role(organization, credential.person, "admin")


def _may_change(credential: Credential, person: Person, role: str | None, done: int) -> int:
    """Return the status of a change of a member by an admin or owner; `role` is None where the membership ends."""
    organization = credential.organization
    former = organization.roles.get(person)
    if former is None:
        return 404
    if "owner" in (former, role) and (organization.roles[credential.person] != "owner" or credential.is_key):
        return 403
    if former == "owner" and role != "owner" and organization.owners() == [person]:
        return 409
    return done


def _person(run: Run, credential: Credential, choices: Choices) -> Person:
    others = [person for person in credential.organization.roles if person is not credential.person]
    return choices.mostly(others, run.world.people)


def _invitation(run: Run, credential: Credential, choices: Choices) -> Invitation | None:
    if not run.world.invitations:
        return None
    return choices.mostly(run.world.open_invitations(credential.organization), run.world.invitations)


ACTIONS = {
    "read organization": read_organization,
    "rename organization": rename_organization,
    "list members": list_members,
    "invite": invite,
    "list invitations": list_invitations,
    "revoke invitation": revoke_invitation,
    "accept": accept,
    "change role": change_role,
    "remove": remove,
    "leave": leave,
    "transfer": transfer,
}
