"""Feedback: given, changed, taken back, listed. Every function runs in the caller's transaction."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, Final
from uuid import UUID

from chatsphere.audit.recording import note
from chatsphere.bots.bots import get_bot
from chatsphere.chat.feedback import queries
from chatsphere.db.database import Connection
from chatsphere.db.uuid_time import kept_between
from chatsphere.errors import ConflictError, NotFoundError
from chatsphere.ports.system import Ids
from chatsphere.privacy.end_users import refuse_erased
from chatsphere.retention.holds import lock_holds, refuse_if_held

Row = dict[str, Any]

WORST: Final = 1
BEST: Final = 5
"""A thumb down is the worst rating, a thumb up the best."""

GIVEN: Final = "feedback"
TAKEN_BACK: Final = "feedback.withdrawn"
"""How usage events call it."""

TRIES: Final = 3
"""How often somebody else's first rating, or its deletion, may come between looking and writing."""

MOST_SHOWN: Final = 10
"""Ratings that are shown with a message: whoever may chat may give any number, in as many names."""


class NotRateableError(ConflictError):
    """The message is no answer: what people ask is not rated."""

    code = "not_rateable"
    title = "Only answers can be rated"


@dataclass(frozen=True, slots=True)
class FeedbackFilter:
    """Which feedback is listed; None: any. `since` is inclusive, `until` exclusive, both of when it was first given."""

    min_rating: int = WORST
    max_rating: int = BEST
    end_user_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def give_feedback(
    connection: Connection,
    message_id: UUID,
    *,
    ids: Ids,
    rating: int,
    comment: str | None,
    end_user_id: str | None,
    now: datetime,
) -> Row:
    """Keep a rating, `WORST` to `BEST`, of an answer; a second one of the same end user replaces the first.

    Without `end_user_id` it is the one whose conversation it is.

    Raises:
        NotFoundError: there is no such message, or it is in another end user's conversation.
        NotRateableError: it is no answer.
        EndUserErasedError: the end user is being erased.
    """
    answer = _rated(connection, message_id, end_user_id)
    if answer["role"] != "assistant":
        raise NotRateableError("Only a bot's answers can be rated, not what it was asked.")
    values = _of(answer, message_id, end_user_id) | {"id": ids.new(), "rating": rating, "comment": comment, "now": now}
    refuse_erased(connection, answer["bot_id"], values["end_user_id"], now)
    row = _put(connection, values)
    if row["former_rating"] != rating:
        given_at = row["created_at"]
        if row["former_rating"] is not None:
            _count(connection, values, TAKEN_BACK, row["former_rating"], given_at, ids)
        _count(connection, values, GIVEN, rating, given_at, ids)
    return row


def take_back_feedback(connection: Connection, message_id: UUID, *, end_user_id: str | None, ids: Ids) -> None:
    """Delete what an end user said of an answer; without `end_user_id`, the one whose conversation it is.

    Raises:
        NotFoundError: there is no such message, or nothing was said of it.
        LegalHoldError: the conversation is held.
    """
    # Before the conversation is locked, as whoever deletes does.
    lock_holds(connection)
    answer = _rated(connection, message_id, end_user_id)
    refuse_if_held(connection, conversation_id=answer["conversation_id"])
    values = _of(answer, message_id, end_user_id)
    gone = connection.execute(queries.DELETE, values).fetchone()
    if gone is None:
        raise NotFoundError("There is no such feedback.")
    after = {"bot_id": str(gone["bot_id"]), "rating": gone["rating"]}
    note(connection, "feedback.deleted", "feedback", message_id, after=after)
    _count(connection, values, TAKEN_BACK, gone["rating"], gone["created_at"], ids)


def feedback_of(connection: Connection, messages: Collection[UUID]) -> dict[UUID, list[Row]]:
    """Return what was said of these messages, by message, the oldest first: of each the latest `MOST_SHOWN`."""
    if not messages:
        return {}
    rows = connection.execute(queries.OF_MESSAGES, {"messages": list(messages), "most": MOST_SHOWN}).fetchall()
    return {message: list(said) for message, said in groupby(rows, lambda row: row["message_id"])}


def feedback_page(
    connection: Connection, bot_id: UUID, wanted: FeedbackFilter, *, before: UUID | None, limit: int
) -> list[Row]:
    """Return what was said of a bot's answers, the newest first: `limit` and one more where there are more.

    Raises:
        NotFoundError: the tenant has no such bot.
    """
    get_bot(connection, bot_id)
    values = {
        "bot_id": bot_id,
        "min_rating": wanted.min_rating,
        "max_rating": wanted.max_rating,
        "end_user_id": wanted.end_user_id,
        "since": wanted.since,
        "until": wanted.until,
        "before": before,
        "limit": limit + 1,
    }
    return connection.execute(queries.PAGE, values).fetchall()


def _put(connection: Connection, values: Row) -> Row:
    for _ in range(TRIES):
        for statement in (queries.CHANGE, queries.PUT):
            row = connection.execute(statement, values).fetchone()
            if row is not None:
                return row
    raise ConflictError("Somebody else gives and takes back the same rating.")


def _count(connection: Connection, values: Row, metric: str, rating: int, given_at: datetime, ids: Ids) -> None:
    told = {"event_id": ids.new(), "metric": metric, "rating": rating, "given_at": given_at}
    connection.execute(queries.COUNT, values | told)


def _of(answer: Row, message_id: UUID, end_user_id: str | None) -> Row:
    return {
        "message_id": message_id,
        "message_created_at": answer["created_at"],
        "bot_id": answer["bot_id"],
        "conversation_id": answer["conversation_id"],
        "model": answer["model"],
        "channel": answer["channel"],
        "end_user_id": end_user_id or answer["end_user_id"],
    }


def _rated(connection: Connection, message_id: UUID, end_user_id: str | None) -> Row:
    row = connection.execute(queries.ANSWER, {"message_id": message_id} | kept_between(message_id)).fetchone()
    if row is None:
        raise NotFoundError("There is no such message.")
    if end_user_id is not None and row["end_user_id"] not in (None, end_user_id):
        raise NotFoundError("There is no such message.")
    return row
