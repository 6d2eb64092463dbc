"""Keeps the lexical index in step with the documents that readers see.

Every function runs inside the caller's transaction, as the tenant; what readers see changes when it commits.
Search reads one snapshot, so it meets a document's postings either complete or not at all.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection
from itertools import accumulate
from typing import Final
from uuid import UUID

from chatsphere.db.database import Connection
from chatsphere.knowledge.retrieval import lexical_queries as queries

SEGMENT_CHUNKS: Final = 8_192
"""Most chunks in a segment: a merge must end within seconds. An ordinal has 15 bits."""

MERGE_FACTOR: Final = 8
"""Segments of similar size before they are merged: each chunk is rewritten once per power of eight."""

INLINE_BUDGET: Final = 1_024
"""Chunks that indexing a document may rewrite on the side: about half a second of work."""


def index_document(connection: Connection, bot_id: UUID, document_id: UUID, generation: int) -> int:
    """Make a generation's chunks searchable, instead of any other generation's, and return how many are new.

    Call it after `documents.live_generation` was set, in the same transaction. Doing it again changes nothing.
    """
    unindex_document(connection, bot_id, document_id, except_generation=generation)
    added = 0
    while new := _add_segment(connection, bot_id, document_id, generation):
        added += new
    compact(connection, bot_id, budget=INLINE_BUDGET)
    return added


def unindex_document(connection: Connection, bot_id: UUID, document_id: UUID, *, except_generation: int | None) -> int:
    """Take a document's chunks, but for one generation if named, out of the index; return how many there were.

    Call it before the chunk rows are deleted: they say which postings to change. It waits for a merge of the
    same segments that is under way.
    """
    parameters: dict[str, object] = {
        "bot_id": bot_id,
        "document_id": document_id,
        "except_generation": except_generation,
    }
    segments = _hold_document_segments(connection, parameters)
    if not segments:
        return 0
    affected = {**parameters, "segments": list(segments)}
    connection.execute(queries.REMOVE_ENTRIES, affected)
    connection.execute(queries.DROP_EMPTY_POSTINGS, affected)
    removed = connection.execute(queries.FORGET_CHUNKS, affected).rowcount
    for segment_id in segments:
        connection.execute(queries.COUNT_SEGMENT, {"segment_id": segment_id})
    connection.execute(queries.DROP_EMPTY_SEGMENTS, affected)
    return removed


def unindex_bot(connection: Connection, bot_id: UUID) -> int:
    """Empty a bot's index at once, as when all its documents go; return how many chunks were in it."""
    connection.execute(queries.HOLD_INDEX, {"bot_id": bot_id})
    row = connection.execute(queries.DROP_INDEX, {"bot_id": bot_id}).fetchone()
    assert row is not None
    chunks: int = row["chunks"]
    return chunks


def compact(connection: Connection, bot_id: UUID, *, budget: int) -> int:
    """Merge segments of similar size, rewriting at most `budget` chunks; return how many were rewritten.

    Searching costs one look-up per segment and term, so few segments are better. Segments that another
    transaction is changing are left for the next time.
    """
    rewritten = 0
    while group := _mergeable(connection, bot_id, budget - rewritten):
        merged = _merge(connection, bot_id, group)
        if not merged:
            break
        rewritten += merged
    return rewritten


def _add_segment(connection: Connection, bot_id: UUID, document_id: UUID, generation: int) -> int:
    """Index up to a segment's worth of a document's chunks that are not indexed yet; return how many."""
    segment_id = _new_segment(connection, bot_id)
    assigned = connection.execute(
        queries.ASSIGN_CHUNKS,
        {
            "segment_id": segment_id,
            "bot_id": bot_id,
            "document_id": document_id,
            "generation": generation,
            "limit": SEGMENT_CHUNKS,
        },
    ).rowcount
    if assigned:
        _fill(connection, segment_id)
    else:
        connection.execute(queries.DROP_SEGMENTS, {"segments": [segment_id]})
    return assigned


def _merge(connection: Connection, bot_id: UUID, segments: Collection[UUID]) -> int:
    """Replace the segments that nobody else holds by one; return its number of chunks."""
    held = connection.execute(queries.HOLD_FREE_SEGMENTS, {"segments": list(segments)}).fetchall()
    if len(held) < len(segments):
        return 0
    segment_id = _new_segment(connection, bot_id)
    moved = connection.execute(
        queries.MOVE_CHUNKS, {"segment_id": segment_id, "from_segments": list(segments)}
    ).rowcount
    _fill(connection, segment_id)
    connection.execute(queries.DROP_SEGMENTS, {"segments": list(segments)})
    return moved


def _new_segment(connection: Connection, bot_id: UUID) -> UUID:
    row = connection.execute(queries.ADD_SEGMENT, {"bot_id": bot_id}).fetchone()
    assert row is not None
    segment_id: UUID = row["id"]
    return segment_id


def _fill(connection: Connection, segment_id: UUID) -> None:
    """Write postings and totals of a segment from the chunks assigned to it."""
    connection.execute(queries.WRITE_POSTINGS, {"segment_id": segment_id})
    connection.execute(queries.COUNT_SEGMENT, {"segment_id": segment_id})


def _mergeable(connection: Connection, bot_id: UUID, budget: int) -> list[UUID]:
    """Return segments of one size class to be merged, at most `budget` chunks together; none if too few."""
    classes: defaultdict[int, list[tuple[UUID, int]]] = defaultdict(list)
    for row in connection.execute(queries.SEGMENTS, {"bot_id": bot_id}):
        classes[_size_class(row["chunk_count"])].append((row["id"], row["chunk_count"]))
    for segments in classes.values():
        totals = list(accumulate(count for _, count in segments))
        fitting = bisect_right(totals, SEGMENT_CHUNKS)
        if len(segments) >= MERGE_FACTOR and fitting > 1 and totals[fitting - 1] <= budget:
            return [segment_id for segment_id, _ in segments[:fitting]]
    return []


def _size_class(chunks: int) -> int:
    """Return the power of eight that a segment has reached."""
    return (max(chunks, 1).bit_length() - 1) // 3


def _hold_document_segments(connection: Connection, parameters: dict[str, object]) -> set[UUID]:
    """Hold and return the segments that a document's chunks are in, however they move meanwhile."""
    held: set[UUID] = set()
    while True:
        found = {row["segment_id"] for row in connection.execute(queries.DOCUMENT_SEGMENTS, parameters)}
        if found <= held:
            return found
        if not held:
            connection.execute(queries.HOLD_INDEX, parameters)
        # A merge that finishes during the wait moves the chunks to a segment that is not held yet.
        held = {row["id"] for row in connection.execute(queries.HOLD_SEGMENTS, {"segments": list(found)})}
