"""A small working stand-in for the vectors of messages."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from uuid import UUID

from chatsphere.errors import UnavailableError
from chatsphere.ports.embedding import Vector
from chatsphere.ports.message_vectors import ConversationsPage, MessageFilter, MessageMatch, MessageVector
from chatsphere.ports.vectors import Namespace


class InMemoryMessageVectors:
    """Vectors by namespace and message. `failures` calls fail first."""

    def __init__(self) -> None:
        self.records: defaultdict[Namespace, dict[UUID, MessageVector]] = defaultdict(dict)
        self.failures = 0

    def upsert(self, namespace: Namespace, records: Sequence[MessageVector]) -> None:
        self._answer()
        self.records[namespace].update({record.message_id: record for record in records})

    def query(
        self, namespace: Namespace, vector: Vector, *, limit: int, where: MessageFilter | None = None
    ) -> list[MessageMatch]:
        self._answer()
        matches = [
            MessageMatch(r.message_id, r.conversation_id, sum(a * b for a, b in zip(r.values, vector, strict=True)))
            for r in self.records[namespace].values()
            if _fits(r, where or MessageFilter())
        ]
        return sorted(matches, key=lambda match: -match.score)[:limit]

    def delete_conversation(
        self, namespace: Namespace, conversation_id: UUID, messages: Collection[UUID] | None = None
    ) -> int:
        return self._delete(
            namespace,
            [
                r.message_id
                for r in self.records[namespace].values()
                if r.conversation_id == conversation_id and (messages is None or r.message_id in messages)
            ],
        )

    def delete_end_user(self, namespace: Namespace, end_user_id: str) -> int:
        records = self.records[namespace].values()
        return self._delete(namespace, [r.message_id for r in records if r.end_user_id == end_user_id])

    def delete_namespace(self, namespace: Namespace) -> int:
        return self._delete(namespace, list(self.records[namespace]))

    def count(self, namespace: Namespace, conversation_id: UUID | None = None) -> int:
        self._answer()
        records = self.records[namespace].values()
        return sum(conversation_id in (None, record.conversation_id) for record in records)

    def conversations(self, namespace: Namespace, *, after: str | None = None) -> ConversationsPage:
        self._answer()
        return ConversationsPage(frozenset(r.conversation_id for r in self.records[namespace].values()), None)

    def _delete(self, namespace: Namespace, messages: Sequence[UUID]) -> int:
        self._answer()
        for message in messages:
            del self.records[namespace][message]
        return len(messages)

    def _answer(self) -> None:
        if self.failures:
            self.failures -= 1
            raise UnavailableError("The vector store does not answer.")


def _fits(record: MessageVector, where: MessageFilter) -> bool:
    return (
        (where.conversations is None or record.conversation_id in where.conversations)
        and where.end_user_id in (None, record.end_user_id)
        and where.role in (None, record.role)
        and (where.since is None or record.created_at >= where.since)
        and (where.until is None or record.created_at < where.until)
        and record.message_id not in where.exclude
    )
