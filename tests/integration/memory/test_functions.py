"""Memory through the functions themselves: embedded, searched by pgvector, deleted through the API."""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

import psycopg
import pytest

from chatsphere.adapters.system import SystemClock, UuidV7Ids
from chatsphere.chat.memory.messages import MemoryMessage
from chatsphere.chat.memory.searching import MemorySearch
from chatsphere.ports.message_vectors import MessageFilter
from functions.embed_chunks.handler import handler as embed_chunks
from functions.purge_deleted.handler import handler as purge_deleted
from functions.reap_stalled.handler import handler as reap_stalled
from tests.builders.running_api import Account, FakeQueue, RunningApi, running_api
from tests.conftest import Tenant
from tests.fakes import FakeEmbedder, FixedClock, InMemoryObjectStore
from tests.integration.ingestion.pipeline import Pipeline
from tests.integration.memory import talking
from tests.postgres import DatabaseUrls


@pytest.fixture
def api(database_urls: DatabaseUrls) -> Iterator[RunningApi]:
    with running_api(database_urls) as api:
        objects = InMemoryObjectStore(FixedClock(api.clock.now()))
        vars(api.container).update(embedder=FakeEmbedder(), embed_queue=FakeQueue(), object_store=objects)
        yield api


def worked_off(handler: Any, message: Mapping[str, Any]) -> bool:
    record = {"messageId": "m", "body": json.dumps(message), "attributes": {"ApproximateReceiveCount": "1"}}
    return not handler({"Records": [record]}, None)["batchItemFailures"]


def conversation_of(api: RunningApi, account: Account, bot_id: UUID) -> UUID:
    """Hold a conversation with the bot."""
    c, tenant = api.container, Tenant(UUID(account.organization_id), UUID(account.user_id), bot_id)
    pipeline = Pipeline(tenant, c.database, c.reaper_database, UuidV7Ids(SystemClock()))
    pipeline.clock.advance(api.clock.now() - pipeline.clock.now())
    return talking.say(pipeline, "How warm is it?", "Warm enough.", end_user="ada")


def test_a_conversation_is_embedded_found_and_forgotten(api: RunningApi, database_urls: DatabaseUrls) -> None:
    # Given
    account, c = api.register(), api.container
    organization_id, bot_id = UUID(account.organization_id), UUID(api.bot(account)["id"])
    conversation = conversation_of(api, account, bot_id)
    message = MemoryMessage(organization_id=organization_id, bot_id=bot_id).to_json()
    # When
    assert worked_off(embed_chunks, message)
    # Then
    search = MemorySearch(c.database, c.embedder_for, c.message_vectors)
    first, second = search.search(organization_id, bot_id, "Warm enough.", limit=5)
    assert first.conversation_id == conversation
    assert first.score == pytest.approx(1, abs=0.01)
    assert second.score < first.score
    found = search.search(organization_id, bot_id, "x", limit=5, where=MessageFilter(end_user_id="ada", role="user"))
    assert [match.message_id for match in found] == [second.message_id]
    stranger = api.register()
    assert search.search(UUID(stranger.organization_id), bot_id, "Warm enough.", limit=5) == ()
    # When it is deleted
    deleted = api.request("DELETE", f"/v1/conversations/{conversation}", token=account.access_token)
    assert deleted.status == 204, deleted.text
    # Then nothing is left, and the store is looked at as well, now and again later
    with psycopg.connect(database_urls.admin, autocommit=True) as admin:
        left = "SELECT count(*) FROM message_vectors WHERE bot_id = %s"
        assert admin.execute(left, (bot_id,)).fetchone() == (0,)
        due = "SELECT cleaned_at IS NOT NULL FROM memory_deletions WHERE bot_id = %s"
        assert admin.execute(due, (bot_id,)).fetchall() == [(False,)]
        (sent,) = [sent for sent, _ in api.purge_queue.sent if sent["bot_id"] == str(bot_id)]
        assert worked_off(purge_deleted, sent)
        assert admin.execute(due, (bot_id,)).fetchall() == [(True,)]
        api.clock.advance(seconds=20 * 60)
        api.purge_queue.sent.clear()
        reap_stalled({}, None)
        assert sent in [again for again, _ in api.purge_queue.sent]
        assert worked_off(purge_deleted, sent)
        assert admin.execute(due, (bot_id,)).fetchall() == []
