"""Two organizations: nothing of the one can be seen, searched, cited, changed or deleted by the other."""

from typing import Any

import pytest

from infra.catalog import FUNCTIONS, HttpTrigger, Route
from tests.e2e.client import Client
from tests.waiting import wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]

OBJECT_ROUTES = [
    route
    for function in FUNCTIONS
    if isinstance(function.trigger, HttpTrigger)
    for route in function.trigger.routes
    if "{" in route.path
]

BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("PATCH", "/v1/bots/{bot_id}"): {"name": "Taken over"},
    ("POST", "/v1/bots/{bot_id}/documents"): {"name": "a.txt", "text": "Planted text."},
    ("POST", "/v1/bots/{bot_id}/chat"): {"message": "What is the vault code?"},
    ("POST", "/v1/bots/{bot_id}/search"): {"query": "vault code"},
}


@pytest.fixture(scope="module")
def victim(endpoints: dict[str, Any]) -> tuple[Client, dict[str, str]]:
    """An organization with one object of each kind, and their ids by path parameter."""
    client = Client.registered(endpoints["api"])
    bot_id = client.bot()["id"]
    document_id = client.text(bot_id, "secret.txt", "The vault code of the Falcon building is 7731.")
    wait_for(lambda: client.document(bot_id, document_id)["status"] == "ready", what="the document")
    conversation_id = client.chat(bot_id, "What is the vault code?")["conversation_id"]
    key = client.http.post("/v1/api-keys", json={"name": "mine"}).json()
    return client, {
        "bot_id": bot_id,
        "document_id": document_id,
        "conversation_id": conversation_id,
        "api_key_id": key["id"],
    }


def test_every_route_with_an_object_is_a_404_for_a_stranger(
    endpoints: dict[str, Any], victim: tuple[Client, dict[str, str]]
) -> None:
    owner, ids = victim
    stranger = Client.registered(endpoints["api"])
    own_bot = stranger.bot()["id"]
    before = _state(owner, ids)
    tried = 0
    for route in OBJECT_ROUTES:
        # The other tenant's object directly, and below a bot of one's own.
        for values in (ids, {**ids, "bot_id": own_bot}):
            if values["bot_id"] == own_bot and route.path.count("{") < 2:
                continue
            answer = _call(stranger, route, values)
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), (route, answer.text)
            tried += 1
    assert tried > len(OBJECT_ROUTES)
    assert _state(owner, ids) == before


def test_a_missing_object_and_a_strangers_look_the_same(
    endpoints: dict[str, Any], victim: tuple[Client, dict[str, str]]
) -> None:
    _, ids = victim
    stranger = Client.registered(endpoints["api"])
    missing = dict.fromkeys(ids, "01970000-0000-7000-8000-0000000000ff")
    for route in OBJECT_ROUTES:
        theirs, nobodys = _call(stranger, route, ids).json(), _call(stranger, route, missing).json()
        theirs.pop("request_id"), nobodys.pop("request_id")
        assert theirs == nobodys, route


def test_a_strangers_conversation_cannot_be_continued(
    endpoints: dict[str, Any], victim: tuple[Client, dict[str, str]]
) -> None:
    _, ids = victim
    stranger = Client.registered(endpoints["api"])
    answer = stranger.http.post(
        f"/v1/bots/{stranger.bot()['id']}/chat",
        json={"message": "What did they say?", "conversation_id": ids["conversation_id"]},
    )
    assert answer.status_code == 404


def test_lists_and_answers_hold_nothing_of_a_stranger(
    endpoints: dict[str, Any], victim: tuple[Client, dict[str, str]]
) -> None:
    _, ids = victim
    stranger = Client.registered(endpoints["api"])
    bot_id = stranger.bot()["id"]
    mine = stranger.text(bot_id, "mine.txt", "The vault of the Heron building is in the cellar.")
    wait_for(lambda: stranger.document(bot_id, mine)["status"] == "ready", what="the document")
    assert [bot["id"] for bot in stranger.http.get("/v1/bots").json()["data"]] == [bot_id]
    assert stranger.http.get("/v1/api-keys").json()["data"] == []
    for body in ({"query": "vault code 7731"}, {"query": "vault", "filter": {"document_ids": [ids["document_id"]]}}):
        hits = stranger.http.post(f"/v1/bots/{bot_id}/search", json=body).json()["data"]
        assert {hit["document_id"] for hit in hits} <= {mine}
    assert "7731" not in stranger.chat(bot_id, "What is the vault code of the Falcon building?")["answer"]


def _call(client: Client, route: Route, values: dict[str, str]) -> Any:
    return client.http.request(route.method, route.path.format(**values), json=BODIES.get((route.method, route.path)))


def _state(owner: Client, ids: dict[str, str]) -> list[Any]:
    """Everything of the owner's that a stranger could have changed."""
    bot = f"/v1/bots/{ids['bot_id']}"
    paths = [
        bot,
        f"{bot}/documents",
        f"{bot}/documents/{ids['document_id']}/chunks",
        f"/v1/conversations/{ids['conversation_id']}/messages",
        "/v1/api-keys",
    ]
    answers = [owner.http.get(path).json() for path in paths]
    for key in answers[-1]["data"]:
        key.pop("last_used_at", None)
    return answers
