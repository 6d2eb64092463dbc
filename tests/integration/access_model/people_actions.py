"""What people do about themselves: accounts, organizations of their own, sessions."""

from tests.integration.access_model.run import Run
from tests.integration.access_model.steps import Choices
from tests.integration.access_model.world import Organization


def read_me(run: Run, choices: Choices) -> None:
    credential = run.credential(choices)
    me = run.ask(credential, "read me", "GET", "/v1/me")
    if me is not None:
        shown = (me["user"]["id"], me["organization"]["id"], me["role"])
        expected = (
            credential.person.id,
            credential.organization.id,
            credential.organization.roles[credential.person],
        )
        run.same("read me", shown, expected)


def list_organizations(run: Run, choices: Choices) -> None:
    credential = run.credential(choices)
    page = run.ask(credential, "list organizations", "GET", "/v1/organizations", query={"limit": ["100"]})
    if page is not None:
        mine = [credential.organization] if credential.is_key else run.world.organizations
        expected = {(one.id, one.roles[credential.person]) for one in mine if credential.person in one.roles}
        run.same("list organizations", {(one["id"], one["role"]) for one in page["data"]}, expected)


def make_organization(run: Run, choices: Choices) -> None:
    credential = run.credential(choices)
    if len(run.world.organizations) > len(run.world.people):
        return list_organizations(run, choices)
    made = run.ask(credential, "make organization", "POST", "/v1/organizations", {"name": "New"}, then=201)
    if made is not None:
        run.world.organizations.append(Organization(made["id"], {credential.person: "owner"}))
    return None


def switch(run: Run, choices: Choices) -> None:
    credential = run.credential(choices)
    at = [session.organization for session in run.world.sessions(credential.person)]
    away = [one for one in run.world.organizations if credential.person in one.roles and one not in at]
    organization = choices.mostly(away, run.world.organizations)
    tokens = run.ask(
        credential,
        "switch",
        "POST",
        "/v1/auth/switch",
        {"organization_id": organization.id},
        then=lambda: 200 if credential.person in organization.roles else 404,
    )
    if tokens is not None:
        run.open_session(organization, credential.person, tokens["access_token"], tokens["refresh_token"])


def log_out(run: Run, choices: Choices) -> None:
    sessions = [one for one in run.world.credentials if not one.is_key and run.world.alive(one)]
    # Somebody must be left who can do something.
    if len(sessions) <= len(run.world.people):
        return read_me(run, choices)
    session = choices.one(sessions)
    answer = run.api.request("POST", "/v1/auth/logout", {"refresh_token": session.refresh_token})
    run.same("log out", answer.status, 204)
    session.ended = True
    return None


def log_in(run: Run, choices: Choices) -> None:
    person = choices.one(run.world.people)
    answer = run.api.request("POST", "/v1/auth/login", {"email": person.email, "password": person.password})
    run.same("log in", answer.status, 200)
    me = run.api.request("GET", "/v1/me", token=answer.json["access_token"]).json
    organization = next((one for one in run.world.organizations if one.id == me["organization"]["id"]), None)
    if organization is None:
        # Who belongs nowhere any more is given an organization of their own.
        run.same("log in", [one for one in run.world.organizations if person in one.roles], [])
        organization = Organization(me["organization"]["id"], {person: "owner"})
        run.world.organizations.append(organization)
    run.same("log in", me["role"], organization.roles.get(person))
    tokens = answer.json
    run.open_session(organization, person, tokens["access_token"], tokens["refresh_token"])


def refresh(run: Run, choices: Choices) -> None:
    session = choices.one([one for one in run.world.credentials if not one.is_key])
    answer = run.api.request("POST", "/v1/auth/refresh", {"refresh_token": session.refresh_token})
    run.same("refresh", answer.status, 200 if run.world.alive(session) else 401)
    if answer.status == 200:
        session.text, session.refresh_token = answer.json["access_token"], answer.json["refresh_token"]


def list_sessions(run: Run, choices: Choices) -> None:
    credential = run.credential(choices)
    shown = run.ids(credential, "list sessions", "/v1/me/sessions")
    run.same("list sessions", shown, {session.id for session in run.world.sessions(credential.person)})


def end_session(run: Run, choices: Choices) -> None:
    credential = run.credential(choices)
    own = run.world.sessions(credential.person)
    if len(own) < 2:
        return list_sessions(run, choices)
    everybody = [one for one in run.world.credentials if not one.is_key]
    session = choices.mostly(own, everybody)
    path = f"/v1/me/sessions/{session.id}"
    if run.ask(credential, "end session", "DELETE", path, then=204 if session in own else 404) is not None:
        session.ended = True
    return None


ACTIONS = {
    "read me": read_me,
    "list organizations": list_organizations,
    "make organization": make_organization,
    "switch": switch,
    "log out": log_out,
    "log in": log_in,
    "refresh": refresh,
    "list sessions": list_sessions,
    "end session": end_session,
}
