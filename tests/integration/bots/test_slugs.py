"""Slugs: the names under which clients ask for a bot."""

from typing import Any

import pytest

from tests.builders.running_api import Account, RunningApi


@pytest.fixture
def account(api: RunningApi) -> Account:
    return api.register()


def patch(api: RunningApi, account: Account, bot: dict[str, Any], **fields: Any) -> Any:
    return api.request("PATCH", f"/v1/bots/{bot['id']}", fields, token=account.access_token)


def test_bots_of_one_name_have_slugs_of_their_own(api: RunningApi, account: Account) -> None:
    first, second = api.bot(account, name="Help & Co."), api.bot(account, name="Help Co")

    assert first["slug"] == "help-co"
    assert second["slug"] == f"help-co-{second['id'][-12:]}"
    assert api.bot(api.register(), name="Help Co")["slug"] == "help-co"


def test_a_slug_is_given_once(api: RunningApi, account: Account) -> None:
    first, second = api.bot(account, slug="support"), api.bot(account)

    made = api.request("POST", "/v1/bots", {"name": "x", "slug": "support"}, token=account.access_token)
    changed = patch(api, account, second, slug="support")

    assert [(made.status, made.code), (changed.status, changed.code)] == [(409, "slug_taken")] * 2
    assert patch(api, account, first, slug="help").json["slug"] == "help"
    assert patch(api, account, second, slug="support").json["slug"] == "support"


def test_a_slug_is_no_part_of_a_version_and_stays_when_the_name_changes(api: RunningApi, account: Account) -> None:
    bot = api.bot(account, name="Helper")

    renamed = patch(api, account, bot, name="Other").json
    moved = patch(api, account, bot, slug="moved").json
    back = api.request("POST", f"/v1/bots/{bot['id']}/rollback", {"version": 1}, token=account.access_token).json

    assert (renamed["slug"], renamed["version"]) == ("helper", 2)
    assert (moved["slug"], moved["version"]) == ("moved", 2)
    assert (back["name"], back["slug"]) == ("Helper", "moved")


def test_a_deleted_bots_slug_is_free_at_once(api: RunningApi, account: Account) -> None:
    bot = api.bot(account, name="Helper")
    assert api.request("DELETE", f"/v1/bots/{bot['id']}", token=account.access_token).status == 202

    assert api.bot(account, name="Helper")["slug"] == "helper"
