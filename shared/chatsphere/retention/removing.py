"""Deleting messages and conversations with all that hangs on them, in the caller's transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Self
from uuid import UUID

from chatsphere.chat.titles import title_of
from chatsphere.db.database import Connection
from chatsphere.retention import acting_queries as queries

DAY: Final = timedelta(days=1)
MOMENT: Final = timedelta(microseconds=1)

Counts = dict[str, int]


@dataclass(frozen=True, slots=True)
class SingleMessages:
    """Messages of one bot that go by themselves: their conversations stay. `since` and `until` bound their times."""

    bot_id: UUID
    messages: Sequence[UUID]
    of_each: Sequence[UUID]
    """The conversation of each."""
    since: datetime
    until: datetime

    @classmethod
    def of(cls, bot_id: UUID, rows: Sequence[Mapping[str, Any]]) -> Self:
        """Make it of at least one row with `id`, `conversation_id` and `created_at`."""
        times = [row["created_at"] for row in rows]
        return cls(
            bot_id,
            [row["id"] for row in rows],
            [row["conversation_id"] for row in rows],
            min(times),
            max(times) + MOMENT,
        )

    @property
    def conversations(self) -> list[UUID]:
        """Their conversations."""
        return sorted(set(self.of_each))

    def values(self) -> dict[str, Any]:
        """Return the parameters of queries."""
        return {
            "bot_id": self.bot_id,
            "messages": list(self.messages),
            "of_each": list(self.of_each),
            "conversations": self.conversations,
            "since": self.since,
            "until": self.until,
        }

    def remove(self, connection: Connection, now: datetime) -> Counts:
        """Delete them; return how many rows of each kind are gone. In memory they are forgotten in the background."""
        values = self.values()
        self._forget_titles(connection, values)
        counts = {
            kind: connection.execute(query, values).rowcount for kind, query in queries.DELETE_WITH_MESSAGES.items()
        }
        # Of what was yet to be embedded nobody was told.
        del counts["memory_pending"]
        connection.execute(queries.FORGET_QUESTIONS, values)
        counts["memory_deletions"] = connection.execute(queries.FORGET_IN_MEMORY, values | {"now": now}).rowcount
        return counts

    def _forget_titles(self, connection: Connection, values: Mapping[str, Any]) -> None:
        rows = connection.execute(queries.FIRST_QUESTIONS, values).fetchall()
        told = [row["conversation_id"] for row in rows if title_of(row["question"]) == row["title"]]
        if told:
            connection.execute(queries.FORGET_TITLES, {"conversations": told})


@dataclass(frozen=True, slots=True)
class WholeConversations:
    """Conversations of one bot with everything in them. `since` and `until` bound the times of their messages."""

    bot_id: UUID
    conversations: Sequence[UUID]
    since: datetime
    until: datetime

    @classmethod
    def of(cls, bot_id: UUID, rows: Sequence[Mapping[str, Any]]) -> Self:
        """Make it of at least one row with `id`, `created_at` and `updated_at`."""
        # A day more on both sides: messages may be of machines whose clocks differ, and go with the conversation's row.
        return cls(
            bot_id,
            [row["id"] for row in rows],
            min(row["created_at"] for row in rows) - DAY,
            max(row["updated_at"] for row in rows) + DAY,
        )

    def values(self) -> dict[str, Any]:
        """Return the parameters of queries."""
        return {
            "bot_id": self.bot_id,
            "conversations": list(self.conversations),
            "since": self.since,
            "until": self.until,
        }

    def remove(self, connection: Connection, now: datetime) -> Counts:
        """As `SingleMessages.remove`."""
        values = self.values()
        counts = dict(connection.execute(queries.COUNT_WITH_CONVERSATIONS, values).fetchone() or {})
        counts["messages"] = connection.execute(queries.DELETE_MESSAGES_OF, values).rowcount
        counts["conversations"] = connection.execute(queries.DELETE_CONVERSATIONS, values).rowcount
        counts["memory_deletions"] = connection.execute(
            queries.FORGET_CONVERSATIONS_IN_MEMORY, values | {"now": now}
        ).rowcount
        return counts
