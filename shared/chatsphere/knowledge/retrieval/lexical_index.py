"""Keeps the lexical index in step with the documents that readers see.

Every function runs inside the caller's transaction, as the tenant; what readers see changes when it commits.
Search reads one snapshot, so it meets a document's postings either complete or not at all.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection
from itertools import accumulate
from typing import Any, Final
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
    row = connection.execute(queries.SHOW_SEGMENTS, {"document_id": document_id}).fetchone()
    added: int = row["chunks"] if row else 0
    while new := _add_segment(connection, bot_id, document_id, generation):
        added += new
    compact(connection, bot_id, budget=INLINE_BUDGET)
    return added


def index_ahead(connection: Connection, bot_id: UUID, document_id: UUID, generation: int) -> int:
    """Index a segment's worth of a generation that readers do not see yet, and return how many chunks that was.

    Nothing that readers see depends on it before `index_document`, which then has the less to do.
    """
    return _add_segment(connection, bot_id, document_id, generation, unseen=True)


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
    removed = 0
    for row in connection.execute(queries.SEGMENTS_OF_ITS_OWN, {**parameters, "segments": list(segments)}).fetchall():
        # Nothing else is in it: nothing has to be looked for.
        connection.execute(queries.DROP_SEGMENTS, {"segments": [row["id"]]})
        segments.discard(row["id"])
        removed += row["chunks"]
    if segments:
        removed += _take_out(connection, {**parameters, "segments": list(segments)})
    return removed


def unindex_some(connection: Connection, bot_id: UUID, document_id: UUID | None = None) -> int:
    """Take up to a segment's worth of chunks out of the index, a document's or else any of the bot's; return how many.

    Call it again, each time in a transaction of its own, until there are none. It is for what nobody shall see any
    more: between two calls a part is searchable.
    """
    if document_id is None:
        connection.execute(queries.HOLD_INDEX, {"bot_id": bot_id})
        dropped = connection.execute(queries.DROP_ONE_SEGMENT, {"bot_id": bot_id}).fetchone()
        return dropped["chunks"] if dropped else 0
    parameters: dict[str, object] = {"bot_id": bot_id, "document_id": document_id, "except_generation": None}
    found = connection.execute(queries.SEGMENT_OF_DOCUMENT, parameters).fetchone()
    if not found:
        return 0
    connection.execute(queries.HOLD_INDEX, parameters)
    while found:
        segments = [found["segment_id"]]
        connection.execute(queries.HOLD_SEGMENTS, {"segments": segments})
        now = connection.execute(queries.SEGMENT_OF_DOCUMENT, parameters).fetchone()
        if now and now["segment_id"] == found["segment_id"]:
            if not now["alone"]:
                return _take_out(connection, {**parameters, "segments": segments})
            connection.execute(queries.DROP_SEGMENTS, {"segments": segments})
            return int(now["chunks"])
        # A merge that finished during the wait moved the chunks.
        found = now
    return 0


def rebuild_segment(connection: Connection, bot_id: UUID, segment_id: UUID) -> None:
    """Write a segment anew from the chunks that are in it: what it still said of others is gone.

    One that another transaction is changing is left as it is.
    """
    connection.execute(queries.HOLD_INDEX, {"bot_id": bot_id})
    held = connection.execute(queries.HOLD_FREE_SEGMENTS, {"segments": [segment_id]}).fetchall()
    if held and not _merge(connection, bot_id, [segment_id]):
        connection.execute(queries.DROP_ALL_EMPTY_SEGMENTS, {"bot_id": bot_id})


def _take_out(connection: Connection, affected: dict[str, object]) -> int:
    """Take a document's chunks out of segments that are held; return how many there were."""
    connection.execute(queries.REMOVE_ENTRIES, affected)
    connection.execute(queries.DROP_EMPTY_POSTINGS, affected)
    removed = connection.execute(queries.FORGET_CHUNKS, affected).rowcount
    segments: Any = affected["segments"]
    for segment_id in segments:
        connection.execute(queries.COUNT_SEGMENT, {"segment_id": segment_id})
    connection.execute(queries.DROP_EMPTY_SEGMENTS, affected)
    return removed


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


def _add_segment(
    connection: Connection, bot_id: UUID, document_id: UUID, generation: int, *, unseen: bool = False
) -> int:
    """Index up to a segment's worth of a document's chunks that are not indexed yet; return how many."""
    segment_id = _new_segment(connection, bot_id, unseen_document_id=document_id if unseen else None)
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


def _new_segment(connection: Connection, bot_id: UUID, unseen_document_id: UUID | None = None) -> UUID:
    values = {"bot_id": bot_id, "unseen_document_id": unseen_document_id}
    row = connection.execute(queries.ADD_SEGMENT, values).fetchone()
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
