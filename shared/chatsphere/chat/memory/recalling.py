"""What was said before the history that a question comes with: found by what it means, and only whoever asks' own."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from chatsphere.chat.events import Usage
from chatsphere.chat.memory.messages import MemoryMessage
from chatsphere.chat.memory.reach import reach_of
from chatsphere.chat.memory.searching import FoundMessages, MemorySearch
from chatsphere.chat.optional_stages import Recalled
from chatsphere.chat.turns import HISTORY_MESSAGES, AskedTurn, OpenTurn
from chatsphere.db.database import Database
from chatsphere.db.uuid_time import SPREAD, made_at
from chatsphere.failures import public_error
from chatsphere.knowledge.retrieval.known_vectors import KnownVectors
from chatsphere.observability import logger
from chatsphere.ports.answers import Turn
from chatsphere.ports.embedding import Embedder
from chatsphere.ports.message_vectors import MessageFilter, MessageVectors
from chatsphere.ports.queues import MessageQueue

RECALLED: Final = 3
"""Messages that are recalled at most."""

CANDIDATES: Final = RECALLED + HISTORY_MESSAGES
"""Messages that are looked for: those of the history may be among them, and are known."""

MAX_CHARS: Final = 600
"""What is recalled of a message."""

# Whoever asks' own messages only, whatever the vectors say; and of answers only those that were some, as long as
# readers see every passage that they were made from: what a deleted document said does not come back in other words.
READ: Final = """
    SELECT messages.id, messages.role, messages.content
    FROM messages
    JOIN conversations ON conversations.organization_id = messages.organization_id
        AND conversations.id = messages.conversation_id
    WHERE messages.organization_id = app.current_organization() AND messages.bot_id = %(bot_id)s
      AND messages.id = ANY (%(messages)s) AND messages.created_at >= %(since)s AND messages.created_at < %(until)s
      AND (messages.conversation_id = %(conversation_id)s
           OR (conversations.end_user_id = %(end_user_id)s AND conversations.channel <> 'public'))
      AND (messages.role = 'user' OR messages.answerable AND NOT EXISTS (
          SELECT FROM jsonb_path_query(messages.sources, '$[*].chunk_ids[*]') AS given (chunk_id)
          WHERE NOT EXISTS (
              SELECT FROM chunks
              JOIN documents ON documents.organization_id = chunks.organization_id
                  AND documents.id = chunks.document_id AND documents.live_generation = chunks.generation
                  AND documents.status <> 'deleting'
              WHERE chunks.organization_id = app.current_organization() AND chunks.bot_id = %(bot_id)s
                AND chunks.id = (given.chunk_id #>> '{}')::uuid)))
"""


@dataclass(frozen=True, slots=True)
class BotMemory:
    """The `Recall` of the running service. `embed_queue` returns the queue when it is needed first.

    A question that is among the `known_vectors` is not embedded again.
    """

    database: Database
    embedders: Callable[[str | None], Embedder]
    vectors: MessageVectors
    embed_queue: Callable[[], MessageQueue]
    known_vectors: KnownVectors | None = None

    def recall(self, turn: OpenTurn) -> Recalled:
        """See `Recall.recall`."""
        try:
            wanted = list(_wanted(turn))
            return self._read(turn, self._find(turn, wanted)) if wanted else Recalled()
        except Exception as error:
            logger.warning("answered without memory", code=public_error(error).code)
            return Recalled()

    def remember(self, turn: AskedTurn) -> None:
        """See `Recall.remember`."""
        question = turn.question
        message = MemoryMessage(organization_id=question.organization_id, bot_id=question.bot_id)
        try:
            self.embed_queue().send([message.to_json()], group=message.group)
        except Exception as error:
            # The reaper will send it.
            public_error(error)

    def _find(self, turn: OpenTurn, wanted: Sequence[MessageFilter]) -> FoundMessages:
        question = turn.question
        search = MemorySearch(self.database, self.embedders, self.vectors, self.known_vectors)
        return search.search_each(
            question.organization_id, question.bot_id, question.message, limit=CANDIDATES, where=wanted
        )

    def _read(self, turn: OpenTurn, found: FoundMessages) -> Recalled:
        """Return the nearest messages that there are and that the history does not hold."""
        scores = {match.message_id: match.score for match in found.matches}
        ids = sorted(scores, key=lambda message_id: -scores[message_id])
        rows = self._rows(turn, ids) if ids else {}
        known = {(each.role, each.content) for each in turn.history}
        chosen = [each for each in ids if each in rows and (rows[each]["role"], rows[each]["content"]) not in known][
            :RECALLED
        ]
        turns = [Turn(rows[each]["role"], rows[each]["content"][:MAX_CHARS], recalled=True) for each in chosen]
        took = Usage(embedding_tokens=found.embedding_tokens, cost_microdollars=found.embedding_microdollars)
        return Recalled(tuple(turns), tuple(chosen), took)

    def _rows(self, turn: OpenTurn, ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
        question, times = turn.question, [made_at(each) for each in ids]
        values = {
            "bot_id": question.bot_id,
            "messages": list(ids),
            "since": min(times) - SPREAD,
            "until": max(times) + SPREAD,
            "conversation_id": turn.conversation_id,
            "end_user_id": question.end_user_id if reach_of(turn.bot, question, turn.history).end_user else None,
        }
        with self.database.transaction(question.organization_id) as connection:
            return {row["id"]: row for row in connection.execute(READ, values)}


def _wanted(turn: OpenTurn) -> Iterator[MessageFilter]:
    """Yield where to look."""
    reach = reach_of(turn.bot, turn.question, turn.history)
    if reach.conversation:
        yield MessageFilter(conversations=[turn.conversation_id])
    if reach.end_user:
        yield MessageFilter(end_user_id=turn.question.end_user_id)
