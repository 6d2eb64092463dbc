"""Waiting for the month's budget: a document whose next step it has no room for is put aside until it has.

Nobody tells when there is room: answers under way take less than was set aside for them, somebody raises the budget, a
month begins. So the reaper looks, once for each organization and not for each document.
"""

# Only constants are put together here; every value is a parameter.
# ruff: noqa: S608

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from chatsphere.billing.budgets import Spending, left_of_budget
from chatsphere.db.database import Connection, Database
from chatsphere.knowledge.ingestion.messages import ExtractMessage
from chatsphere.knowledge.ingestion.parts import BATCH_CHUNKS
from chatsphere.knowledge.ingestion.times import DEADLINE, TIME_PER_CHUNK
from chatsphere.observability import logger
from chatsphere.ports.system import Clock
from chatsphere.queue_batches import describe

AT_ONCE: Final = 50
"""Documents of one organization that go on at a time."""

ORGANIZATIONS: Final = 200
"""Organizations that one run looks at."""

AWAIT_BUDGET: Final = """
    UPDATE documents
    SET stage = 'budget', lease_expires_at = NULL, deadline_at = NULL, awaited_tokens = %(tokens)s,
        awaited_microdollars = %(microdollars)s, updated_at = %(now)s
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND id = %(document_id)s
      AND generation = %(generation)s AND status = 'embedding' AND stage <> 'budget'
"""
"""Put a document aside that was read to its end. While one is read, its last batch is yet to come."""

AWAIT_BUDGET_FOR_READING: Final = """
    UPDATE documents
    SET status = 'registered', stage = 'budget', lease_token = NULL, lease_expires_at = NULL, deadline_at = NULL,
        attempts = GREATEST(attempts - 1, 0), awaited_tokens = %(tokens)s, awaited_microdollars = %(microdollars)s,
        updated_at = %(now)s
    WHERE organization_id = app.current_organization() AND id = %(document_id)s AND generation = %(generation)s
      AND status = 'extracting' AND lease_token = %(token)s
"""
"""Put a document aside whose next page costs more than there is; the try does not count."""

WAITING_ORGANIZATIONS: Final = """
    SELECT organization_id FROM documents
    WHERE status IN ('registered', 'extracting', 'embedding') AND stage = 'budget'
    GROUP BY organization_id ORDER BY random() LIMIT %(limit)s
"""
"""As the reaper: whose documents wait. Drawn by lot: of those whose budgets stay used up there may be more than one run
looks at, and they must not keep out the others."""

_GO_ON: Final = """
    UPDATE documents
    SET stage = CASE status WHEN 'embedding' THEN 'embed' ELSE 'extract' END, lease_expires_at = %(now)s,
        deadline_at = %(deadline_at)s + COALESCE(expected_batches, 0) * %(batch_time)s, awaited_tokens = NULL,
        awaited_microdollars = NULL, updated_at = %(now)s
    WHERE organization_id = app.current_organization() AND stage = 'budget'
      AND status IN ('registered', 'extracting', 'embedding')
"""

GO_ON: Final = f"""{_GO_ON}
      AND id = ANY (ARRAY(
        SELECT id FROM (
            SELECT id, sum(awaited_tokens) OVER waited AS tokens, sum(awaited_microdollars) OVER waited AS microdollars
            FROM documents
            WHERE organization_id = app.current_organization()
              AND status IN ('registered', 'extracting', 'embedding') AND stage = 'budget'
              AND (%(tokens)s::bigint IS NULL OR awaited_tokens = 0 OR awaited_tokens <= %(tokens)s)
              AND (%(microdollars)s::bigint IS NULL OR awaited_microdollars <= %(microdollars)s)
            WINDOW waited AS (ORDER BY updated_at, id)
            ORDER BY updated_at, id LIMIT %(at_once)s) fitting
        WHERE (%(tokens)s::bigint IS NULL OR tokens <= GREATEST(%(tokens)s, 0))
          AND (%(microdollars)s::bigint IS NULL OR microdollars <= %(microdollars)s)))
"""
"""Let so many documents go on as there is room for, the longest waiting first. Their leases have run out, and their
time begins anew: who looks for stalled work takes them up."""

GO_ON_OF_BOT: Final = f"{_GO_ON} AND bot_id = %(bot_id)s"
"""Let all documents of a bot go on."""


def await_budget(database: Database, message: ExtractMessage, needed: Spending, now: datetime) -> None:
    """Put the message's document aside until the budget has room for one of its batches."""
    with database.transaction(message.organization_id) as connection:
        connection.execute(AWAIT_BUDGET, {**message.model_dump(), **_awaited(needed), "now": now})
    logger.info("document awaits budget", document_id=str(message.document_id), awaited=_awaited(needed))


def await_budget_for_reading(
    database: Database, message: ExtractMessage, lease: Mapping[str, Any], needed: Spending, now: datetime
) -> None:
    """Put the extraction aside that holds the lease with these values, until the budget has room for a page."""
    with database.transaction(message.organization_id) as connection:
        connection.execute(AWAIT_BUDGET_FOR_READING, {**lease, **_awaited(needed), "now": now})
    logger.info("document awaits budget", document_id=str(message.document_id), awaited=_awaited(needed))


def try_again(connection: Connection, bot_id: UUID, now: datetime) -> None:
    """End the waiting of a bot's documents: what they wait for is the price of a model that it has no more."""
    connection.execute(GO_ON_OF_BOT, _new_time(now) | {"bot_id": bot_id})


@dataclass(frozen=True, slots=True)
class BudgetWaits:
    """Ends the waiting of documents: looks across tenants with `reaper_database`, acts as one with `database`."""

    reaper_database: Database
    database: Database
    clock: Clock

    def end(self) -> int:
        """Let documents go on for which there is room; return how many. The reaper sends their messages."""
        with self.reaper_database.transaction(None) as connection:
            rows = connection.execute(WAITING_ORGANIZATIONS, {"limit": ORGANIZATIONS}).fetchall()
        return sum(self._try_to_end_of(row["organization_id"]) for row in rows)

    def _try_to_end_of(self, organization_id: UUID) -> int:
        try:
            return self._end_of(organization_id)
        except Exception as error:
            # One tenant must not keep the others waiting.
            logger.error("waiting for budget not ended", organization_id=str(organization_id), **describe(error))
            return 0

    def _end_of(self, organization_id: UUID) -> int:
        now = self.clock.now()
        with self.database.transaction(organization_id) as connection:
            tokens, microdollars = left_of_budget(connection, organization_id, now)
            values = {"tokens": tokens, "microdollars": microdollars, "at_once": AT_ONCE}
            return connection.execute(GO_ON, _new_time(now) | values).rowcount


def _new_time(now: datetime) -> dict[str, Any]:
    return {"now": now, "deadline_at": now + DEADLINE, "batch_time": BATCH_CHUNKS * TIME_PER_CHUNK}


def _awaited(needed: Spending) -> dict[str, int]:
    return {"tokens": needed.tokens, "microdollars": needed.cost_microdollars}
