"""The cache of answers. What is kept is which message holds the answer, and not what it says: that is read from the
message each time, and goes with it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from chatsphere.chat.cache.basis import answer_key
from chatsphere.chat.draft import CacheUse, Draft
from chatsphere.chat.events import Usage
from chatsphere.chat.message_rows import citation_of
from chatsphere.chat.stored_answers import stored_answer, with_text
from chatsphere.chat.turns import AskedTurn, OpenTurn
from chatsphere.db.database import Connection, Database
from chatsphere.errors import NotFoundError
from chatsphere.observability import Metric, logger, record
from chatsphere.ports.cache import Cache, CacheSpace
from chatsphere.queue_batches import describe

KIND: Final = "answer"

BAD_RATING: Final = 2
"""An answer that somebody rated like this or worse is not given to anybody else."""

WAS_DISLIKED: Final = """
    SELECT EXISTS (
        SELECT FROM conversation_feedback
        WHERE organization_id = app.current_organization() AND message_id = %(message_id)s AND rating <= %(bad)s
    ) OR EXISTS (
        SELECT FROM conversation_feedback said
        JOIN messages copy ON copy.organization_id = app.current_organization() AND copy.id = said.message_id
            AND copy.created_at = said.message_created_at
        WHERE said.organization_id = app.current_organization() AND said.bot_id = %(bot_id)s
          AND said.id > %(message_id)s AND said.rating <= %(bad)s
          AND copy.metadata ->> 'cached_from' = %(message_id)s::text
    ) AS disliked
"""
"""Whether it was rated badly, in whichever conversation it was given. Ids are in the order of time."""


@dataclass(frozen=True, slots=True)
class CachedAnswers:
    """The `AnswerCache` of the running service. An answer may be given again for `seconds`."""

    database: Database
    cache: Cache
    seconds: int

    def look_up(self, turn: OpenTurn, draft: Draft) -> bool:
        """See `AnswerCache.look_up`."""
        if not _stands_alone(turn, draft):
            return False
        try:
            return self._look_up(turn, draft)
        except Exception as error:
            _failed(error)
            return False

    def store(self, turn: OpenTurn, draft: Draft) -> None:
        """See `AnswerCache.store`."""
        if draft.cache is None or not _may_be_given_again(draft):
            return
        try:
            self.cache.put(_space(turn), draft.cache.key, turn.answer_id.bytes, seconds=self.seconds)
        except Exception as error:
            _failed(error)

    def _look_up(self, turn: OpenTurn, draft: Draft) -> bool:
        key = answer_key(turn, draft.question_asked)
        if key is None:
            return False
        draft.cache = CacheUse(key)
        found = self.cache.get(_space(turn), key)
        if found is None:
            return False
        with self.database.transaction(turn.question.organization_id) as connection:
            return _fill(connection, turn, draft, UUID(bytes=found))


def _space(turn: AskedTurn) -> CacheSpace:
    return CacheSpace(turn.question.organization_id, turn.question.bot_id, KIND)


def _stands_alone(turn: OpenTurn, draft: Draft) -> bool:
    """Return whether nothing that was said before can have a part in the answer."""
    return turn.bot.configuration.cache and not turn.history and not turn.question.history and not draft.recalled


def _may_be_given_again(draft: Draft) -> bool:
    """Return whether the answer is whole, and rests on documents or on there being nothing in them.

    One for which words alone were searched is not: once the embedding model is back, the same question finds more.
    """
    if draft.cached or draft.by_words_alone or draft.error is not None or not draft.text.strip():
        return False
    return draft.finish_reason == "refused" or (draft.finish_reason == "stop" and draft.answerable)


def _fill(connection: Connection, turn: OpenTurn, draft: Draft, message_id: UUID) -> bool:
    """Fill the draft with the kept answer, if all that it rests on can still be shown.

    The text of its sources is read last, and only what readers may see at that moment: where a document was deleted
    since its revision was looked at, nothing of it is shown.
    """
    try:
        row = stored_answer(connection, message_id)
    except NotFoundError:
        return False
    values = {"bot_id": row["bot_id"], "message_id": message_id, "bad": BAD_RATING}
    disliked = connection.execute(WAS_DISLIKED, values).fetchone()
    if row["bot_id"] != turn.question.bot_id or disliked is None or disliked["disliked"]:
        return False
    sources = with_text(connection, turn.question.bot_id, row["sources"])
    if not all(source.content for source in sources):
        return False
    draft.text, draft.sources = row["content"], sources
    draft.citations = [citation_of(citation) for citation in row["citations"]]
    draft.answerable, draft.reason, draft.finish_reason = row["answerable"], row["reason"], row["finish_reason"]
    draft.confidence = row["metadata"].get("confidence", 0.0)
    assert draft.cache is not None
    draft.cache = CacheUse(draft.cache.key, saved=_used(row), original=message_id)
    return True


def _used(row: Mapping[str, Any]) -> Usage:
    return Usage(
        row["prompt_tokens"] or 0,
        row["completion_tokens"] or 0,
        row["cost_microdollars"] or 0,
        row["embedding_tokens"] or 0,
    )


def _failed(error: Exception) -> None:
    record(Metric.CACHE_FAILURES)
    logger.warning("answered without the cache", **describe(error))
