"""The copy of everything that is held on a person."""

import json
from typing import Any

from tests.builders.running_api import PASSWORD, Account
from tests.integration.privacy.world import World


def export(world: World, account: Account, **query: object) -> Any:
    asked = {name: [str(value)] for name, value in query.items()}
    answer = world.api.request("GET", "/v1/me/export", token=account.access_token, query=asked)
    assert answer.status == 200, answer.text
    return answer.json


def test_the_copy_holds_everything_and_no_secret(world: World) -> None:
    # Given a person in two organizations
    person, owner = world.api.register(first_name="Ada"), world.api.register()
    bot_id = world.fill(person)
    world.join(person, owner, "viewer")
    # When
    copy = export(world, person, limit=1000)
    # Then
    assert copy["profile"]["email"] == person.email
    assert copy["profile"]["first_name"] == "Ada"
    sections = copy["sections"]
    assert {row["organization_id"] for row in sections["memberships"]} == {
        person.organization_id, owner.organization_id
    }  # fmt: skip
    assert [row["name"] for row in sections["api_keys"]] == ["key"]
    assert bot_id in {row["id"] for row in sections["bots"]}
    assert len(sections["sessions"]) == 1
    records = [
        (row["kind"], row["record"].get("action") or row["record"]["metric"]) for row in copy["activity"]["data"]
    ]
    assert {("audit", "bot.created"), ("audit", "session.created"), ("usage", "chat.answer")} <= set(records)
    assert ("audit", "membership.created") in records
    text = json.dumps(copy)
    assert [word for word in (PASSWORD, "argon2", "secret_hash", "password_hash", "mfa_secret") if word in text] == []
    # And that it was taken is noted in both organizations
    noted = world.admin.execute(
        "SELECT organization_id::text FROM audit_log WHERE action = 'user.exported' AND actor_user_id = %s",
        (person.user_id,),
    ).fetchall()
    assert {row[0] for row in noted} == {person.organization_id, owner.organization_id}


def test_parts_follow_each_other(world: World) -> None:
    # Given
    person = world.api.register()
    world.fill(person)
    export(world, person)
    whole = export(world, person, limit=1000)["activity"]["data"]
    # When
    part = export(world, person, limit=5)
    seen = part["activity"]["data"]
    while part["activity"]["has_more"]:
        part = export(world, person, limit=5, cursor=part["activity"]["next_cursor"])
        assert (part["profile"], part["sections"]) == (None, None)
        seen += part["activity"]["data"]
    # Then each record once; the first part has itself been noted since
    assert len(whole) == 10
    assert seen[1:] == whole


def test_nobody_else_is_in_it_and_no_key_gets_it(world: World) -> None:
    # Given two people in one organization
    person, colleague = world.api.register(), world.api.register()
    world.fill(person)
    world.join(colleague, person)
    # When
    copy = export(world, colleague, limit=1000)
    # Then
    assert person.email not in json.dumps(copy)
    assert {row["record"]["actor_user_id"] for row in copy["activity"]["data"]} <= {colleague.user_id, None}
    assert copy["sections"]["bots"] == copy["sections"]["api_keys"] == []
    key = world.api.api_key(person)
    answer = world.api.request("GET", "/v1/me/export", token=key["key"])
    assert (answer.status, answer.code) == (403, "forbidden")


def test_of_an_organization_that_one_has_left_it_holds_no_content(world: World) -> None:
    # Given somebody who made a bot for an organization, and left it
    person, owner = world.api.register(), world.api.register()
    world.join(person, owner)
    body = {"organization_id": owner.organization_id}
    there = world.api.request("POST", "/v1/auth/switch", body, token=person.access_token).json["access_token"]
    bot = world.api.request("POST", "/v1/bots", {"name": "Plan of the owner"}, token=there).json
    assert "Plan of the owner" in json.dumps(export(world, person, limit=1000))
    path = f"/v1/organizations/{owner.organization_id}/leave"
    assert world.api.request("POST", path, token=there).status == 204
    # When
    copy = export(world, person, limit=1000)
    # Then
    assert "Plan of the owner" not in json.dumps(copy)
    assert bot["id"] in {row["id"] for row in copy["sections"]["bots"]}
    assert "bot.created" in {row["record"].get("action") for row in copy["activity"]["data"]}
