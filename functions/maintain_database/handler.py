"""Looks after the database, and reports what an operator should know."""

from datetime import timedelta
from typing import Any, Final

from chatsphere.bootstrap import container
from chatsphere.observability import invocation
from chatsphere.upkeep.maintenance.maintenance import Maintenance

WITHIN: Final = timedelta(minutes=4)


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Run once; return how many findings of each severity there are, and where the report is."""
    c = container()
    with invocation(event.get("id")):
        report, key = Maintenance(c.maintainer_database, c.archive_store, c.clock).run(c.clock.now() + WITHIN)
    return {**report.counts(), "report": key}
