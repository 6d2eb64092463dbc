"""Evaluation sets of a bot: made, read, changed, deleted. Each function runs in the caller's transaction."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from chatsphere.db.database import Connection
from chatsphere.errors import NotFoundError
from chatsphere.evaluation import queries
from chatsphere.evaluation.model import (
    MAX_SETS,
    EvaluationSet,
    EvaluationSetNameTakenError,
    TooManyEvaluationSetsError,
)


def create_set(
    connection: Connection, bot_id: UUID, name: str, description: str, *, set_id: UUID, now: datetime
) -> EvaluationSet:
    """Make an empty set.

    Raises:
        NotFoundError: there is no such bot.
        TooManyEvaluationSetsError: the bot has `MAX_SETS`.
        EvaluationSetNameTakenError: one of them has the name.
    """
    if connection.execute(queries.HOLD_BOT, {"bot_id": bot_id}).fetchone() is None:
        raise NotFoundError("There is no such bot.")
    counted = connection.execute(queries.COUNT_SETS, {"bot_id": bot_id}).fetchone()
    if counted is not None and counted["sets"] >= MAX_SETS:
        raise TooManyEvaluationSetsError
    values = {"id": set_id, "bot_id": bot_id, "name": name, "description": description, "now": now}
    if connection.execute(queries.INSERT_SET, values).rowcount == 0:
        raise EvaluationSetNameTakenError
    return get_set(connection, bot_id, set_id)


def get_set(connection: Connection, bot_id: UUID, set_id: UUID) -> EvaluationSet:
    """Return one set.

    Raises:
        NotFoundError: the bot has no such set.
    """
    row = connection.execute(queries.GET_SET, {"bot_id": bot_id, "set_id": set_id}).fetchone()
    if row is None:
        raise _no_set()
    return EvaluationSet(**row)


def hold_set(connection: Connection, bot_id: UUID, set_id: UUID) -> None:
    """Keep others from adding to a set, or deleting it, until the transaction ends.

    Raises:
        NotFoundError: the bot has no such set.
    """
    if connection.execute(queries.HOLD_SET, {"bot_id": bot_id, "set_id": set_id}).fetchone() is None:
        raise _no_set()


def sets_page(connection: Connection, bot_id: UUID, *, after: UUID | None, limit: int) -> Sequence[EvaluationSet]:
    """Return sets after a cursor, newest first: `limit` and one more where there are more."""
    values = {"bot_id": bot_id, "after": after, "limit": limit + 1}
    return [EvaluationSet(**row) for row in connection.execute(queries.SETS_PAGE, values)]


def change_set(
    connection: Connection, bot_id: UUID, set_id: UUID, *, name: str | None, description: str | None, now: datetime
) -> EvaluationSet:
    """Change what is not None.

    Raises:
        NotFoundError: the bot has no such set.
        EvaluationSetNameTakenError: another of its sets has the name.
    """
    # Who names a set holds the bot: two sets cannot take one name at once.
    connection.execute(queries.HOLD_BOT, {"bot_id": bot_id})
    values = {"bot_id": bot_id, "set_id": set_id, "name": name, "description": description, "now": now}
    if name is not None and connection.execute(queries.NAMED_SO, values).fetchone() is not None:
        raise EvaluationSetNameTakenError
    connection.execute(queries.UPDATE_SET, values)
    return get_set(connection, bot_id, set_id)


def delete_set(connection: Connection, bot_id: UUID, set_id: UUID) -> None:
    """Delete a set with its cases.

    Raises:
        NotFoundError: the bot has no such set.
    """
    if connection.execute(queries.DELETE_SET, {"bot_id": bot_id, "set_id": set_id}).rowcount == 0:
        raise _no_set()


def _no_set() -> NotFoundError:
    return NotFoundError("There is no such evaluation set.")
