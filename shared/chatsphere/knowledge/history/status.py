"""How far a bot's ingestion is: counts, what is under way, what failed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final, Self
from uuid import UUID

from chatsphere.db.database import Connection
from chatsphere.errors import NotFoundError
from chatsphere.knowledge.documents_queries import BOT_STATUS
from chatsphere.knowledge.history import queries

SHOWN_UNDER_WAY: Final = 50
SHOWN_FAILURES: Final = 20


@dataclass(frozen=True, slots=True)
class DocumentState:
    """One document as those see it who watch it; `progress` is the share, from 0 to 1, of its stage that is done."""

    id: UUID
    name: str | None
    status: str
    stage: str
    error_code: str | None
    error_message: str | None
    retryable: bool | None
    attempts: int
    generation: int
    page_count: int | None
    chunk_count: int | None
    sha256: str | None
    progress: float | None
    updated_at: datetime

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """Return the state that a row of `queries.STATE` holds."""
        return cls(**{field.name: row[field.name] for field in fields(cls)})


@dataclass(frozen=True, slots=True)
class Unfinished:
    """What was asked for first of all that is under way."""

    document_id: UUID
    stage: str
    requested_at: datetime


@dataclass(frozen=True, slots=True)
class TrainingUnderWay:
    """The bot's training that is under way."""

    id: UUID
    started_at: datetime


@dataclass(frozen=True, slots=True)
class IngestionStatus:
    """A bot's ingestion at one moment. `totals` counts documents by status, pages, chunks, tokens, bytes and cost.

    At most `SHOWN_UNDER_WAY` documents under way and `SHOWN_FAILURES` failed ones are listed; the counts are of all.
    """

    bot_id: UUID
    bot_status: str
    totals: Mapping[str, int]
    under_way: Sequence[DocumentState]
    oldest_unfinished: Unfinished | None
    failures: Sequence[DocumentState]
    training_run: TrainingUnderWay | None


def ingestion_status(connection: Connection, bot_id: UUID) -> IngestionStatus:
    """Return how far the bot's ingestion is.

    Raises:
        NotFoundError: the tenant has no such bot.
    """
    values = {"bot_id": bot_id}
    bot = connection.execute(BOT_STATUS, values).fetchone()
    if bot is None:
        raise NotFoundError("There is no such bot.")
    totals = connection.execute(queries.TOTALS, values).fetchone()
    oldest = connection.execute(queries.OLDEST_RUN, values).fetchone()
    training = connection.execute(queries.TRAINING_RUN, values).fetchone()
    failed = connection.execute(queries.LAST_FAILURES, values | {"limit": SHOWN_FAILURES})
    return IngestionStatus(
        bot_id=bot_id,
        bot_status=bot["status"],
        totals={name: int(value) for name, value in (totals or {}).items()},
        under_way=under_way(connection, bot_id),
        oldest_unfinished=Unfinished(**oldest) if oldest else None,
        failures=[DocumentState.of(row) for row in failed],
        training_run=TrainingUnderWay(**training) if training else None,
    )


def under_way(connection: Connection, bot_id: UUID) -> list[DocumentState]:
    """Return the documents under way, the oldest first, up to `SHOWN_UNDER_WAY`."""
    rows = connection.execute(queries.UNDER_WAY, {"bot_id": bot_id, "limit": SHOWN_UNDER_WAY})
    return [DocumentState.of(row) for row in rows]
