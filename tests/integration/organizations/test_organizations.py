from typing import Any

import pytest

from tests.builders.invitations import joined
from tests.builders.running_api import Account, RunningApi, running_api
from tests.integration.organizations.acting import act, problem
from tests.postgres import DatabaseUrls


def mine(api: RunningApi, token: str, **query: list[str]) -> Any:
    answer = api.request("GET", "/v1/organizations", token=token, query=query)
    assert answer.status == 200, answer.text
    return answer.json


def test_who_registers_owns_an_organization_of_their_own(api: RunningApi) -> None:
    owner = api.register(first_name="Ada", last_name="Lovelace")

    [organization] = mine(api, owner.access_token)["data"]

    assert (organization["id"], organization["name"]) == (owner.organization_id, "Ada Lovelace")
    assert (organization["role"], organization["is_personal"], organization["plan"]) == ("owner", True, "Pro")
    assert act(api, owner, "GET").json == organization


def test_who_makes_an_organization_owns_it(api: RunningApi, owner: Account) -> None:
    answer = api.request("POST", "/v1/organizations", {"name": " Acme "}, token=owner.access_token)

    assert answer.status == 201
    made = answer.json
    assert (made["name"], made["role"], made["is_personal"], made["plan"]) == ("Acme", "owner", False, "Pro")
    assert [one["id"] for one in mine(api, owner.access_token)["data"]] == [made["id"], owner.organization_id]


def test_one_person_owns_so_many_organizations(database_urls: DatabaseUrls) -> None:
    with running_api(database_urls, ORGANIZATIONS_PER_PERSON="2") as api:
        owner = api.register()
        answers = [api.request("POST", "/v1/organizations", {"name": name}, token=owner.access_token) for name in "AB"]
        assert [answer.status for answer in answers] == [201, 402]
        assert answers[1].code == "quota_exceeded"
        assert len(mine(api, owner.access_token)["data"]) == 2


def test_organizations_come_in_pages(api: RunningApi, owner: Account) -> None:
    for name in "AB":
        api.request("POST", "/v1/organizations", {"name": name}, token=owner.access_token)

    first = mine(api, owner.access_token, limit=["2"])
    second = mine(api, owner.access_token, limit=["2"], cursor=[first["next_cursor"]])

    assert [one["name"] for one in first["data"]] == ["B", "A"]
    assert ([one["id"] for one in second["data"]], second["has_more"]) == ([owner.organization_id], False)


def test_a_key_sees_the_organization_that_it_is_of_and_makes_none(api: RunningApi, owner: Account) -> None:
    api.request("POST", "/v1/organizations", {"name": "Acme"}, token=owner.access_token)
    key = api.api_key(owner)["key"]

    assert [one["id"] for one in mine(api, key)["data"]] == [owner.organization_id]
    assert problem(api.request("POST", "/v1/organizations", {"name": "X"}, token=key)) == (403, "forbidden")


def test_an_admin_renames_the_organization_and_an_editor_does_not(api: RunningApi, owner: Account) -> None:
    admin, editor = joined(api, owner, "admin"), joined(api, owner, "editor")

    assert problem(act(api, editor, "PATCH", "", {"name": "Mine"})) == (403, "insufficient_role")
    renamed = act(api, admin, "PATCH", "", {"name": "Ours"})

    assert (renamed.status, renamed.json["name"], renamed.json["role"]) == (200, "Ours", "admin")
    assert act(api, editor, "GET").json["name"] == "Ours"


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, None, 7, "a\x00b"])
def test_a_name_is_some_text(api: RunningApi, owner: Account, name: Any) -> None:
    assert problem(act(api, owner, "PATCH", "", {"name": name})) == (422, "invalid_request")
    made = api.request("POST", "/v1/organizations", {"name": name}, token=owner.access_token)
    assert problem(made) == (422, "invalid_request")


def test_another_organization_does_not_exist_for_oneself(api: RunningApi, owner: Account) -> None:
    stranger = api.register()
    there = Account(
        stranger.email, stranger.access_token, stranger.refresh_token, stranger.user_id, owner.organization_id
    )

    for method, path, body in (
        ("GET", "", None),
        ("PATCH", "", {"name": "Mine"}),
        ("GET", "/members", None),
        ("GET", "/invitations", None),
        ("POST", "/invitations", {"email": "a@example.com"}),
        ("POST", "/leave", None),
        ("POST", "/transfer", {"user_id": stranger.user_id}),
        ("PATCH", f"/members/{owner.user_id}", {"role": "viewer"}),
        ("DELETE", f"/members/{owner.user_id}", None),
    ):
        assert problem(act(api, there, method, path, body)) == (404, "not_found"), (method, path)
