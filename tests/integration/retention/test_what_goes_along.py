"""What hangs on a message that goes by itself goes with it, and nothing else."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from chatsphere.archive.archiving import Archiver
from chatsphere.archive.model import ArchiveBatch, ArchiveFile
from tests.integration.retention.driving import Retention
from tests.integration.retention.policy_model import Conversation, History, Message

RATED = """
    INSERT INTO conversation_feedback
        (id, organization_id, bot_id, conversation_id, message_id, message_created_at, rating, created_at, updated_at)
    VALUES (%s, %s, %s, %s, %s, %s, 2, %s, %s)
"""
CASE = """
    INSERT INTO evaluation_cases
        (id, organization_id, set_id, question, history, source, conversation_id, message_id, created_at)
    VALUES (%s, %s, %s, 'Else?', %s, 'feedback', %s, %s, %s)
"""


def test_what_hangs_on_a_deleted_message_goes_with_it(retention: Retention) -> None:
    # Given a conversation that goes on, with an old and a new answer, each rated
    now, ids, bot = retention.clock.now(), retention.ids, retention.tenant.bot_id
    organization, old = retention.tenant.organization_id, now - timedelta(days=100)
    said = [Message(ids.new(), role, at) for at in (old, now) for role in ("user", "assistant")]
    conversation = Conversation(ids.new(), bot, "ann", old, now, said)
    retention.put(History([bot], conversations=[conversation]))
    gone = f"What of {said[0].id}?"
    cases: dict[str, UUID] = {"with its text": ids.new(), "without": ids.new()}
    with retention.database.transaction(organization) as connection:
        connection.execute("UPDATE conversations SET title = %s", (gone,))
        connection.execute(
            "INSERT INTO bot_memories (bot_id, organization_id, revision) VALUES (%s, %s, 1)", (bot, organization)
        )
        for answer in (said[1], said[3]):
            at = answer.created_at
            connection.execute(RATED, (ids.new(), organization, bot, conversation.id, answer.id, at, at, at))
        for name, text in (("with its text", gone), ("without", "Something else")):
            set_id, history = ids.new(), Jsonb([{"role": "user", "content": text}])
            connection.execute(
                "INSERT INTO evaluation_sets (id, organization_id, bot_id, name, created_at, updated_at)"
                " VALUES (%s, %s, %s, %s, %s, %s)",
                (set_id, organization, bot, name, now, now),
            )
            connection.execute(CASE, (cases[name], organization, set_id, history, conversation.id, said[3].id, now))
        connection.execute(
            "INSERT INTO cache_entries (organization_id, bot_id, kind, key, value, expires_at)"
            " VALUES (%s, %s, 'question', sha256('x'), 'x', %s)",
            (organization, bot, now + timedelta(days=1)),
        )
    # When
    run = retention.run()
    # Then
    assert run["report"]["removed"] == {"messages": 2, "feedback": 1, "evaluation_cases": 1}
    assert retention.stored("messages") == {said[2].id, said[3].id}
    assert [row["message_id"] for row in retention.query("SELECT message_id FROM conversation_feedback")] == [
        said[3].id
    ]
    assert retention.stored("evaluation_cases") == {cases["without"]}
    assert retention.query("SELECT title FROM conversations") == [{"title": ""}]
    assert retention.count("cache_entries") == 0
    # And memory is told which messages, and what the archive holds of them
    (deletion,) = retention.query("SELECT conversation_id, messages FROM memory_deletions")
    assert (deletion["conversation_id"], set(deletion["messages"])) == (conversation.id, {said[0].id, said[1].id})
    assert [message["organization_id"] for message in retention.purge.messages] == [str(organization)]
    assert retention.archived("messages") == {said[0].id, said[1].id}
    assert len(retention.archived("feedback")) == 1


@dataclass
class RatedMeanwhile:
    """An archive that is given rows in the very moment in which somebody rates an answer among them."""

    retention: Retention
    archive: Archiver
    rate: list[tuple[Any, ...]]

    def move(self, batch: ArchiveBatch, **about: Any) -> list[ArchiveFile]:
        with self.retention.database.transaction(self.retention.tenant.organization_id) as connection:
            while self.rate:
                connection.execute(RATED, self.rate.pop())
        return self.archive.move(batch, **about)

    def discard_unfinished(self, organization_id: UUID, run_id: UUID | None = None) -> int:
        return self.archive.discard_unfinished(organization_id, run_id)


def test_a_rating_that_comes_while_its_message_is_archived_is_archived_too(retention: Retention) -> None:
    # Given an old message of a conversation that goes on
    now, ids, bot = retention.clock.now(), retention.ids, retention.tenant.bot_id
    old, organization = now - timedelta(days=100), retention.tenant.organization_id
    said = Message(ids.new(), "assistant", old)
    conversation = Conversation(ids.new(), bot, "ann", old, now, [said])
    retention.put(History([bot], conversations=[conversation]))
    rating = ids.new()
    values = (rating, organization, bot, conversation.id, said.id, old, now, now)
    retention.archive = RatedMeanwhile(retention, retention.archive, [values])
    # When
    retention.run()
    # Then
    assert retention.archived("messages") == {said.id}
    assert (retention.stored("conversation_feedback"), retention.archived("feedback")) == (set(), {rating})


def test_a_message_that_another_clock_has_before_its_conversation_is_archived_with_it(retention: Retention) -> None:
    # Given a conversation that nobody uses, and a message of a machine whose clock was behind
    bot, began = retention.tenant.bot_id, retention.clock.now() - timedelta(days=400)
    said = Message(retention.ids.new(), "user", began - timedelta(seconds=2))
    conversation = Conversation(retention.ids.new(), bot, "ann", began, began, [said])
    retention.put(History([bot], conversations=[conversation]))
    # When
    retention.run()
    # Then
    assert (retention.stored("conversations"), retention.archived("conversations")) == (set(), {conversation.id})
    assert retention.archived("messages") == {said.id}
