"""The history and the status over HTTP."""

from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest

from chatsphere.adapters.system import UuidV7Ids
from chatsphere.db.database import Database
from tests.builders.running_api import Account, Answer, RunningApi, running_api
from tests.postgres import DatabaseUrls


@pytest.fixture
def api(database_urls: DatabaseUrls) -> Iterator[RunningApi]:
    with running_api(database_urls, DEFAULT_PLAN="Pro") as api:
        yield api


@pytest.fixture
def account(api: RunningApi) -> Account:
    return api.register()


@pytest.fixture
def bot_id(api: RunningApi, account: Account) -> str:
    return str(api.bot(account)["id"])


@pytest.fixture
def document_id(database: Database, ids: UuidV7Ids, account: Account, bot_id: str) -> str:
    """A document that failed twice and is being embedded now."""
    document_id = str(ids.new())
    steps = [
        "status = 'extracting', attempts = 1, updated_at = '2026-01-01T00:00:02Z'",
        "status = 'failed', error_code = 'corrupt', retryable = false, updated_at = '2026-01-01T00:00:05.5Z'",
        "status = 'registered', generation = 2, error_code = NULL, updated_at = '2026-01-02T00:00:00Z'",
        "status = 'embedding', stage = 'embed', expected_batches = 4, updated_at = '2026-01-02T00:00:01Z'",
    ]
    with database.transaction(UUID(account.organization_id)) as connection:
        connection.execute(
            "INSERT INTO documents (id, organization_id, bot_id, name, source, status, stage, generation, updated_at)"
            " VALUES (%s, app.current_organization(), %s, 'a.txt', 'text', 'registered', 'extract', 1,"
            " '2026-01-01T00:00:00Z')",
            (document_id, bot_id),
        )
        for step in steps:
            connection.execute(f"UPDATE documents SET {step}".encode())
        connection.execute(
            "INSERT INTO embedding_batches (organization_id, document_id, generation, batch, model)"
            " VALUES (app.current_organization(), %s, 2, 0, 'm')",
            (document_id,),
        )
    return document_id


def get(api: RunningApi, account: Account, path: str, **query: str) -> Answer:
    return api.request("GET", path, token=account.access_token, query={name: [value] for name, value in query.items()})


def test_a_documents_history_is_paged_newest_first(
    api: RunningApi, account: Account, bot_id: str, document_id: str
) -> None:
    path = f"/v1/bots/{bot_id}/documents/{document_id}/history"
    first = get(api, account, path, limit="1").json
    second = get(api, account, path, limit="1", cursor=first["next_cursor"]).json

    (under_way,), (failed,) = first["data"], second["data"]
    assert (first["has_more"], second["has_more"]) == (True, False)
    assert (under_way["outcome"], under_way["stage"], under_way["finished_at"]) == (None, "embed", None)
    assert under_way["seconds"] == {
        "upload": 0.0,
        "scan": None,
        "queue": 1.0,
        "extract": None,
        "embed": None,
        "total": None,
    }
    assert (failed["generation"], failed["outcome"], failed["error_code"], failed["retryable"]) == (
        1,
        "failed",
        "corrupt",
        False,
    )
    assert (failed["seconds"]["queue"], failed["seconds"]["extract"], failed["seconds"]["total"]) == (2.0, 3.5, 5.5)
    assert (failed["attempts"], failed["cost_microdollars"]) == (1, 0)
    assert failed["requested_at"] == "2026-01-01T00:00:00Z"


def test_the_status_tells_what_is_under_way_and_how_far(
    api: RunningApi, account: Account, bot_id: str, document_id: str
) -> None:
    body = get(api, account, f"/v1/bots/{bot_id}/ingestion").json

    assert (body["bot_id"], body["bot_status"]) == (bot_id, "draft")
    assert {name: count for name, count in body["totals"].items() if count} == {"embedding": 1}
    (state,) = body["under_way"]
    assert (state["id"], state["stage"], state["progress"]) == (document_id, "embed", 0.25)
    assert body["oldest_unfinished"] == {
        "document_id": document_id,
        "stage": "embed",
        "requested_at": "2026-01-02T00:00:00Z",
    }
    assert (body["failures"], body["training_run"]) == ([], None)


def test_what_is_not_there_is_not_found(api: RunningApi, account: Account, bot_id: str, document_id: str) -> None:
    stranger = api.register()
    for path in (f"/v1/bots/{bot_id}/ingestion", f"/v1/bots/{bot_id}/documents/{document_id}/history"):
        assert get(api, stranger, path).status == 404
    assert get(api, account, f"/v1/bots/{uuid4()}/ingestion").status == 404
    assert get(api, account, f"/v1/bots/{bot_id}/documents/{uuid4()}/history").status == 404
    assert get(api, account, f"/v1/bots/{bot_id}/documents/{document_id}/history", cursor="x").status == 422
