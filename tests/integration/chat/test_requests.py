import json
from typing import Any
from uuid import uuid4

import pytest

from chatsphere.access.permissions import Scope
from tests.fakes_chat import FakeRetriever, ScriptedModel
from tests.integration.chat.client import ChatClient, MakeClient

BAD_CHAT: list[Any] = [
    {},
    {"message": ""},
    {"message": " \n "},
    {"message": "x" * 8001},
    {"message": 5},
    {"message": None},
    {"message": "a\x00b"},
    {"message": "a\ud800b"},
    {"message": "a", "conversation_id": "not-a-uuid"},
    {"message": "a", "user": ""},
    {"message": "a", "user": "u" * 256},
    {"message": "a", "stream": "maybe"},
    {"message": "a", "metadata": {"nested": {"a": 1}}},
    {"message": "a", "metadata": {f"k{n}": n for n in range(17)}},
    {"message": "a", "metadata": {"k": "v" * 513}},
    {"message": "a", "metadata": {"\x00": "v"}},
    {"message": "a", "filter": {"document_ids": ["x"]}},
    {"message": "a", "filter": {"unknown": 1}},
    {"message": "a", "unknown": 1},
]
BAD_SEARCH: list[Any] = [
    {},
    {"query": " "},
    {"query": "a", "limit": 0},
    {"query": "a", "limit": 51},
    {"query": "a", "mode": "magic"},
]


@pytest.mark.parametrize(("route", "body"), [*(("chat", b) for b in BAD_CHAT), *(("search", b) for b in BAD_SEARCH)])
def test_a_body_that_is_not_valid_is_refused_by_field(client: ChatClient, route: str, body: Any) -> None:
    response = client.post(f"/v1/bots/{client.tenant.bot_id}/{route}", body)
    problem = response.json()
    assert (response.status_code, problem["code"]) == (422, "invalid_request"), problem
    assert response.headers["content-type"] == "application/problem+json"
    assert problem["errors"]
    assert all(error["pointer"].startswith("body/") for error in problem["errors"])
    assert problem["request_id"] == response.headers["x-request-id"] == "request-1"


@pytest.mark.parametrize(
    ("content", "content_type", "status", "code"),
    [
        (b"", "application/json", 422, "invalid_request"),
        (b'{"message": "a", "metadata": {"n": 1e999}}', "application/json", 422, "invalid_request"),
        (b"{", "application/json", 400, "malformed_body"),
        (b"[]", "application/json", 422, "invalid_request"),
        (b'"text"', "application/json", 422, "invalid_request"),
        (b'{"message": NaN}', "application/json", 400, "malformed_body"),
        (b"\xff\xfe", "application/json", 400, "malformed_body"),
        (b'{"message": ' + b"[" * 5000 + b"]" * 5000 + b"}", "application/json", 400, "malformed_body"),
        (b"message=hi", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
        (b'{"message": "hi"}', "text/plain", 415, "unsupported_media_type"),
        (json.dumps({"message": "x" * 1024 * 1024}).encode(), "application/json", 413, "payload_too_large"),
    ],
    ids=lambda value: str(value)[:30],
)
@pytest.mark.parametrize("route", ["chat", "search"])
def test_a_body_that_is_no_json_object_is_refused(
    client: ChatClient, route: str, content: bytes, content_type: str, status: int, code: str
) -> None:
    response = client.post(
        f"/v1/bots/{client.tenant.bot_id}/{route}", content=content, headers={"content-type": content_type}
    )
    assert (response.status_code, response.json()["code"]) == (status, code)


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON"])
def test_any_spelling_of_the_media_type_will_do(client: ChatClient, content_type: str) -> None:
    response = client.post(
        f"/v1/bots/{client.tenant.bot_id}/search", {"query": "a"}, headers={"content-type": content_type}
    )
    assert response.status_code == 200


@pytest.mark.parametrize("route", ["chat", "search"])
def test_without_the_authorizers_context_nobody_is_known(client: ChatClient, route: str) -> None:
    contexts = ["", "no json", "null", "[]", "{}", '{"authorizer": null}', '{"authorizer": {"organization_id": "x"}}']
    for context in contexts:
        response = client.post(
            f"/v1/bots/{client.tenant.bot_id}/{route}", {"message": "a"}, headers={"x-amzn-request-context": context}
        )
        assert (response.status_code, response.json()["code"]) == (401, "unauthorized"), context
        assert response.headers["www-authenticate"] == "Bearer"
        assert response.headers["x-request-id"] == response.json()["request_id"]


@pytest.mark.parametrize("route", ["chat", "search"])
def test_a_key_without_the_scope_may_not(make_client: MakeClient, route: str) -> None:
    client = make_client(scopes=frozenset({Scope.BOTS_READ}))
    response = client.post(f"/v1/bots/{client.tenant.bot_id}/{route}", {"message": "a"})
    assert (response.status_code, response.json()["code"]) == (403, "insufficient_scope")


@pytest.mark.parametrize("bot", ["01970000-0000-7000-8000-0000000000ff", "not-a-uuid", "%20", "1"])
def test_a_bot_that_is_not_there_is_not_found(client: ChatClient, bot: str) -> None:
    for route, body in (("chat", {"message": "a"}), ("search", {"query": "a"})):
        response = client.post(f"/v1/bots/{bot}/{route}", body)
        assert (response.status_code, response.json()["code"]) == (404, "not_found")
        assert response.json()["detail"] == "There is no such bot."


def test_an_unknown_route_is_a_problem_too(client: ChatClient) -> None:
    response = client.post("/v1/nothing", {})
    assert (response.status_code, response.json()["code"]) == (404, "not_found")
    assert response.headers["x-request-id"] == "request-1"


def test_an_internal_error_keeps_its_words_to_itself(client: ChatClient, model: ScriptedModel) -> None:
    model.error = RuntimeError("vendor secret")
    response = client.chat()
    assert (response.status_code, response.json()["code"]) == (500, "internal_error")
    assert "vendor" not in response.text


def test_search_returns_what_chat_retrieves(client: ChatClient, retriever: FakeRetriever) -> None:
    document = uuid4()
    response = client.search("price", limit=3, filter={"document_ids": [str(document)]})
    (hit,) = response.json()["data"]
    assert response.json()["confidence"] == 0.9
    assert hit.keys() == {
        *("chunk_id", "document_id", "document_name", "content", "page_start", "page_end", "char_start", "char_end"),
        *("heading", "score", "scores", "also_in", "explanation"),
    }
    assert hit["scores"] == {"dense": 0.7, "lexical": 3.0, "fused": 0.8}
    assert client.search("price", mode="lexical").json()["confidence"] is None
    assert [limit for *_, limit, _, _ in retriever.queries] == [3, 8]
