from uuid import uuid4

import pytest

from tests.builders.invitations import invited, joined
from tests.builders.running_api import PASSWORD, Account, RunningApi
from tests.integration.organizations.acting import act, problem, roles

LAST_OWNER = (409, "conflict")


def change(api: RunningApi, actor: Account, person: Account, role: str) -> tuple[int, str]:
    answer = act(api, actor, "PATCH", f"/members/{person.user_id}", {"role": role})
    return answer.status, answer.json["role"] if answer.status == 200 else answer.code


def remove(api: RunningApi, actor: Account, person: Account) -> tuple[int, str]:
    return problem(act(api, actor, "DELETE", f"/members/{person.user_id}"))


def test_a_new_role_counts_from_the_next_request(api: RunningApi, owner: Account) -> None:
    member = joined(api, owner, "viewer")
    bot = {"name": "Bot"}
    assert problem(api.request("POST", "/v1/bots", bot, token=member.access_token)) == (403, "insufficient_role")

    assert change(api, owner, member, "editor") == (200, "editor")

    assert api.request("POST", "/v1/bots", bot, token=member.access_token).status == 201
    assert roles(api, member) == {owner.user_id: "owner", member.user_id: "editor"}


def test_an_admin_decides_on_everybody_but_owners(api: RunningApi, owner: Account) -> None:
    admin, other, member = (joined(api, owner, role) for role in ("admin", "admin", "viewer"))
    refused = (403, "insufficient_role")

    assert change(api, admin, member, "admin") == (200, "admin")
    assert change(api, admin, other, "viewer") == (200, "viewer")
    assert change(api, admin, member, "owner") == refused
    assert change(api, admin, owner, "viewer") == refused
    assert remove(api, admin, owner) == refused
    assert remove(api, admin, other) == (204, "")
    assert roles(api, owner) == {owner.user_id: "owner", admin.user_id: "admin", member.user_id: "admin"}


@pytest.mark.parametrize("role", ["editor", "viewer"])
def test_who_is_no_admin_decides_on_nobody(api: RunningApi, owner: Account, role: str) -> None:
    member = joined(api, owner, role)

    assert change(api, member, member, "owner") == (403, "insufficient_role")
    assert remove(api, member, owner) == (403, "insufficient_role")


def test_a_key_makes_members_admins_and_no_owners(api: RunningApi, owner: Account) -> None:
    member = joined(api, owner)
    text = api.api_key(owner, scopes=["organization:write"])["key"]
    key = Account("", text, "", owner.user_id, owner.organization_id)

    assert change(api, key, member, "admin") == (200, "admin")
    assert change(api, key, member, "owner") == (403, "forbidden")
    assert remove(api, key, owner) == (403, "forbidden")
    assert problem(act(api, key, "POST", "/transfer", {"user_id": member.user_id})) == (403, "forbidden")


def test_somebody_always_owns_the_organization(api: RunningApi, owner: Account) -> None:
    member = joined(api, owner, "admin")

    assert change(api, owner, owner, "admin") == LAST_OWNER
    assert remove(api, owner, owner) == LAST_OWNER
    assert problem(act(api, owner, "POST", "/leave")) == LAST_OWNER

    assert change(api, owner, member, "owner") == (200, "owner")
    assert problem(act(api, owner, "POST", "/leave")) == (204, "")
    assert roles(api, member) == {member.user_id: "owner"}
    assert change(api, member, member, "viewer") == LAST_OWNER


def test_a_transfer_makes_the_owner_an_admin(api: RunningApi, owner: Account) -> None:
    member = joined(api, owner, "viewer")

    answer = act(api, owner, "POST", "/transfer", {"user_id": member.user_id})

    assert (answer.status, answer.json["user_id"], answer.json["role"]) == (200, member.user_id, "owner")
    assert roles(api, owner) == {member.user_id: "owner", owner.user_id: "admin"}
    assert act(api, member, "GET").json["is_personal"] is False
    again = act(api, owner, "POST", "/transfer", {"user_id": owner.user_id})
    assert problem(again) == (403, "insufficient_role")


def test_only_a_member_takes_an_organization_over(api: RunningApi, owner: Account) -> None:
    stranger = api.register()

    assert problem(act(api, owner, "POST", "/transfer", {"user_id": stranger.user_id})) == (404, "not_found")
    assert problem(act(api, owner, "POST", "/transfer", {"user_id": owner.user_id})) == (409, "conflict")
    assert problem(act(api, owner, "POST", "/transfer", {"user_id": "x"})) == (422, "invalid_request")
    assert problem(act(api, owner, "POST", "/transfer", {})) == (422, "invalid_request")


def test_nobody_who_is_leaving_for_good_takes_an_organization_over(api: RunningApi, owner: Account) -> None:
    member = joined(api, owner, "admin")
    assert api.request("DELETE", "/v1/me", {"password": PASSWORD}, token=member.access_token).status == 202

    assert problem(act(api, owner, "POST", "/transfer", {"user_id": member.user_id})) == (404, "not_found")
    assert roles(api, owner)[owner.user_id] == "owner"


def test_a_removed_member_is_refused_at_once_with_every_credential(api: RunningApi, owner: Account) -> None:
    person = api.register()
    member = joined(api, owner, "editor", person)
    key = api.api_key(member)["key"]
    bot = api.bot(owner, visibility="private")
    path = f"/v1/bots/{bot['id']}/members/{member.user_id}"
    assert api.request("PUT", path, {"permission": "edit"}, token=owner.access_token).status == 200

    assert remove(api, owner, member) == (204, "")

    assert api.request("GET", "/v1/bots", token=member.access_token).status == 401
    assert api.request("GET", "/v1/bots", token=key).status == 401
    assert api.request("POST", "/v1/auth/refresh", {"refresh_token": member.refresh_token}).status == 401
    # What had been granted does not come back with the person.
    again = joined(api, owner, "viewer", person)
    assert api.request("GET", f"/v1/bots/{bot['id']}", token=again.access_token).status == 404
    assert api.request("GET", "/v1/bots", token=key).status == 401
    assert api.request("GET", "/v1/bots", token=member.access_token).status == 401


def test_who_is_in_another_organization_is_no_member(api: RunningApi, owner: Account) -> None:
    stranger = api.register()

    assert change(api, owner, stranger, "viewer") == (404, "not_found")
    assert remove(api, owner, stranger) == (404, "not_found")
    unknown = act(api, owner, "DELETE", f"/members/{uuid4()}")
    assert problem(unknown) == (404, "not_found")
    assert problem(act(api, owner, "DELETE", "/members/x")) == (404, "not_found")


@pytest.mark.parametrize("body", [{}, {"role": "king"}, {"role": None}, {"role": "viewer", "more": 1}])
def test_a_role_is_one_of_four(api: RunningApi, owner: Account, body: object) -> None:
    answer = act(api, owner, "PATCH", f"/members/{owner.user_id}", body)

    assert problem(answer) == (422, "invalid_request")


def test_what_a_former_admin_left_open_is_closed(api: RunningApi, owner: Account) -> None:
    admin = joined(api, owner, "admin")
    token, other = invited(api, admin, "friend@example.com", "admin"), invited(api, owner, "colleague@example.com")
    friend = api.register()

    assert change(api, owner, admin, "editor") == (200, "editor")

    refused = api.request("POST", "/v1/invitations/accept", {"token": token}, token=friend.access_token)
    assert problem(refused) == (404, "invitation_not_valid")
    accepted = api.request("POST", "/v1/invitations/accept", {"token": other}, token=friend.access_token)
    assert accepted.status == 200


def test_what_somebody_who_deletes_their_account_left_open_is_closed(api: RunningApi, owner: Account) -> None:
    admin = joined(api, owner, "admin")
    token = invited(api, admin, f"{uuid4().hex}@example.com", "admin")

    assert api.request("DELETE", "/v1/me", {"password": PASSWORD}, token=admin.access_token).status == 202

    assert act(api, owner, "GET", "/invitations").json["data"] == []
    back = api.request("POST", "/v1/invitations/accept", {"token": token}, token=api.register().access_token)
    assert problem(back) == (404, "invitation_not_valid")


def test_members_come_in_pages_with_what_colleagues_may_know(api: RunningApi, owner: Account) -> None:
    member = joined(api, owner, "viewer")

    first = act(api, member, "GET", "/members", query={"limit": ["1"]}).json
    second = act(api, member, "GET", "/members", query={"limit": ["1"], "cursor": [first["next_cursor"]]}).json

    assert first["data"][0].keys() == {"user_id", "email", "first_name", "last_name", "role", "joined_at"}
    assert [page["data"][0]["email"] for page in (first, second)] == [member.email, owner.email]
    assert (first["has_more"], second["has_more"], second["next_cursor"]) == (True, False, None)


def test_who_belongs_nowhere_any_more_begins_with_an_organization_of_their_own(api: RunningApi) -> None:
    person = api.register(first_name="Ada", last_name="Lovelace")
    successor = joined(api, person, "viewer")
    assert act(api, person, "POST", "/transfer", {"user_id": successor.user_id}).status == 200
    assert remove(api, successor, person) == (204, "")

    login = {"email": person.email, "password": PASSWORD}
    tokens = [api.request("POST", "/v1/auth/login", login).json["access_token"] for _ in range(2)]

    first, again = (api.request("GET", "/v1/organizations", token=token).json["data"] for token in tokens)
    [organization] = first
    assert (organization["name"], organization["role"], organization["is_personal"]) == ("Ada Lovelace", "owner", True)
    assert organization["id"] != person.organization_id
    assert again == first
