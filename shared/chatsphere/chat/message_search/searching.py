"""The use case: which messages of a bot match, by words, by meaning, or by both."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from psycopg.types.json import Jsonb

from chatsphere.bots.bots import get_bot
from chatsphere.chat.conversations import with_feedback
from chatsphere.chat.message_search import queries
from chatsphere.chat.message_search.highlights import Snippet, candidates, snippet_of
from chatsphere.chat.message_search.semantic import SemanticSearch
from chatsphere.db.database import SLOW_READ_MS, Connection, Database
from chatsphere.ports.message_vectors import MessageFilter, MessageMatch

Mode = Literal["fulltext", "semantic", "both"]
Row = dict[str, Any]

CANDIDATES: Final = 200
"""How many messages each side finds where both are asked, or where the metadata are looked at afterwards."""

MARKED_WORDS: Final = 5000
"""Distinct words of the messages on a page of which is looked at whether they match: each one costs time."""

RRF: Final = 60
"""Reciprocal rank fusion's constant: of each side, 1 / (RRF + rank)."""

SKEW: Final = timedelta(days=1)
"""Messages are looked for up to this far ahead: writers' clocks differ."""


@dataclass(frozen=True, slots=True)
class MessageQuery:
    """What is looked for; None: any. `since` is inclusive, `until` exclusive.

    `text` None: whatever meets the other conditions, the newest first.
    """

    organization_id: UUID
    user_id: UUID | None
    bot_id: UUID
    text: str | None
    mode: Mode
    conversation_id: UUID | None = None
    end_user_id: str | None = None
    role: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    metadata: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Scores:
    """Of each side, None where it did not find the message: words close together in [0, 1), cosine in [-1, 1]."""

    fulltext: float | None = None
    semantic: float | None = None
    fused: float | None = None


@dataclass(frozen=True, slots=True)
class MessageHit:
    """A message that was found, as a row with its conversation's title, and why."""

    message: Row
    snippet: Snippet
    scores: Scores


def search_messages(
    wanted: MessageQuery,
    *,
    limit: int,
    before: UUID | None,
    now: datetime,
    database: Database,
    memory: SemanticSearch | None,
) -> list[MessageHit]:
    """Return the hits: by words the newest first, else up to `limit`, the best first.

    By words it is `limit` and one more where there are more; `before` is then the last message of the page before.

    Raises:
        NotFoundError: the tenant has no such bot.
        UnavailableError: the database, the vector store or the embedder does not answer.
    """
    by_words = wanted.text is None or wanted.mode == "fulltext"
    # Not within a transaction: the embedder or the vector store is called.
    nearest = () if by_words or memory is None else _nearest(wanted, memory, limit)
    with database.transaction(wanted.organization_id, wanted.user_id, statement_ms=SLOW_READ_MS) as connection:
        bot = get_bot(connection, wanted.bot_id)
        bounds = {
            "since": max(wanted.since or bot.created_at - SKEW, bot.created_at - SKEW),
            "until": min(wanted.until or now + SKEW, now + SKEW),
        }
        if by_words:
            worded = _by_words(connection, wanted, bounds, before=before, by_score=False, limit=limit + 1)
            scores = {row["id"]: Scores(fulltext=row["score"]) for row in worded}
        elif wanted.mode == "semantic":
            scores = {match.message_id: Scores(semantic=match.score) for match in nearest}
        else:
            worded = _by_words(connection, wanted, bounds, before=None, by_score=True, limit=CANDIDATES)
            scores = fused(worded, nearest)
        rows = _read(connection, wanted, bounds, list(scores))
        shown = [rows[message] for message in scores if message in rows][: limit + 1 if by_words else limit]
        shown = with_feedback(connection, shown)
        matching = _matching(connection, wanted.text, shown)
    text = wanted.text or ""
    return [MessageHit(row, snippet_of(row["content"], text, matching), scores[row["id"]]) for row in shown]


def fused(worded: Sequence[Mapping[str, Any]], nearest: Sequence[MessageMatch]) -> dict[UUID, Scores]:
    """Return the scores of what either side found, each in its order, the best of both first."""
    words = {row["id"]: (rank, float(row["score"])) for rank, row in enumerate(worded, 1)}
    meant = {match.message_id: (rank, match.score) for rank, match in enumerate(nearest, 1)}
    scores = {}
    for message in (*words, *(meant.keys() - words.keys())):
        sides = [side[message] for side in (words, meant) if message in side]
        scores[message] = Scores(
            fulltext=words[message][1] if message in words else None,
            semantic=meant[message][1] if message in meant else None,
            fused=sum(1 / (RRF + rank) for rank, _ in sides),
        )
    # Ids are in the order of time: of equal scores, the newer first.
    best = sorted(scores, key=lambda message: (-(scores[message].fused or 0), -message.int))
    return {message: scores[message] for message in best}


def _nearest(wanted: MessageQuery, memory: SemanticSearch, limit: int) -> Sequence[MessageMatch]:
    where = MessageFilter(
        conversations=None if wanted.conversation_id is None else (wanted.conversation_id,),
        end_user_id=wanted.end_user_id,
        role=wanted.role,
        since=wanted.since,
        until=wanted.until,
    )
    enough = limit if wanted.mode == "semantic" and wanted.metadata is None else CANDIDATES
    return memory.search(wanted.organization_id, wanted.bot_id, wanted.text or "", limit=enough, where=where)


def _by_words(
    connection: Connection,
    wanted: MessageQuery,
    bounds: dict[str, datetime],
    *,
    before: UUID | None,
    by_score: bool,
    limit: int,
) -> list[Row]:
    values = _conditions(wanted) | bounds | {"query": wanted.text, "before": before, "by_score": by_score}
    return connection.execute(queries.BY_WORDS, values | {"limit": limit}).fetchall()


def _read(
    connection: Connection, wanted: MessageQuery, bounds: dict[str, datetime], ids: list[UUID]
) -> dict[UUID, Row]:
    if not ids:
        return {}
    rows = connection.execute(queries.MESSAGES, _conditions(wanted) | bounds | {"ids": ids}).fetchall()
    return {row["id"]: row for row in rows}


def _matching(connection: Connection, query: str | None, shown: Sequence[Row]) -> frozenset[str]:
    words = sorted(candidates([row["content"] for row in shown], query))[:MARKED_WORDS] if query else []
    if not words:
        return frozenset()
    rows = connection.execute(queries.MATCHING_WORDS, {"words": words, "query": query}).fetchall()
    return frozenset(row["word"] for row in rows)


def _conditions(wanted: MessageQuery) -> Row:
    return {
        "bot_id": wanted.bot_id,
        "conversation_id": wanted.conversation_id,
        "end_user_id": wanted.end_user_id,
        "role": wanted.role,
        "metadata": None if not wanted.metadata else Jsonb(dict(wanted.metadata)),
    }
