"""Training runs as the command line follows them."""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

from chatsphere.cli.errors import ApiError
from chatsphere.cli.formatting import plain
from chatsphere.cli.progress import bars
from chatsphere.cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console

FIRST_PAUSE_SECONDS: Final = 0.1
LONGEST_PAUSE_SECONDS: Final = 5.0
"""Between two looks: short runs end at once, and long ones are not asked for all the time."""


Bot = dict[str, Any]
Refused = dict[str, Any]
Answer = TypeVar("Answer")


def each_of(bots: Sequence[Bot], ask: Callable[[Bot], Answer], *, every: bool) -> tuple[list[Answer], list[Refused]]:
    """Return what `ask` answers of each bot, and of those of `every` which ones the API refuses, and why: one that was
    deleted, whose model is gone, or for which the budget has no room keeps no other from its run.

    Raises:
        ApiError: it refuses the one bot that was named.
    """
    answers, refused = list[Answer](), list[Refused]()
    for bot in bots:
        try:
            answers.append(ask(bot))
        except ApiError as error:
            if not every:
                raise
            refused.append({"bot_id": bot["id"], "bot_name": bot["name"], "code": error.code, "detail": error.detail})
    return answers, refused


def show_refused(console: "Console", refused: Sequence[Refused]) -> None:
    """Print which bots were refused, and why."""
    for each in refused:
        console.print(f"{plain(each['bot_name'])}: {each['detail']} ({each['code']})", soft_wrap=True)


def status_of(run: dict[str, Any]) -> str:
    """Return how a run is, in words."""
    if awaits_budget(run):
        return "waits for the month's budget; goes on by itself"
    return str(run["status"]) + (f" ({run['error_code']})" if run["error_code"] else "")


def awaits_budget(run: dict[str, Any]) -> bool:
    """Return whether a run was put aside: that may last until the next month, and nobody waits so long."""
    return run.get("awaits_budget_since") is not None


def running(session: Session, bot_id: str) -> dict[str, Any] | None:
    """Return the bot's re-embedding that is under way, None where there is none."""
    page = session.client.get(f"/bots/{bot_id}/training-runs", {"kind": "reembed", "limit": 1})
    newest = next(iter(page["data"]), None)
    return newest if newest and newest["status"] == "running" else None


def follow_memory(
    session: Session, bots: Sequence[dict[str, Any]], runs: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Show how much the bots' memories lack until they are whole; return the runs as they are then. Of a run that waits
    for the month's budget the memory waits, too, and is not followed.
    """
    names = {bot["id"]: plain(bot["name"]) for bot in bots}
    latest = {run["id"]: run for run in runs}
    with bars(session.output) as shown:
        total = {run["id"]: (run["estimate"] or {}).get("memory_messages") or 0 for run in runs}
        steps = {run["id"]: shown.add(f"{names[run['bot_id']]}: memory", total[run["id"]]) for run in runs}
        client, pause = session.client.patient(), FIRST_PAUSE_SECONDS
        while waiting := [run for run in latest.values() if run.get("memory_left") and not awaits_budget(run)]:
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
        while open_runs := [run for run in latest.values() if run["status"] == "running" and not awaits_budget(run)]:
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
            for run in open_runs:
                now = client.get(f"/bots/{run['bot_id']}/training-runs/{run['id']}")
                latest[run["id"]] = now
                steps[run["id"]](now["done_batches"], total=now["total_batches"])
    return list(latest.values())
