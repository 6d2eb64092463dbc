"""Answers whose function was killed: kept, as far as they were noted, by whoever finds them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from chatsphere.chat import under_way
from chatsphere.chat import under_way_queries as queries
from chatsphere.chat.keeping import AnswerInterruptedError, holding, settle_spending, write_turn
from chatsphere.db.database import Connection, Database
from chatsphere.errors import NotFoundError
from chatsphere.failures import public_error
from chatsphere.observability import Metric, record
from chatsphere.ports.system import Clock, Ids

MAX_ANSWERS: Final = 200
"""Interrupted answers of one look."""


def settle_interrupted(connection: Connection, message_id: UUID, *, now: datetime, ids: Ids) -> bool:
    """Keep the answer as interrupted if its time is over; return whether this call did.

    Its function cannot keep it any more, nor can anybody else. What it is known to have used is counted.
    """
    row = connection.execute(queries.TAKE_EXPIRED, {"message_id": message_id, "now": now}).fetchone()
    if row is None:
        return False
    turn = under_way.asked_turn(row)
    draft = under_way.draft_of(row["progress"], turn)
    draft.interrupt(AnswerInterruptedError())
    # Not now: a message is found by its id because it is dated near it.
    ended_at = row["expires_at"]
    try:
        holding(connection, turn, ended_at)()
    except NotFoundError:
        # There is nothing left to keep it in.
        settle_spending(connection, turn, draft)
    else:
        write_turn(connection, turn, draft, row["progress"].get("latency_ms", {}), ids, ended_at)
    record(Metric.ANSWERS_INTERRUPTED)
    return True


def settle_conversation(connection: Connection, conversation_id: UUID, *, now: datetime, ids: Ids) -> None:
    """Keep the interrupted answers of a conversation, so that whoever reads it sees them."""
    values = {"conversation_id": conversation_id, "now": now, "limit": MAX_ANSWERS}
    for row in connection.execute(queries.EXPIRED_OF_CONVERSATION, values).fetchall():
        settle_interrupted(connection, row["message_id"], now=now, ids=ids)


@dataclass(frozen=True, slots=True)
class AnswerReaper:
    """Looks across tenants with `reaper_database`, acts as one tenant with `database`."""

    reaper_database: Database
    database: Database
    clock: Clock
    ids: Ids

    def reap(self) -> int:
        """Keep interrupted answers, up to a bound; return how many there were."""
        values = {"now": self.clock.now(), "limit": MAX_ANSWERS}
        with self.reaper_database.transaction(None) as connection:
            found = connection.execute(queries.EXPIRED, values).fetchall()
        for row in found:
            self._try_to_settle(row["organization_id"], row["message_id"])
        return len(found)

    def _try_to_settle(self, organization_id: UUID, message_id: UUID) -> None:
        try:
            with self.database.transaction(organization_id) as connection:
                settle_interrupted(connection, message_id, now=self.clock.now(), ids=self.ids)
        except Exception as error:
            # One answer must not keep the reaper from all others; this one is found again by the next run.
            public_error(error)
