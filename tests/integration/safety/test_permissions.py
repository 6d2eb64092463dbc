"""What is taken back is taken back with the next question, also where the answer is in the cache."""

from collections.abc import Callable
from uuid import UUID

import pytest

from chatsphere.access.permissions import Role
from chatsphere.access.principal import Principal
from tests.builders.running_api import Answer
from tests.integration.safety.house import House, everything_in

SECRET = "The vault opens with the word xylophone."
QUESTION = "With which word does the vault open?"
Ask = Callable[[], Answer]


def chatting(house: House, **fields: object) -> Ask:
    path = f"/bots/{house.bot_id}/chat"
    return lambda: house.ask("POST", path, {"message": QUESTION}, **fields)


def key_revoked(house: House) -> tuple[Ask, Callable[[], Answer]]:
    key = house.api.api_key(house.owner)
    return chatting(house, token=key["key"]), lambda: house.ask("DELETE", f"/api-keys/{key['id']}")


def key_limited(house: House) -> tuple[Ask, Callable[[], Answer]]:
    key, other = house.api.api_key(house.owner), house.another_bot()
    change = {"bot_ids": [other.bot_id]}
    return chatting(house, token=key["key"]), lambda: house.ask("PATCH", f"/api-keys/{key['id']}", change)


def bot_made_private(house: House) -> tuple[Ask, Callable[[], Answer]]:
    member = member_of(house)
    return chatting(house, caller=member), lambda: house.ask(
        "PATCH", f"/bots/{house.bot_id}", {"visibility": "private"}
    )


def grant_taken_back(house: House) -> tuple[Ask, Callable[[], Answer]]:
    house.changed(visibility="private")
    member = member_of(house)
    path = f"/bots/{house.bot_id}/members/{member.user_id}"
    granted = house.ask("PUT", path, {"permission": "view"})
    assert granted.status == 200, granted.text
    return chatting(house, caller=member), lambda: house.ask("DELETE", path)


def bot_switched_off(house: House) -> tuple[Ask, Callable[[], Answer]]:
    return chatting(house), lambda: house.ask("PATCH", f"/bots/{house.bot_id}", {"is_active": False})


def publication_taken_back(house: House) -> tuple[Ask, Callable[[], Answer]]:
    house.changed(visibility="public")
    path = f"/public/bots/{house.bot_id}/chat"

    def ask() -> Answer:
        return house.ask("POST", path, {"message": QUESTION}, token=None)

    return ask, lambda: house.ask("PATCH", f"/bots/{house.bot_id}", {"visibility": "organization"})


def member_of(house: House) -> Principal:
    """Let somebody join as editor."""
    account = house.api.register()
    organization = house.owner.organization_id
    with house.api.container.database.transaction(house.pipeline.tenant.organization_id) as connection:
        connection.execute(
            "INSERT INTO memberships (organization_id, user_id, role) VALUES (%s, %s, 'editor')",
            (organization, account.user_id),
        )
    return Principal(house.pipeline.tenant.organization_id, UUID(account.user_id), Role.EDITOR)


@pytest.mark.parametrize(
    "right",
    [key_revoked, key_limited, bot_made_private, grant_taken_back, bot_switched_off, publication_taken_back],
)
def test_a_right_ends_at_once(house: House, right: Callable[[House], tuple[Ask, Callable[[], Answer]]]) -> None:
    house.learns("vault.txt", SECRET)
    ask, take_back = right(house)
    for _ in range(2):
        assert "xylophone" in ask().text

    assert take_back().status in (200, 204)

    refused = ask()
    assert refused.status in (401, 404, 409)
    assert "xylophone" not in refused.text


def test_a_changed_tag_changes_what_a_filter_finds_at_once(house: House) -> None:
    path = f"/bots/{house.bot_id}/documents/{house.learns('vault.txt', SECRET)}"
    house.ask("PATCH", path, {"tags": ["staff"]})
    house.learns("plans.txt", "The Falcon plan costs 49 EUR a month.")
    staff = {"tags": ["staff"]}
    assert house.chat(QUESTION, filter=staff)["answerable"]
    assert house.chat(QUESTION, filter=staff)["cached"]

    house.ask("PATCH", path, {"tags": ["board"]})

    answer = house.chat(QUESTION, filter=staff)
    assert (answer["sources"], answer["reason"]) == ([], "no_relevant_passage")
    found = house.ask("POST", f"/bots/{house.bot_id}/search", {"query": QUESTION, "filter": staff}).json
    assert "xylophone" not in everything_in(answer, found)
