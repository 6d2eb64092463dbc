"""Vectors of messages in PostgreSQL itself, by the extension pgvector. Kept at half precision."""

from collections.abc import Collection, Sequence
from typing import Any, Final
from uuid import UUID

import psycopg

from chatsphere.adapters.pgvector import EXACT_CEILING, vector_literal
from chatsphere.db.database import Connection, Database
from chatsphere.errors import NotFoundError
from chatsphere.ports.embedding import Vector
from chatsphere.ports.message_vectors import ConversationsPage, MessageFilter, MessageMatch, MessageVector
from chatsphere.ports.vectors import Namespace

LISTED: Final = 500
"""Conversations of one `ConversationsPage`."""

UPSERT: Final = """
    INSERT INTO message_vectors (organization_id, bot_id, revision, conversation_id, message_id, end_user_id, role,
        created_at, dimensions, embedding)
    VALUES (app.current_organization(), %(bot)s, %(revision)s, %(conversation)s, %(message)s, %(end_user)s, %(role)s,
        %(created_at)s, %(dimensions)s, %(embedding)s::halfvec)
    ON CONFLICT (conversation_id, message_id, revision, bot_id) DO UPDATE
    SET end_user_id = excluded.end_user_id, role = excluded.role, created_at = excluded.created_at,
        dimensions = excluded.dimensions, embedding = excluded.embedding
"""

COUNT_UP_TO: Final = """
    SELECT app.count_messages(%(bot)s, %(revision)s, %(conversations)s, %(end_user)s, %(role)s, %(since)s, %(until)s,
        %(ceiling)s) AS vectors
"""

NEAREST_EXACT: Final = """
    SELECT * FROM app.nearest_messages_exact(%(bot)s, %(revision)s, %(vector)s::halfvec, %(conversations)s,
        %(end_user)s, %(role)s, %(since)s, %(until)s, %(exclude)s, %(limit)s)
"""

NEAREST_INDEXED: Final = NEAREST_EXACT.replace("nearest_messages_exact", "nearest_messages_indexed")

PLACE: Final = "organization_id = app.current_organization() AND bot_id = %(bot)s AND revision = %(revision)s"

DELETE: Final = f"""
    DELETE FROM message_vectors
    WHERE {PLACE} AND (%(conversation)s::uuid IS NULL OR conversation_id = %(conversation)s)
      AND (%(messages)s::uuid[] IS NULL OR message_id = ANY (%(messages)s))
      AND (%(end_user)s::text IS NULL OR end_user_id = %(end_user)s)
"""  # noqa: S608 - constants only

COUNT: Final = f"""
    SELECT count(*) AS vectors FROM message_vectors
    WHERE {PLACE} AND (%(conversation)s::uuid IS NULL OR conversation_id = %(conversation)s)
"""  # noqa: S608 - constants only

CONVERSATIONS: Final = f"""
    SELECT DISTINCT conversation_id FROM message_vectors
    WHERE {PLACE} AND (%(after)s::uuid IS NULL OR conversation_id > %(after)s::uuid)
    ORDER BY conversation_id LIMIT %(limit)s
"""  # noqa: S608 - constants only


class PgMessageVectors:
    """The `MessageVectors` port. Each call is one short transaction as the namespace's organization."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def upsert(self, namespace: Namespace, records: Sequence[MessageVector]) -> None:
        """Write the records. The conversation of each must exist."""
        rows = [
            _place(namespace)
            | {
                "conversation": record.conversation_id,
                "message": record.message_id,
                "end_user": record.end_user_id,
                "role": record.role,
                "created_at": record.created_at,
                "dimensions": len(record.values),
                "embedding": vector_literal(record.values),
            }
            for record in records
        ]
        try:
            with self._database.transaction(namespace.organization_id) as connection, connection.cursor() as cursor:
                cursor.executemany(UPSERT, rows)
        except psycopg.errors.ForeignKeyViolation:
            raise NotFoundError("There is no such conversation.") from None

    def query(
        self, namespace: Namespace, vector: Vector, *, limit: int, where: MessageFilter | None = None
    ) -> list[MessageMatch]:
        """Return the nearest messages: exactly where few fit, by the HNSW index where many do."""
        where = where or MessageFilter()
        if where.conversations is not None and not where.conversations:
            return []
        parameters = _place(namespace) | _conditions(where) | {"vector": vector_literal(vector), "limit": limit}
        with self._database.transaction(namespace.organization_id) as connection:
            compared = _count(connection, COUNT_UP_TO, parameters | {"ceiling": EXACT_CEILING + 1})
            rows = []
            if compared > EXACT_CEILING:
                rows = connection.execute(NEAREST_INDEXED, parameters).fetchall()
            if len(rows) < min(limit, compared):
                rows = connection.execute(NEAREST_EXACT, parameters).fetchall()
        matches = [MessageMatch(row["message_id"], row["conversation_id"], row["score"]) for row in rows]
        # The index may return vectors slightly out of order.
        return sorted(matches, key=lambda match: -match.score)

    def delete_conversation(
        self, namespace: Namespace, conversation_id: UUID, messages: Collection[UUID] | None = None
    ) -> int:
        """Delete a conversation's vectors, or those of some messages; return how many were deleted."""
        chosen = None if messages is None else list(messages)
        return self._delete(namespace, conversation=conversation_id, messages=chosen)

    def delete_end_user(self, namespace: Namespace, end_user_id: str) -> int:
        """Delete an end user's vectors; return how many were deleted."""
        return self._delete(namespace, end_user=end_user_id)

    def delete_namespace(self, namespace: Namespace) -> int:
        """Delete every vector of the memory and return how many there were."""
        return self._delete(namespace)

    def count(self, namespace: Namespace, conversation_id: UUID | None = None) -> int:
        """Return the number of vectors of the memory, or of one conversation in it."""
        with self._database.transaction(namespace.organization_id) as connection:
            return _count(connection, COUNT, _place(namespace) | {"conversation": conversation_id})

    def conversations(self, namespace: Namespace, *, after: str | None = None) -> ConversationsPage:
        """Return the next conversations that have vectors, in the order of their ids."""
        parameters = _place(namespace) | {"after": after, "limit": LISTED}
        with self._database.transaction(namespace.organization_id) as connection:
            found = [row["conversation_id"] for row in connection.execute(CONVERSATIONS, parameters)]
        return ConversationsPage(frozenset(found), str(found[-1]) if len(found) == LISTED else None)

    def _delete(self, namespace: Namespace, **conditions: Any) -> int:
        values = {"conversation": None, "messages": None, "end_user": None} | conditions
        with self._database.transaction(namespace.organization_id) as connection:
            return connection.execute(DELETE, _place(namespace) | values).rowcount


def _place(namespace: Namespace) -> dict[str, Any]:
    return {"bot": namespace.bot_id, "revision": namespace.revision}


def _conditions(where: MessageFilter) -> dict[str, Any]:
    return {
        "conversations": None if where.conversations is None else list(where.conversations),
        "end_user": where.end_user_id,
        "role": where.role,
        "since": where.since,
        "until": where.until,
        "exclude": list(where.exclude),
    }


def _count(connection: Connection, query: str, parameters: dict[str, Any]) -> int:
    row = connection.execute(query, parameters).fetchone()
    assert row is not None
    count: int = row["vectors"]
    return count
