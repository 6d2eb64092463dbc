"""Rows of insights: without a bot they are of all bots, which takes a role that the permission alone does not."""

from typing import Final

from tests.integration.matrix.row import OK, Row
from tests.integration.matrix.rule import ROLES, Caller, Outcome, Target


def _of_all_bots(caller: Caller, _: Target) -> Outcome | None:
    return None if ROLES.index(caller.role) >= ROLES.index("admin") else Outcome(403, "insufficient_role")


INSIGHTS: Final = {
    operation: Row(OK, finer=_of_all_bots)
    for operation in (
        "showUsage",
        "showCost",
        "showQuality",
        "showLatency",
        "showSources",
        "showUnanswered",
        "showErrors",
    )
}
