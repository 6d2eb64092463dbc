"""Who sees the deletions of bots and documents: nobody learns of a bot that is not shown to them."""

from typing import Any
from uuid import UUID

import pytest

from chatsphere.access.permissions import Role
from chatsphere.access.principal import Principal
from tests.integration.bots.team import Team


def deleted(team: Team, by: Principal, **fields: Any) -> dict[str, Any]:
    """Make a bot and delete it; return its deletion."""
    bot = team.bot(by, **fields)
    answer = team.ask(by, "DELETE", f"/bots/{bot['id']}")
    assert answer.status == 202, answer.text
    found: dict[str, Any] = answer.json["deletion"]
    assert answer.headers["Location"] == f"/v1/deletions/{found['id']}"
    assert (found["bot_id"], found["document_id"], found["status"]) == (bot["id"], None, "running")
    return found


def document_deletion(team: Team, bot: dict[str, Any]) -> str:
    """Note the deletion of a document that a bot had, by its owner."""
    deletion_id = team.api.container.ids.new()
    with team.database.transaction(team.organization_id) as connection:
        connection.execute(
            "INSERT INTO deletions"
            " (id, organization_id, bot_id, document_id, requested_by, reason, status, requested_at)"
            " VALUES (%s, %s, %s, %s, %s, 'api', 'done', now())",
            (deletion_id, team.organization_id, bot["id"], deletion_id, team.owner.user_id),
        )
    return str(deletion_id)


def listed(team: Team, caller: Principal, **query: str) -> list[str]:
    answer = team.ask(caller, "GET", "/deletions", query={name: [value] for name, value in query.items()})
    assert answer.status == 200, answer.text
    return [deletion["id"] for deletion in answer.json["data"]]


@pytest.mark.parametrize("visibility", ["private", "organization", "public"])
def test_a_deleted_bot_is_shown_to_who_deleted_it_and_to_admins(team: Team, visibility: str) -> None:
    editor, colleague = team.members[Role.EDITOR], team.join(Role.EDITOR)
    deletion = deleted(team, editor, visibility=visibility)
    for caller in (editor, team.members[Role.ADMIN], team.owner):
        assert listed(team, caller) == [deletion["id"]]
        assert team.ask(caller, "GET", f"/deletions/{deletion['id']}").json == deletion
    for caller in (colleague, team.members[Role.VIEWER]):
        assert listed(team, caller) == []
        assert team.ask(caller, "GET", f"/deletions/{deletion['id']}").code == "not_found"


def test_deletions_of_documents_are_shown_to_who_sees_the_bot(team: Team) -> None:
    # Given
    shown, private = team.bot(), team.bot(visibility="private")
    of_shown, of_private = document_deletion(team, shown), document_deletion(team, private)
    viewer = team.members[Role.VIEWER]
    # Then
    assert listed(team, viewer) == [of_shown]
    assert team.ask(viewer, "GET", f"/deletions/{of_private}").code == "not_found"
    assert listed(team, viewer, bot_id=private["id"]) == listed(team, viewer, document_id=of_private) == []
    # And with a permission of one's own
    team.grant(private, viewer, "view")
    assert listed(team, viewer) == [of_private, of_shown]
    # And no more when the bot is gone
    assert team.ask(team.owner, "DELETE", f"/bots/{private['id']}").status == 202
    assert listed(team, viewer) == [of_shown]


def test_a_key_for_some_bots_sees_only_their_deletions(team: Team) -> None:
    # Given keys of the owner, who sees everything
    one, other = team.bot(), team.bot()
    of_one, of_other = document_deletion(team, one), document_deletion(team, other)
    key = Principal(team.organization_id, team.owner.user_id, Role.OWNER, bot_ids=frozenset({UUID(one["id"])}))
    # Then
    assert listed(team, key) == [of_one]
    assert team.ask(key, "GET", f"/deletions/{of_other}").code == "not_found"


def test_deletions_are_filtered_and_paged(team: Team) -> None:
    # Given
    bot = team.bot()
    ids = [document_deletion(team, bot) for _ in range(3)]
    running = deleted(team, team.owner)
    # Then
    assert listed(team, team.owner) == [running["id"], *reversed(ids)]
    assert listed(team, team.owner, status="running") == [running["id"]]
    assert listed(team, team.owner, bot_id=bot["id"], status="done") == [*reversed(ids)]
    assert listed(team, team.owner, document_id=ids[0]) == [ids[0]]
    page = team.ask(team.owner, "GET", "/deletions", query={"limit": ["2"]}).json
    assert page["has_more"] is True
    assert listed(team, team.owner, limit="2", cursor=page["next_cursor"]) == [ids[1], ids[0]]


@pytest.mark.parametrize("query", [{"status": "gone"}, {"bot_id": "x"}, {"document_id": "1"}, {"limit": "0"}])
def test_a_filter_that_cannot_be_is_refused(team: Team, query: dict[str, str]) -> None:
    answer = team.ask(team.owner, "GET", "/deletions", query={name: [value] for name, value in query.items()})
    assert (answer.status, answer.code) == (422, "invalid_request")
