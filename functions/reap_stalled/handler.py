"""Brings back stalled work of every tenant, on a schedule."""

from typing import Any

from chatsphere.bootstrap import container
from chatsphere.chat.interrupted import AnswerReaper
from chatsphere.chat.memory.reviving import MemoryReviver
from chatsphere.knowledge.ingestion.reap import Reaper
from chatsphere.knowledge.web.reviving import SourceReviver
from chatsphere.observability import invocation


def handler(event: dict[str, Any], _context: Any) -> dict[str, int]:
    """Run once."""
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
        sources = SourceReviver(c.reaper_database, c.database, c.fetch_queue, c.clock, c.ids)
        memory = MemoryReviver(c.reaper_database, c.embed_queue, c.purge_queue, c.clock)
        answers = AnswerReaper(c.reaper_database, c.database, c.clock, c.ids)
        return {"found": reaper.reap() + sources.revive() + memory.revive() + answers.reap()}
