"""A source's step, held: who has it, and how it is given on."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import UUID

from chatsphere.db.database import Database
from chatsphere.knowledge.web import steps_queries as queries
from chatsphere.knowledge.web.messages import FetchMessage
from chatsphere.knowledge.web.times import PICKUP, STEP_LEASE
from chatsphere.ports.system import Clock, Ids
from chatsphere.queue_batches import NotNowError


@dataclass(frozen=True, slots=True)
class Step:
    """A step that this worker has taken up, and its source as it was then."""

    message: FetchMessage
    token: UUID
    kind: str
    url: str
    name: str | None
    max_pages: int
    max_depth: int
    status: str
    sync: int
    is_complete: bool
    failures: int
    error_code: str | None
    error_message: str | None
    sync_started_at: datetime | None
    bot_status: str

    @classmethod
    def of(cls, message: FetchMessage, token: UUID, row: dict[str, Any]) -> Self:
        """Read a row of `TAKE_STEP`."""
        return cls(message=message, token=token, **row)

    @property
    def is_one_page(self) -> bool:
        """Whether the source is one page that somebody named."""
        return self.kind == "page"

    @property
    def depth_followed(self) -> int:
        """Pages less deep are asked for their links."""
        return self.max_depth if self.kind == "crawl" else 0

    @property
    def values(self) -> dict[str, Any]:
        """What every statement of the step needs."""
        return {
            "bot_id": self.message.bot_id,
            "source_id": self.message.source_id,
            "sync": self.sync,
            "token": self.token,
        }


def take_step(database: Database, message: FetchMessage, clock: Clock, ids: Ids) -> Step | None:
    """Take a step up; None where it was made, or is not to be made any more.

    Raises:
        NotNowError: somebody is at it; should it not be ended, the message takes it over later.
    """
    now, token = clock.now(), ids.new()
    values = message.model_dump() | {"token": token, "now": now, "lease_expires_at": now + STEP_LEASE}
    with database.transaction(message.organization_id) as connection:
        row = connection.execute(queries.TAKE_STEP, values).fetchone()
        if row is None:
            if connection.execute(queries.IS_TAKEN, values).fetchone() is not None:
                raise NotNowError("somebody is at the step")
            return None
    return Step.of(message, token, row)


def give_back(database: Database, step: Step, now: datetime) -> None:
    """Let the message make the step again: something of our own failed."""
    with database.transaction(step.message.organization_id) as connection:
        connection.execute(queries.GIVE_BACK, step.values | {"step": step.message.step, "now": now})


def pickup(now: datetime, wait: timedelta = timedelta(0)) -> datetime:
    """Return until when a message that is sent now must have been taken up."""
    return now + wait + PICKUP
