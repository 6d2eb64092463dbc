"""Brings back stalled work of every tenant, on a schedule."""

from typing import Any

from chatsphere.archive.restore_queries import STALLED as STALLED_RESTORES
from chatsphere.archive.restores import RestoreMessage
from chatsphere.bootstrap import container
from chatsphere.chat.interrupted import AnswerReaper
from chatsphere.chat.memory.reviving import MemoryReviver
from chatsphere.job_reviving import JobReviver
from chatsphere.knowledge.ingestion.budget_waits import BudgetWaits
from chatsphere.knowledge.ingestion.reap import Reaper
from chatsphere.knowledge.web.reviving import SourceReviver
from chatsphere.observability import invocation
from chatsphere.retention.reviving import STALLED_RETENTION
from chatsphere.scheduled_steps import run_each
from chatsphere.transfers.reviving import STALLED_TRANSFERS
from chatsphere.webhooks.reviving import DeliveryReviver


def handler(event: dict[str, Any], _context: Any) -> dict[str, int]:
    """Run once; return how much each kind of work had stalled.

    Raises:
        UnavailableError: a kind could not be looked for, after all were tried.
    """
    with invocation(event.get("id")):
        c = container()
        reaper = Reaper(
            c.reaper_database,
            c.database,
            c.extract_queue,
            c.embed_queue,
            c.purge_queue,
            c.reconcile_queue,
            c.clock,
            c.ids,
        )
        waits = BudgetWaits(c.reaper_database, c.database, c.clock)
        sources = SourceReviver(c.reaper_database, c.database, c.fetch_queue, c.clock, c.ids)
        memory = MemoryReviver(c.reaper_database, c.embed_queue, c.purge_queue, c.clock)
        answers = AnswerReaper(c.reaper_database, c.database, c.clock, c.ids)
        webhooks = DeliveryReviver(c.reaper_database, c.database, c.webhooks_queue, c.clock)
        restores = JobReviver(c.reaper_database, c.jobs_queue, c.clock, {STALLED_RESTORES: RestoreMessage})
        retention = JobReviver(c.reaper_database, c.jobs_queue, c.clock, STALLED_RETENTION)
        transfers = JobReviver(c.reaper_database, c.jobs_queue, c.clock, STALLED_TRANSFERS)
        return run_each(
            {
                # Before documents: what may go on has a lease that has run out.
                "budget_waits": waits.end,
                "documents": reaper.reap,
                "sources": sources.revive,
                "memory": memory.revive,
                "answers": answers.reap,
                "webhooks": webhooks.revive,
                "restores": restores.revive,
                "retention": retention.revive,
                "transfers": transfers.revive,
            }
        )
