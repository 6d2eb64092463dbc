"""Which kept conversation a client's history goes on with.

Clients of chat completions keep the history themselves and name no conversation. A conversation is found again by a
digest of all that was said in it, by which end user, and to whom: one that is found has exactly the history that is
sent.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from chatsphere.chat.events import AnswerDone, AnswerStarted, ChatEvent, TextAdded
from chatsphere.chat.openai import queries
from chatsphere.chat.turns import Question
from chatsphere.db.database import Database
from chatsphere.failures import public_error
from chatsphere.ports.answers import Turn


@dataclass(frozen=True, slots=True)
class Thread:
    """A history of somebody's with a bot, and who keeps it."""

    organization_id: UUID
    user_id: UUID | None
    bot_id: UUID
    asker: str
    history: Sequence[Turn]

    def digest(self, *said: Turn) -> bytes:
        """Return the digest of the history, and of what was said since."""
        made = sha256(f"{self.bot_id}\n{self.asker}\n".encode())
        for turn in (*self.history, *said):
            text = " ".join(turn.content.split()).encode()
            made.update(f"{turn.role} {len(text)}\n".encode() + text)
        return made.digest()


def claimed(thread: Thread, database: Database) -> UUID | None:
    """Return the conversation that goes on, taken from whoever else comes with this history; None for a new one."""
    if not thread.history:
        return None
    with database.transaction(thread.organization_id, thread.user_id) as connection:
        values = {"digest": thread.digest(), "bot_id": thread.bot_id}
        row = connection.execute(queries.CLAIM_HISTORY, values).fetchone()
    return None if row is None else row["id"]


def remembered(
    events: Iterator[ChatEvent], thread: Thread, question: Question, database: Database
) -> Iterator[ChatEvent]:
    """Pass the events on; before the last one, keep the history with the answer in it, or give it back without.

    What cannot be kept costs no answer: the client's next question begins another conversation.
    """
    conversation_id, answer, digest = question.conversation_id, "", thread.digest()
    kept = False
    try:
        for event in events:
            match event:
                case AnswerStarted():
                    conversation_id = event.conversation_id
                case TextAdded(text):
                    answer += text
                case AnswerDone():
                    digest = thread.digest(Turn("user", question.message), Turn("assistant", answer))
                    _keep(thread, conversation_id, digest, database)
                    kept = True
            yield event
    finally:
        if not kept and question.conversation_id is not None:
            _keep(thread, question.conversation_id, digest, database)


def _keep(thread: Thread, conversation_id: UUID | None, digest: bytes, database: Database) -> None:
    try:
        with database.transaction(thread.organization_id, thread.user_id) as connection:
            connection.execute(queries.KEEP_HISTORY, {"conversation_id": conversation_id, "digest": digest})
    except Exception as error:
        public_error(error)
