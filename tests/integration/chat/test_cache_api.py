"""The routes of a bot's cache."""

from collections.abc import Iterator
from uuid import UUID

import pytest

from chatsphere.chat.cache import counting
from chatsphere.chat.draft import CacheUse
from chatsphere.chat.events import Usage
from chatsphere.db.database import Database
from tests.builders.running_api import Account, RunningApi, running_api
from tests.postgres import DatabaseUrls


@pytest.fixture(scope="module")
def api(database_urls: DatabaseUrls) -> Iterator[RunningApi]:
    with running_api(database_urls) as api:
        yield api


@pytest.fixture(scope="module")
def account(api: RunningApi) -> Account:
    return api.register()


def test_it_tells_what_it_did(api: RunningApi, account: Account, database: Database) -> None:
    # Given
    bot_id = api.bot(account)["id"]
    path, token = f"/v1/bots/{bot_id}/cache", account.access_token
    before = api.request("GET", path, token=token)
    # When
    organization, now = UUID(account.organization_id), api.clock.now()
    with database.transaction(organization) as connection:
        for saved in (None, Usage(cost_microdollars=5), Usage(cost_microdollars=7), Usage()):
            row = counting.count_row(organization, UUID(bot_id), CacheUse(b"", saved), now)
            connection.execute(counting.COUNT, row)
    # Then
    nothing = {"hits": 0, "misses": 0, "hit_rate": None, "saved_microdollars": 0, "since": None}
    assert before.json == {"enabled": True, "entries": 0, **nothing}
    assert api.request("GET", path, token=token).json == {
        "enabled": True,
        "entries": 0,
        "hits": 3,
        "misses": 1,
        "hit_rate": 0.75,
        "saved_microdollars": 12,
        "since": now.date().isoformat(),
    }


def test_a_bot_without_one_says_so(api: RunningApi, account: Account) -> None:
    bot_id = api.bot(account, configuration={"cache": False})["id"]
    assert api.request("GET", f"/v1/bots/{bot_id}/cache", token=account.access_token).json["enabled"] is False


@pytest.mark.parametrize(("cache", "enabled", "entries"), [("off", False, 0), ("redis", True, None)])
def test_the_deployment_has_a_say(database_urls: DatabaseUrls, cache: str, enabled: bool, entries: int | None) -> None:
    with running_api(database_urls, CACHE=cache) as api:
        account = api.register()
        path = f"/v1/bots/{api.bot(account)['id']}/cache"
        body = api.request("GET", path, token=account.access_token).json
    assert (body["enabled"], body["entries"]) == (enabled, entries)


def test_clearing_it_is_in_the_audit_log(api: RunningApi, account: Account, database: Database) -> None:
    bot_id = api.bot(account)["id"]
    assert api.request("DELETE", f"/v1/bots/{bot_id}/cache", token=account.access_token).status == 204
    with database.transaction(UUID(account.organization_id)) as connection:
        (entry,) = connection.execute(
            "SELECT actor_user_id FROM audit_log WHERE action = 'cache.cleared' AND object_id = %s", (bot_id,)
        ).fetchall()
    assert str(entry["actor_user_id"]) == account.user_id
