"""Where the conversations' vectors are kept and searched."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from chatsphere.ports.embedding import Vector
from chatsphere.ports.vectors import Namespace


@dataclass(frozen=True, slots=True)
class MessageVector:
    """The vector of one message. `role` is `user` or `assistant`."""

    message_id: UUID
    conversation_id: UUID
    end_user_id: str | None
    role: str
    created_at: datetime
    values: Vector


@dataclass(frozen=True, slots=True)
class MessageFilter:
    """Which messages a search may find; None: any. `since` is inclusive, `until` exclusive, both to the millisecond.

    An empty collection of conversations finds nothing. `exclude` are messages. Of both, up to 10,000 may be named.
    """

    conversations: Collection[UUID] | None = None
    end_user_id: str | None = None
    role: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    exclude: Collection[UUID] = ()


@dataclass(frozen=True, slots=True)
class MessageMatch:
    """A message whose vector was found, and its cosine similarity with the query, in [-1, 1]."""

    message_id: UUID
    conversation_id: UUID
    score: float


@dataclass(frozen=True, slots=True)
class ConversationsPage:
    """Conversations that have vectors in a part of a namespace; `next_place` as of a `VectorsPage`."""

    conversations: frozenset[UUID]
    next_place: str | None


class MessageVectors(Protocol):
    """Stores one vector for each message, apart from the vectors of documents, and finds the nearest.

    A `Namespace` here is one bot's memory as one model embedded it: its revisions are counted by themselves, and none
    is used twice.
    """

    def upsert(self, namespace: Namespace, records: Sequence[MessageVector]) -> None:
        """Write the records; one of a known message replaces it. Then searches find them, or will in a moment.

        Raises:
            NotFoundError: a record's conversation was deleted meanwhile; only stores that can know it raise this.
        """
        ...

    def query(
        self, namespace: Namespace, vector: Vector, *, limit: int, where: MessageFilter | None = None
    ) -> list[MessageMatch]:
        """Return up to `limit` nearest messages, best first."""
        ...

    def delete_conversation(
        self, namespace: Namespace, conversation_id: UUID, messages: Collection[UUID] | None = None
    ) -> int:
        """Delete a conversation's vectors, or those of these messages of it; return how many were deleted.

        Raises:
            UnavailableError: also where the store cannot show yet that they are gone; to be tried again. As the next.
        """
        ...

    def delete_end_user(self, namespace: Namespace, end_user_id: str) -> int:
        """Delete the vectors of all messages of an end user's conversations; return how many were deleted."""
        ...

    def delete_namespace(self, namespace: Namespace) -> int:
        """Delete every vector of the namespace and return how many there were."""
        ...

    def count(self, namespace: Namespace, conversation_id: UUID | None = None) -> int:
        """Return the number of vectors of the namespace, or of one conversation in it."""
        ...

    def conversations(self, namespace: Namespace, *, after: str | None = None) -> ConversationsPage:
        """Return which conversations have vectors in the next part of the namespace; see `VectorStore.documents`."""
        ...
