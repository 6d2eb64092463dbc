"""Starting, showing and cancelling runs."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from chatsphere.billing.budgets import require_left
from chatsphere.billing.work import price_of
from chatsphere.db.database import Connection
from chatsphere.errors import ConflictError, InvalidRequestError, NotFoundError
from chatsphere.knowledge.documents import require_open_bot
from chatsphere.knowledge.training import queries
from chatsphere.knowledge.training.ending import RunEnding
from chatsphere.knowledge.training.messages import TrainingMessage
from chatsphere.knowledge.training.times import RUN_LEASE
from chatsphere.ports.embedding import EmbeddingModel


class UnknownEmbeddingModelError(InvalidRequestError):
    """The request names an embedding model that this deployment does not have."""

    code = "unknown_embedding_model"
    title = "The embedding model is not known"


class TrainingInProgressError(ConflictError):
    """The bot is being embedded anew; wait until that has ended, or cancel it."""

    code = "training_in_progress"
    title = "The bot is being embedded anew already"


class TrainingEndedError(ConflictError):
    """The run has ended; there is nothing to cancel."""

    code = "training_ended"
    title = "The training run has ended"


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run would take, before it begins. Tokens are counted as they were when the documents were read."""

    documents: int
    chunks: int
    tokens: int
    batches: int
    cost_microdollars: int
    from_model: str | None
    to_model: str
    memory_messages: int | None = None
    memory_tokens: int | None = None


def estimate(
    connection: Connection, bot_id: UUID, model: EmbeddingModel, *, memory: tuple[int, int] | None = None
) -> Estimate:
    """Return what it would take to embed the bot with the model; `memory` are the messages and tokens of its own.

    Raises:
        NotFoundError: the tenant has no such bot.
        BotArchivedError: it is archived.
        TrainingInProgressError: it is being embedded anew already.
    """
    require_open_bot(connection, bot_id)
    if connection.execute(queries.IS_RUNNING, {"bot_id": bot_id}).fetchone():
        raise TrainingInProgressError("Wait until the training run has ended, or cancel it.")
    row = connection.execute(queries.ESTIMATE, {"bot_id": bot_id}).fetchone()
    assert row is not None, "the bot was found"
    messages, tokens = memory or (None, None)
    return Estimate(
        row["documents"],
        row["chunks"],
        row["tokens"],
        row["batches"],
        model.cost(row["tokens"] + (tokens or 0)),
        row["model"],
        model.name,
        messages,
        tokens,
    )


def start_run(
    connection: Connection,
    organization_id: UUID,
    bot_id: UUID,
    model: EmbeddingModel,
    *,
    run_id: UUID,
    now: datetime,
    memory: tuple[int, int] | None = None,
) -> dict[str, Any]:
    """Begin to embed the bot with the model, also with the one it has: that makes lost vectors anew.

    Raises:
        NotFoundError, BotArchivedError, TrainingInProgressError: as `estimate`.
        BudgetExhaustedError: what is left of the month's budget does not hold the estimate.
    """
    # Two who start at once: the second one waits here, and then sees the first one's run.
    connection.execute(queries.HOLD_BOT, {"bot_id": bot_id})
    expected = estimate(connection, bot_id, model, memory=memory)
    price = price_of(model, expected.tokens + (expected.memory_tokens or 0))
    require_left(connection, price, organization_id=organization_id, now=now)
    values = {
        "run_id": run_id,
        "bot_id": bot_id,
        "model": model.name,
        "dimensions": model.dimensions,
        "estimate": Jsonb(asdict(expected)),
        "lease_expires_at": now + RUN_LEASE,
        "now": now,
    }
    connection.execute(queries.START, values)
    return get_run(connection, bot_id, run_id)


def cancel_run(connection: Connection, message: TrainingMessage, ending: RunEnding) -> dict[str, Any]:
    """End a run; what it has made is deleted.

    Raises:
        NotFoundError: the bot has no such run.
        TrainingEndedError: it has ended.
    """
    get_run(connection, message.bot_id, message.training_run_id)
    if not ending.give_up(connection, message, "cancelled", None):
        raise TrainingEndedError("There is nothing to cancel any more.")
    return get_run(connection, message.bot_id, message.training_run_id)


def get_run(connection: Connection, bot_id: UUID, run_id: UUID) -> dict[str, Any]:
    """Return one run of the bot, of whatever kind.

    Raises:
        NotFoundError: the bot has no such run.
    """
    row = connection.execute(queries.GET, {"bot_id": bot_id, "run_id": run_id}).fetchone()
    if row is None:
        raise NotFoundError("There is no such training run.")
    return row


def runs_page(
    connection: Connection, bot_id: UUID, *, kind: str | None, after: UUID | None, limit: int
) -> list[dict[str, Any]]:
    """Return `limit` of the bot's runs after a cursor, newest first, and one more where there are more."""
    values = {"bot_id": bot_id, "kind": kind, "after": after, "limit": limit + 1}
    return connection.execute(queries.PAGE, values).fetchall()


def chosen_model(models: Sequence[EmbeddingModel], name: str) -> EmbeddingModel:
    """Return the model of this name.

    Raises:
        UnknownEmbeddingModelError: there is none.
    """
    for model in models:
        if model.name == name:
            return model
    raise UnknownEmbeddingModelError("Choose one of: " + ", ".join(model.name for model in models) + ".")
