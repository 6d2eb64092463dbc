"""Two organizations in the running product: nothing of the one is searched, cited or continued by the other.

Every route by every caller is tried in tests/integration/matrix.
"""

from typing import Any

import pytest

from tests.e2e.client import Client
from tests.waiting import wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]


@pytest.fixture(scope="module")
def victim(endpoints: dict[str, Any]) -> dict[str, str]:
    """A document and a conversation of somebody else's, by the names of their ids."""
    client = Client.registered(endpoints["api"])
    bot_id = client.bot()["id"]
    document_id = client.text(bot_id, "secret.txt", "The vault code of the Falcon building is 7731.")
    wait_for(lambda: client.document(bot_id, document_id)["status"] == "ready", what="the document")
    conversation_id = client.chat(bot_id, "What is the vault code?")["conversation_id"]
    return {"document_id": document_id, "conversation_id": conversation_id}


def test_a_strangers_conversation_cannot_be_continued(endpoints: dict[str, Any], victim: dict[str, str]) -> None:
    stranger = Client.registered(endpoints["api"])
    answer = stranger.http.post(
        f"/v1/bots/{stranger.bot()['id']}/chat",
        json={"message": "What did they say?", "conversation_id": victim["conversation_id"]},
    )
    assert answer.status_code == 404


def test_lists_and_answers_hold_nothing_of_a_stranger(endpoints: dict[str, Any], victim: dict[str, str]) -> None:
    stranger = Client.registered(endpoints["api"])
    bot_id = stranger.bot()["id"]
    mine = stranger.text(bot_id, "mine.txt", "The vault of the Heron building is in the cellar.")
    wait_for(lambda: stranger.document(bot_id, mine)["status"] == "ready", what="the document")
    assert [bot["id"] for bot in stranger.http.get("/v1/bots").json()["data"]] == [bot_id]
    assert stranger.http.get("/v1/api-keys").json()["data"] == []
    for body in ({"query": "vault code 7731"}, {"query": "vault", "filter": {"document_ids": [victim["document_id"]]}}):
        hits = stranger.http.post(f"/v1/bots/{bot_id}/search", json=body).json()["data"]
        assert {hit["document_id"] for hit in hits} <= {mine}
    assert "7731" not in stranger.chat(bot_id, "What is the vault code of the Falcon building?")["answer"]
