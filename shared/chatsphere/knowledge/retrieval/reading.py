"""Reads found chunks as readers may see them, in one moment."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from chatsphere.db.database import Connection

Row = Mapping[str, Any]

_COLUMNS: Final = """c.id, c.document_id, d.name, c.content, c.ordinal, c.heading_path,
    c.page_start, c.page_end, c.char_start, c.char_end"""

# The first of the candidates that readers may see, in their order, with those of the question's lexemes that each one
# holds. One statement: what it reads is of one moment, so that no document is shown in two generations. A vector store
# may still hold, or already hold, a generation that is not live.
CHUNKS: Final = f"""
SELECT {_COLUMNS}, tsvector_to_array(ts_filter(setweight(c.lexemes, 'A', %(lexemes)s::text[]), '{{a}}')) AS lexemes
FROM (
    SELECT c.id, ranked.place
    FROM unnest(%(chunks)s::uuid[]) WITH ORDINALITY AS ranked (id, place)
    JOIN chunks c ON c.id = ranked.id AND c.bot_id = %(bot_id)s
    JOIN documents d ON d.id = c.document_id AND d.live_generation = c.generation AND d.status <> 'deleting'
    WHERE %(documents)s::uuid[] IS NULL OR c.document_id = ANY (%(documents)s)
    ORDER BY ranked.place LIMIT %(limit)s) shown
JOIN chunks c ON c.id = shown.id
JOIN documents d ON d.id = c.document_id
ORDER BY shown.place
"""  # noqa: S608 - only constants are put together

# Which of these chunks are there, seen by readers or not.
EXISTING: Final = "SELECT id FROM chunks WHERE id = ANY (%(chunks)s)"

# The chunks beside others, of the same generation and section.
NEIGHBOURS: Final = f"""
SELECT DISTINCT ON (c.document_id, c.ordinal) {_COLUMNS}
FROM chunks h
JOIN chunks c ON c.document_id = h.document_id AND c.generation = h.generation AND c.heading_path = h.heading_path
    AND c.ordinal BETWEEN h.ordinal - %(reach)s AND h.ordinal + %(reach)s
JOIN documents d ON d.id = c.document_id AND d.status <> 'deleting'
WHERE h.id = ANY (%(chunks)s) AND h.bot_id = %(bot_id)s AND c.bot_id = %(bot_id)s AND c.id <> ALL (%(chunks)s)
ORDER BY c.document_id, c.ordinal
"""  # noqa: S608 - only constants are put together


def read_chunks(
    connection: Connection,
    bot_id: UUID,
    chunks: Sequence[UUID],
    *,
    lexemes: Sequence[str],
    documents: Collection[UUID] | None,
    limit: int,
) -> Sequence[Row]:
    """Return the first `limit` of the chunks that readers may see, in their order."""
    if not chunks:
        return []
    parameters = {
        "bot_id": bot_id,
        "chunks": list(chunks),
        "lexemes": list(lexemes),
        "documents": None if documents is None else list(documents),
        "limit": limit,
    }
    return connection.execute(CHUNKS, parameters).fetchall()


def missing_of(connection: Connection, ranking: Sequence[UUID], shown: Sequence[Row], limit: int) -> frozenset[UUID]:
    """Return the candidates that are not there any more, of those before the last one that is shown.

    Where enough is found, the others do not matter.
    """
    considered = ranking if len(shown) < limit else ranking[: list(ranking).index(shown[-1]["id"])]
    seen = {row["id"] for row in shown}
    hidden = [chunk for chunk in considered if chunk not in seen]
    existing = connection.execute(EXISTING, {"chunks": hidden}).fetchall() if hidden else []
    return frozenset(hidden) - {row["id"] for row in existing}


def read_neighbours(connection: Connection, bot_id: UUID, chunks: Sequence[UUID], reach: int) -> Sequence[Row]:
    """Return the chunks of the same sections that stand up to `reach` places before or after these."""
    if not chunks or not reach:
        return []
    return connection.execute(NEIGHBOURS, {"bot_id": bot_id, "chunks": list(chunks), "reach": reach}).fetchall()
