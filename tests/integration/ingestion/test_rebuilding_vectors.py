"""A vector store that lost everything: made anew over HTTP, searches and memory give what they gave."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from chatsphere.chat.memory.messages import MemoryMessage
from chatsphere.chat.memory.places import memory_place
from chatsphere.knowledge.retrieval.search import search
from tests.builders.running_api import Account, RunningApi
from tests.fakes import FakeEmbedder
from tests.integration.ingestion.test_training_api import MINILM, api, ask, bot, owner, work_off
from tests.postgres import DatabaseUrls

__all__ = ["api", "bot", "owner"]

LOST = ("chunk_vectors", "revised_vectors", "message_vectors")


@pytest.fixture(autouse=True)
def _only_model(api: RunningApi) -> None:
    """The deployment has one model, under the name of its own."""
    model = FakeEmbedder(384, model=MINILM)
    vars(api.container).update(embedder=model, token_counter=model)


def test_after_the_loss_of_every_vector_the_same_is_found_and_remembered(
    api: RunningApi, owner: Account, bot: str, database_urls: DatabaseUrls
) -> None:
    # Given a bot that knows something, and remembers a conversation
    organization_id, bot_id = UUID(owner.organization_id), UUID(bot)
    said = converse(api, organization_id, bot_id)
    before = found(api, organization_id, bot_id), recalled(api, organization_id, bot_id)
    assert all(before)
    assert set(before[1]) == set(said)
    # When the store is empty
    with psycopg.connect(database_urls.admin) as connection:
        for table in LOST:
            connection.execute(f"DELETE FROM {table} WHERE bot_id = %s", (bot_id,))
    assert recalled(api, organization_id, bot_id) == {}
    assert found(api, organization_id, bot_id) != before[0]
    # And made anew, after a look at what that takes
    body = {"embedding_model": MINILM, "include_memory": True}
    expected = ask(api, owner, "POST", f"/bots/{bot}/training-runs", body | {"dry_run": True})
    assert expected.status == 200, expected.text
    assert expected.json["estimate"]["memory_messages"] == 2
    assert expected.json["estimate"]["memory_tokens"] > 0
    begun = ask(api, owner, "POST", f"/bots/{bot}/training-runs", body)
    assert (begun.status, begun.json["training_run"]["memory_left"]) == (202, 2)
    work_off(api)
    # Then
    run = ask(api, owner, "GET", f"/bots/{bot}/training-runs/{begun.json['training_run']['id']}").json
    assert (run["status"], run["memory_left"]) == ("succeeded", 0)
    assert (found(api, organization_id, bot_id), recalled(api, organization_id, bot_id)) == before


def converse(api: RunningApi, organization_id: UUID, bot_id: UUID) -> list[UUID]:
    """Have two messages said and remembered; return their ids."""
    c = api.container
    now = c.clock.now() - timedelta(minutes=1)
    conversation, messages = c.ids.new(), [c.ids.new(), c.ids.new()]
    with c.database.transaction(organization_id) as connection:
        connection.execute(
            "INSERT INTO conversations (id, organization_id, bot_id, created_at, updated_at)"
            " VALUES (%s, %s, %s, %s, %s)",
            (conversation, organization_id, bot_id, now, now),
        )
        for message, role, content in zip(messages, ("user", "assistant"), ("Which are red?", "Apples."), strict=True):
            connection.execute(
                "INSERT INTO messages (id, organization_id, bot_id, conversation_id, role, content, created_at)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s)",
                (message, organization_id, bot_id, conversation, role, content, now),
            )
    remember = MemoryMessage(organization_id=organization_id, bot_id=bot_id)
    api.embed_queue.send([remember.to_json()], group=remember.group)
    work_off(api)
    return messages


def found(api: RunningApi, organization_id: UUID, bot_id: UUID) -> list[tuple[Any, ...]]:
    c = api.container
    result = search(
        c.database, c.vector_store, c.embedder_for, organization_id=organization_id, bot_id=bot_id, query="red apples"
    )
    return [(hit.chunk_id, hit.content, hit.score, hit.scores) for hit in result.hits]


def recalled(api: RunningApi, organization_id: UUID, bot_id: UUID) -> dict[UUID, float]:
    c = api.container
    with c.database.transaction(organization_id) as connection:
        place = memory_place(connection, organization_id, bot_id)
    assert place is not None
    matches = c.message_vectors.query(place.namespace, c.embedder.embed_query("Which are red?"), limit=5)
    return {match.message_id: match.score for match in matches}
