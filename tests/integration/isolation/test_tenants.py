"""Two organizations: what a list, a cursor or a body could give away. Each object by its path: see ../matrix."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from tests.builders.running_api import Account, RunningApi


@dataclass(frozen=True)
class Owner:
    """Somebody with one object of each kind."""

    account: Account
    bot: dict[str, Any]
    key: dict[str, Any]

    def state(self, api: RunningApi) -> list[Any]:
        """All that others might have changed."""
        paths = ["/v1/me", "/v1/bots", "/v1/api-keys"]
        return [api.request("GET", path, token=self.account.access_token).json for path in paths]


@pytest.fixture
def owner(api: RunningApi) -> Owner:
    account = api.register()
    return Owner(account, api.bot(account), api.api_key(account))


@pytest.fixture(params=["a person", "a key"])
def stranger(api: RunningApi, request: pytest.FixtureRequest) -> str:
    """The credential of another organization's person or key, with every scope."""
    account = api.register()
    if request.param == "a person":
        return account.access_token
    return str(api.api_key(account, scopes=["bots:read", "bots:write", "api_keys"])["key"])


def test_lists_hold_ones_own_and_nothing_else(api: RunningApi, owner: Owner) -> None:
    other = api.register()
    bot, key = api.bot(other), api.api_key(other)

    bots = api.request("GET", "/v1/bots", token=other.access_token, query={"limit": ["100"]}).json["data"]
    keys = api.request("GET", "/v1/api-keys", token=other.access_token, query={"limit": ["100"]}).json["data"]

    assert [shown["id"] for shown in bots] == [bot["id"]]
    assert [shown["id"] for shown in keys] == [key["id"]]


def test_a_cursor_of_another_organization_opens_nothing(api: RunningApi, owner: Owner) -> None:
    api.bot(owner.account)
    query = {"limit": ["1"]}
    cursor = api.request("GET", "/v1/bots", token=owner.account.access_token, query=query).json["next_cursor"]
    stranger = api.register()

    page = api.request("GET", "/v1/bots", token=stranger.access_token, query={"cursor": [cursor]}).json

    assert page["data"] == []


def test_one_sees_oneself_and_ones_own_organization(api: RunningApi, owner: Owner) -> None:
    other = api.register()

    me = api.request("GET", "/v1/me", token=other.access_token).json

    assert (me["user"]["id"], me["organization"]["id"]) == (other.user_id, other.organization_id)
    assert owner.account.organization_id not in str(me)


def test_a_key_cannot_name_another_organizations_bot(api: RunningApi, owner: Owner, stranger: str) -> None:
    def refusal(bot_id: str) -> str:
        answer = api.request(
            "POST", "/v1/api-keys", {"name": "x", "scopes": ["bots:read"], "bot_ids": [bot_id]}, token=stranger
        )
        assert answer.status == 422
        return str(answer.json["errors"]).replace(bot_id, "")

    assert refusal(owner.bot["id"]) == refusal(str(uuid4()))


def test_changing_ones_own_name_changes_nobody_elses(api: RunningApi, owner: Owner) -> None:
    before = owner.state(api)

    api.request("PATCH", "/v1/me", {"first_name": "Eve", "last_name": "X"}, token=api.register().access_token)

    assert owner.state(api) == before
