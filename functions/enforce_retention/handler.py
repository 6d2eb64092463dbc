"""Every day: partitions made and retired, each tenant's retention run begun, archives past their end deleted."""

from datetime import timedelta
from typing import Any, Final

from chatsphere.archive.expiring import ArchiveExpirer
from chatsphere.bootstrap import container
from chatsphere.observability import invocation
from chatsphere.retention.daily import DailyRetention
from chatsphere.retention.pruning import Pruner
from chatsphere.scheduled_steps import run_each
from chatsphere.upkeep.partitions import Partitions

TIME: Final = timedelta(seconds=720)
"""Of the function's 840 seconds; a step that was begun may end."""

BEGINNING: Final = timedelta(seconds=240)
PRUNING: Final = timedelta(seconds=60)
EXPIRING: Final = timedelta(seconds=180)


def handler(event: dict[str, Any], _context: Any) -> dict[str, int]:
    """Run once. What one step cannot do keeps no other from its own; the next day goes on with it.

    Raises:
        UnavailableError: a step failed, after all were tried.
    """
    with invocation(event.get("id")):
        c = container()
        ends = c.clock.now() + TIME
        partitions = Partitions(c.maintainer_database, c.archiver, c.partition_settings, c.clock)
        runs = DailyRetention(c.maintainer_database, c.database, c.jobs_queue, c.clock, c.ids)
        pruner = Pruner(c.maintainer_database, c.clock)
        expirer = ArchiveExpirer(c.maintainer_database, c.database, c.archive_store, c.row_files, c.clock, c.ids)
        return run_each(
            {
                "partitions_made": lambda: partitions.make_ahead().partitions,
                "runs": lambda: runs.begin(c.clock.now() + BEGINNING),
                "pruned": lambda: sum(pruner.prune(c.clock.now() + PRUNING).values()),
                "archives_expired": lambda: expirer.expire(c.clock.now() + EXPIRING).files,
                "partitions_dropped": lambda: _retire(partitions, ends),
            }
        )


def _retire(partitions: Partitions, ends: Any) -> int:
    retired = partitions.retire(ends)
    return retired.dropped + retired.dropped_empty
