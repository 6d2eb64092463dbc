"""Conversations in a pipeline's database, and what must hold of their memory."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from chatsphere.chat.memory.forgetting import forget_conversation
from chatsphere.chat.memory.messages import MemoryMessage, MemoryPurgeMessage
from chatsphere.chat.memory.places import MemoryPlace, memory_place
from chatsphere.knowledge.ingestion.messages import PurgeMessage
from chatsphere.knowledge.ingestion.receipts import Deletion, open_deletion
from tests.integration.ingestion.pipeline import Pipeline

ADD_CONVERSATION = """
    INSERT INTO conversations (id, organization_id, bot_id, end_user_id, created_at, updated_at)
    VALUES (%(id)s, app.current_organization(), %(bot_id)s, %(end_user_id)s, %(now)s, %(now)s)
    ON CONFLICT DO NOTHING
"""

ADD_MESSAGE = """
    INSERT INTO messages (id, organization_id, bot_id, conversation_id, role, content, created_at)
    VALUES (%(id)s, app.current_organization(), %(bot_id)s, %(conversation_id)s, %(role)s, %(content)s, %(now)s)
"""


def say(pipeline: Pipeline, *texts: str, conversation: UUID | None = None, end_user: str | None = None) -> UUID:
    """Keep messages, question and answer by turns, in one transaction, as chat does; return their conversation."""
    conversation = conversation or pipeline.ids.new()
    values: dict[str, Any] = {"bot_id": pipeline.tenant.bot_id, "now": pipeline.clock.now()}
    with pipeline.connection() as connection:
        connection.execute(ADD_CONVERSATION, values | {"id": conversation, "end_user_id": end_user})
        for number, text in enumerate(texts):
            role = "assistant" if number % 2 else "user"
            row = values | {"id": pipeline.ids.new(), "conversation_id": conversation, "role": role, "content": text}
            connection.execute(ADD_MESSAGE, row)
    return conversation


def ask_to_remember(pipeline: Pipeline) -> None:
    """Send the message that follows an answer."""
    message = MemoryMessage(organization_id=pipeline.tenant.organization_id, bot_id=pipeline.tenant.bot_id)
    pipeline.embed_queue.send([message.to_json()], group=message.group)


def remember(pipeline: Pipeline) -> None:
    """Have everything embedded that is pending."""
    ask_to_remember(pipeline)
    pipeline.run()


def delete(pipeline: Pipeline, conversation: UUID, *, send: bool = True) -> None:
    """Delete a conversation, as the route does."""
    bot_id = pipeline.tenant.bot_id
    with pipeline.connection() as connection:
        forget_conversation(connection, bot_id, conversation, pipeline.ids.new(), pipeline.clock.now())
        connection.execute("DELETE FROM conversations WHERE id = %s", (conversation,))
    if send:
        message = MemoryPurgeMessage(organization_id=pipeline.tenant.organization_id, bot_id=bot_id)
        pipeline.purge_queue.send([message.to_json()], group=message.group)


def configure(pipeline: Pipeline, **settings: Any) -> None:
    """Change the bot's settings, as the route does."""
    values = {"bot_id": pipeline.tenant.bot_id, "settings": Jsonb(settings), "now": pipeline.clock.now()}
    with pipeline.connection() as connection:
        connection.execute(
            "UPDATE bots SET configuration = configuration || %(settings)s, updated_at = %(now)s WHERE id = %(bot_id)s",
            values,
        )


def switch_model(pipeline: Pipeline, model: str, dimensions: int) -> None:
    """Have the bot embedded by another model, as the end of a training run does."""
    with pipeline.connection() as connection:
        connection.execute(
            "UPDATE bots SET embedding_model = %s, embedding_dimensions = %s, embedding_revision ="
            " embedding_revision + 1, updated_at = %s WHERE id = %s",
            (model, dimensions, pipeline.clock.now(), pipeline.tenant.bot_id),
        )


def place(pipeline: Pipeline) -> MemoryPlace | None:
    """Return where the memory is."""
    with pipeline.connection() as connection:
        return memory_place(connection, pipeline.tenant.organization_id, pipeline.tenant.bot_id)


def rows(pipeline: Pipeline, table: str) -> Sequence[Mapping[str, Any]]:
    """Return the bot's rows of a table."""
    with pipeline.connection() as connection:
        return connection.execute(f"SELECT * FROM {table} WHERE bot_id = %s", (pipeline.tenant.bot_id,)).fetchall()


def everything(pipeline: Pipeline) -> list[UUID]:
    """Return every message that has a vector in any memory of the bot, once for each."""
    bot_id = pipeline.tenant.bot_id
    return sorted(
        each for name, records in pipeline.messages.records.items() if name.bot_id == bot_id for each in records
    )


def texts_of(pipeline: Pipeline) -> list[str]:
    """Return what the messages say that have a vector in the present memory."""
    found = place(pipeline)
    records = pipeline.messages.records[found.namespace] if found else {}
    contents = {row["id"]: row["content"] for row in rows(pipeline, "messages")}
    return sorted(contents.get(message, "gone") for message in records)


def assert_one_to_one(pipeline: Pipeline, model: str = "fake") -> None:
    """Each message with text has one vector, by that model and in one place, and nobody has anything left to do."""
    said = sorted(row["content"] for row in rows(pipeline, "messages") if row["content"].strip())
    assert texts_of(pipeline) == said
    assert everything(pipeline) == sorted(row["id"] for row in rows(pipeline, "messages") if row["content"].strip())
    found = place(pipeline)
    assert (found.model if found else None) == model
    assert (rows(pipeline, "memory_pending"), rows(pipeline, "memory_deletions")) == ([], [])


def let_time_pass(pipeline: Pipeline) -> None:
    """Let the reaper do what is due, until nothing is."""
    for _ in range(3):
        pipeline.clock.advance(timedelta(hours=2))
        pipeline.reap()
        pipeline.run()


def delete_bot(pipeline: Pipeline) -> Deletion:
    """Delete the bot, as the route does."""
    bot_id, now = pipeline.tenant.bot_id, pipeline.clock.now()
    with pipeline.connection() as connection:
        connection.execute("UPDATE bots SET status = 'deleting', updated_at = %s WHERE id = %s", (now, bot_id))
        deletion = open_deletion(connection, bot_id, None, now)
    message = PurgeMessage(organization_id=pipeline.tenant.organization_id, bot_id=bot_id)
    pipeline.purge_queue.send([message.to_json()], group=message.group)
    return deletion
