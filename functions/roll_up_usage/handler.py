"""Sums up what was used, by day."""

from typing import Any

from chatsphere.bootstrap import container
from chatsphere.insights.rolling import UsageRoller
from chatsphere.observability import invocation


def handler(event: dict[str, Any], _context: Any) -> dict[str, int]:
    """Run once."""
    with invocation(event.get("id")):
        c = container()
        return {"days": UsageRoller(c.reaper_database, c.database, c.clock).roll()}
