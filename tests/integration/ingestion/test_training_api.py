"""Training runs over HTTP, with the queue's real consumer behind it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.builders.running_api import Account, RunningApi, running_api
from tests.fakes import FakeEmbedder, FixedClock, InMemoryObjectStore
from tests.postgres import DatabaseUrls

MINILM = "all-minilm-l6-v2-int8"


@pytest.fixture(scope="module")
def api(database_urls: DatabaseUrls) -> Iterator[RunningApi]:
    with running_api(database_urls, UPLOADS_BUCKET="uploads", AWS_REGION="eu-central-1") as api:
        own = FakeEmbedder(384, model="own")
        vars(api.container).update(
            embedder=own,
            token_counter=own,
            object_store=InMemoryObjectStore(FixedClock()),
            _further_embedders={MINILM: FakeEmbedder(384, model=MINILM)},
        )
        yield api


@pytest.fixture
def owner(api: RunningApi) -> Account:
    return api.register()


@pytest.fixture
def bot(api: RunningApi, owner: Account) -> str:
    bot_id: str = api.bot(owner)["id"]
    body = {"name": "a.txt", "text": "Apples are red."}
    assert api.request("POST", f"/v1/bots/{bot_id}/documents", body, token=owner.access_token).status == 202
    work_off(api)
    return bot_id


def work_off(api: RunningApi) -> None:
    """Deliver what is in the queues to the real functions, until nothing is."""
    from functions.embed_chunks.handler import handler as embed
    from functions.extract_document.handler import handler as extract

    while api.extract_queue.sent or api.embed_queue.sent:
        for queue, handler in ((api.extract_queue, extract), (api.embed_queue, embed)):
            sent, queue.sent = queue.sent[:], []
            vars(api.container).update(extract_queue=api.extract_queue, embed_queue=api.embed_queue)
            for message, _ in sent:
                record = {"messageId": "m", "body": json.dumps(message), "attributes": {}}
                assert handler({"Records": [record]}, None)["batchItemFailures"] == []


def ask(api: RunningApi, owner: Account, method: str, path: str, body: Any = None) -> Any:
    return api.request(method, f"/v1{path}", body, token=owner.access_token)


def reembeddings(api: RunningApi, owner: Account, bot: str) -> list[str]:
    """Return the ids of the bot's runs of this kind."""
    path, query = f"/v1/bots/{bot}/training-runs", {"kind": ["reembed"]}
    return [run["id"] for run in api.request("GET", path, token=owner.access_token, query=query).json["data"]]


def test_the_models_are_listed_with_their_prices(api: RunningApi, owner: Account) -> None:
    (model,) = ask(api, owner, "GET", "/embedding-models").json["data"]

    assert model["calibration"]["source"] == "built_in"
    assert model | {"calibration": None} == {
        "name": MINILM,
        "dimensions": 384,
        "microdollars_per_million_tokens": 0,
        "is_default": True,
        "calibrated": True,
        "calibration": None,
    }


def test_a_dry_run_tells_the_cost_and_begins_nothing(api: RunningApi, owner: Account, bot: str) -> None:
    answer = ask(api, owner, "POST", f"/bots/{bot}/training-runs", {"embedding_model": MINILM, "dry_run": True})

    assert answer.status == 200
    assert answer.json["training_run"] is None
    assert answer.json["estimate"] == {
        "documents": 1,
        "chunks": 1,
        "tokens": 3,
        "batches": 1,
        "cost_microdollars": 0,
        "from_model": "own",
        "to_model": MINILM,
        "memory_messages": None,
        "memory_tokens": None,
    }
    assert reembeddings(api, owner, bot) == []


def test_a_bot_is_embedded_anew(api: RunningApi, owner: Account, bot: str) -> None:
    assert ask(api, owner, "GET", f"/bots/{bot}").json["embedding_model"] == "own"
    begun = ask(api, owner, "POST", f"/bots/{bot}/training-runs", {"embedding_model": MINILM})
    assert (begun.status, begun.json["training_run"]["status"]) == (202, "running")
    path = f"/bots/{bot}/training-runs/{begun.json['training_run']['id']}"
    assert ask(api, owner, "POST", f"/bots/{bot}/training-runs", {"embedding_model": MINILM}).json["code"] == (
        "training_in_progress"
    )

    work_off(api)

    run = ask(api, owner, "GET", path).json
    assert (run["status"], run["done_batches"], run["total_batches"]) == ("succeeded", 1, 1)
    assert run["estimate"] == begun.json["estimate"]
    assert ask(api, owner, "GET", f"/bots/{bot}").json["embedding_model"] == MINILM
    assert ask(api, owner, "POST", f"{path}/cancel").json["code"] == "training_ended"
    assert reembeddings(api, owner, bot) == [run["id"]]


def test_a_run_is_cancelled(api: RunningApi, owner: Account, bot: str) -> None:
    begun = ask(api, owner, "POST", f"/bots/{bot}/training-runs", {"embedding_model": MINILM}).json["training_run"]

    cancelled = ask(api, owner, "POST", f"/bots/{bot}/training-runs/{begun['id']}/cancel")

    assert (cancelled.status, cancelled.json["status"]) == (200, "cancelled")
    work_off(api)
    assert ask(api, owner, "GET", f"/bots/{bot}").json["embedding_model"] == "own"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"embedding_model": "unknown"}, "unknown_embedding_model"),
        ({}, "invalid_request"),
        ({"embedding_model": ""}, "invalid_request"),
        ({"embedding_model": MINILM, "dry_run": "perhaps"}, "invalid_request"),
        ({"embedding_model": MINILM, "more": 1}, "invalid_request"),
    ],
)
def test_what_is_not_valid_is_refused(api: RunningApi, owner: Account, bot: str, body: Any, code: str) -> None:
    answer = ask(api, owner, "POST", f"/bots/{bot}/training-runs", body)

    assert (answer.status, answer.json["code"]) == (422, code)


def test_an_archived_bot_is_left_as_it_is(api: RunningApi, owner: Account, bot: str) -> None:
    assert ask(api, owner, "POST", f"/bots/{bot}/archive").status == 200

    answer = ask(api, owner, "POST", f"/bots/{bot}/training-runs", {"embedding_model": MINILM})

    assert (answer.status, answer.json["code"]) == (409, "bot_archived")
    missing = ask(api, owner, "GET", f"/bots/{bot}/training-runs/{bot}")
    assert (missing.status, missing.json["code"]) == (404, "not_found")
