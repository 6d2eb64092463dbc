"""Training runs as the command line follows them."""

import time
from collections.abc import Sequence
from typing import Any, Final

from chatsphere.cli.formatting import plain
from chatsphere.cli.progress import bars
from chatsphere.cli.session import Session

FIRST_PAUSE_SECONDS: Final = 0.1
LONGEST_PAUSE_SECONDS: Final = 5.0
"""Between two looks: short runs end at once, and long ones are not asked for all the time."""


def running(session: Session, bot_id: str) -> dict[str, Any] | None:
    """Return the bot's re-embedding that is under way, None where there is none."""
    page = session.client.get(f"/bots/{bot_id}/training-runs", {"kind": "reembed", "limit": 1})
    newest = next(iter(page["data"]), None)
    return newest if newest and newest["status"] == "running" else None


def follow_memory(
    session: Session, bots: Sequence[dict[str, Any]], runs: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Show how much the bots' memories lack until they are whole; return the runs as they are then."""
    names = {bot["id"]: plain(bot["name"]) for bot in bots}
    latest = {run["id"]: run for run in runs}
    with bars(session.output) as shown:
        total = {run["id"]: (run["estimate"] or {}).get("memory_messages") or 0 for run in runs}
        steps = {run["id"]: shown.add(f"{names[run['bot_id']]}: memory", total[run["id"]]) for run in runs}
        client, pause = session.client.patient(), FIRST_PAUSE_SECONDS
        while waiting := [run for run in latest.values() if run.get("memory_left")]:
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
            for run in waiting:
                now = client.get(f"/bots/{run['bot_id']}/training-runs/{run['id']}")
                latest[run["id"]] = now
                steps[run["id"]](max(0, total[run["id"]] - (now["memory_left"] or 0)))
    return list(latest.values())


def follow(session: Session, bots: Sequence[dict[str, Any]], runs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Show how far the runs are until each has ended, or waits for the month's budget; return them as they are then."""
    names = {bot["id"]: plain(bot["name"]) for bot in bots}
    latest = {run["id"]: run for run in runs}
    with bars(session.output) as shown:
        steps = {run["id"]: shown.add(names[run["bot_id"]], run["total_batches"] or 0) for run in runs}
        client, pause = session.client.patient(), FIRST_PAUSE_SECONDS
        while open_runs := [run for run in latest.values() if _is_worked_on(run)]:
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
            for run in open_runs:
                now = client.get(f"/bots/{run['bot_id']}/training-runs/{run['id']}")
                latest[run["id"]] = now
                steps[run["id"]](now["done_batches"], total=now["total_batches"])
    return list(latest.values())


def _is_worked_on(run: dict[str, Any]) -> bool:
    return run["status"] == "running" and run.get("awaits_budget_since") is None
