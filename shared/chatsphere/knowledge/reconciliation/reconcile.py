"""Compares a bot's stores page by page, repairs, and looks a second time."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Self
from uuid import UUID

from chatsphere.db.database import Database
from chatsphere.knowledge.embedding import bot_embedding
from chatsphere.knowledge.ingestion.messages import ReconcileMessage
from chatsphere.knowledge.reconciliation import queries
from chatsphere.knowledge.reconciliation.comparison import Comparison, Subject
from chatsphere.knowledge.reconciliation.findings import MAX_EXAMPLES, Findings
from chatsphere.knowledge.reconciliation.reports import LEASE, Reconciliation, begin, is_due, running
from chatsphere.observability import Metric, logger, record
from chatsphere.ports.queues import MessageQueue
from chatsphere.ports.system import Clock, Ids

STEPS: Final = ("objects", "documents", "vectors", "index")

TIME: Final = timedelta(seconds=120)
"""How long one invocation goes on, less than its function's own limit by more than a page takes."""

GIVE_UP_AFTER: Final = timedelta(days=1)
"""Published: within this time a reconciliation has ended."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a reconciliation goes on."""

    step: str
    after: str | None
    second_look: bool

    @classmethod
    def of(cls, report: Reconciliation) -> Self:
        """Read it from a report."""
        return cls(report.step, report.after, report.second_look)

    def following(self, after: str | None, *, look_again: bool) -> "Place | None":
        """Return the next place, after a page that ended at `after`; None at the end of it all."""
        if after is not None:
            return Place(self.step, after, self.second_look)
        if self.step != STEPS[-1]:
            return Place(STEPS[STEPS.index(self.step) + 1], None, self.second_look)
        return Place(STEPS[0], None, second_look=True) if look_again and not self.second_look else None


@dataclass(frozen=True, slots=True)
class Reconciler:
    """Works off the reconcile queue. `comparisons` has one for each of `STEPS`."""

    database: Database
    comparisons: Mapping[str, Comparison]
    reconcile_queue: MessageQueue
    clock: Clock
    ids: Ids
    max_pages: int = 10_000

    def run(self, message: ReconcileMessage) -> None:
        """Go on with the bot's reconciliation, or begin one, for as long as there is time; then send for the rest.

        Raises:
            UnavailableError: a store does not answer; what was looked at before is kept.
        """
        until, pages = self.clock.now() + TIME, 0
        report = self._take_up(message)
        while report is not None and pages < self.max_pages and self.clock.now() < until:
            report = self._next_page(message, report)
            pages += 1
        if report is not None:
            following = message.model_copy(update={"reconciliation_id": report.id})
            self.reconcile_queue.send([following.to_json()], group=message.group)

    def _take_up(self, message: ReconcileMessage) -> Reconciliation | None:
        """Return what is to be gone on with; None where it has ended, or the bot is gone."""
        now = self.clock.now()
        with self.database.transaction(message.organization_id) as connection:
            if connection.execute(queries.BOT_STAYS, {"bot_id": message.bot_id}).fetchone() is None:
                return None
            if message.reconciliation_id is None and is_due(connection, message.bot_id, now):
                begin(connection, message.bot_id, dry_run=False, ids=self.ids, now=now)
            report = running(connection, message.bot_id)
            if report is None or message.reconciliation_id not in (None, report.id):
                return None
            if now - report.started_at > GIVE_UP_AFTER:
                connection.execute(queries.GIVE_UP, {"id": report.id, "code": "deadline_exceeded", "now": now})
                return None
        return report

    def _next_page(self, message: ReconcileMessage, report: Reconciliation) -> Reconciliation | None:
        """Look at one page and keep what it gave; None where that was the last, or somebody else has done it."""
        place, findings = Place.of(report), Findings()
        # Read for each page: a bot may be given new vectors meanwhile.
        with self.database.transaction(message.organization_id) as connection:
            namespace = bot_embedding(connection, message.organization_id, message.bot_id).namespace
        subject = Subject(namespace, repair=not report.dry_run and not place.second_look)
        after = self.comparisons[place.step].page(subject, place.after, findings)
        following = place.following(after, look_again=not report.dry_run)
        return self._save(message, report, following, findings)

    def _save(
        self, message: ReconcileMessage, report: Reconciliation, following: Place | None, findings: Findings
    ) -> Reconciliation | None:
        now = self.clock.now()
        counts = _counts(report, findings)
        goes_on = following or Place.of(report)
        values = {
            "id": report.id,
            "pages": report.pages,
            "second_look": goes_on.second_look,
            "step": goes_on.step,
            "after": goes_on.after,
            "status": "running" if following else "succeeded",
            "finished_at": None if following else now,
            "lease_expires_at": now + LEASE if following else None,
            **{name: json.dumps(value) for name, value in counts.items()},
        }
        with self.database.transaction(message.organization_id) as connection:
            if connection.execute(queries.SAVE, values).fetchone() is None:
                return None
            if following is not None:
                return running(connection, message.bot_id)
        self._tell(report.id, report.started_at, now, counts)
        return None

    def _tell(self, report_id: UUID, started_at: datetime, now: datetime, counts: Mapping[str, Any]) -> None:
        found, left = sum(counts["found"].values()), sum(counts["remaining"].values())
        record(Metric.DIFFERENCES_FOUND, found)
        seconds = (now - started_at).total_seconds()
        logger.info("stores reconciled", reconciliation_id=str(report_id), found=found, left=left, seconds=seconds)


def _counts(report: Reconciliation, findings: Findings) -> dict[str, Any]:
    """Return the report's counts with a page's: what the last look finds is what remains."""
    counts = {
        "looked_at": report.looked_at,
        "found": report.found,
        "repaired": report.repaired,
        "remaining": report.remaining,
    }
    if not report.second_look:
        counts["looked_at"] = Counter(report.looked_at) + findings.looked_at
        counts["found"] = Counter(report.found) + findings.found
        counts["repaired"] = Counter(report.repaired) + findings.repaired
    if report.second_look or report.dry_run:
        counts["remaining"] = Counter(report.remaining) + findings.found
    examples = [*report.examples, *([] if report.second_look else findings.examples)][:MAX_EXAMPLES]
    return counts | {"examples": examples}
