"""`chatsphere redrive` and `chatsphere reconcile`: what failed is tried again, what was lost is found."""

import time
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from chatsphere.cli import lookup
from chatsphere.cli.errors import CliError, ExitCode, UsageError
from chatsphere.cli.formatting import plain
from chatsphere.cli.options import command
from chatsphere.cli.output import Rows
from chatsphere.cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console

BotArgument = Annotated[str | None, typer.Argument(metavar="[BOT]", help="ID or name; not needed where there is one.")]

POLL_SECONDS: Final = (0.2, 0.5, 1.0, 2.0)


def register(app: typer.Typer) -> None:
    """Put the commands into the application."""
    command(app, "redrive")(redrive)
    command(app, "reconcile")(reconcile)


def redrive(
    session: Session,
    bot: BotArgument = None,
    every: Annotated[bool, typer.Option("--all", help="Of every bot.")] = False,
    error_code: Annotated[
        list[str] | None, typer.Option(help="Only, and all, that failed so; may be repeated.")
    ] = None,
) -> None:
    """Process failed documents again: those whose error says that it may help."""
    if every and bot is not None:
        raise UsageError("Name a bot, or give --all.", code="bot_and_all")
    bots = [str(one["id"]) for one in session.client.items("/bots")] if every else [lookup.bot_id(session, bot)]
    outcomes = [_redrive(session, bot_id, {"error_codes": error_code} if error_code else {}) for bot_id in bots]
    session.output.result({"data": outcomes}, lambda console: _show_redriven(console, outcomes))


def reconcile(
    session: Session,
    bot: BotArgument = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only report.")] = False,
    timeout: Annotated[float, typer.Option(min=0, help="Seconds to wait at most.")] = 900,
) -> ExitCode:
    """Compare a bot's bucket, database and vector store, and repair. Exit code 1 if something is left."""
    bot_id = lookup.bot_id(session, bot)
    report = session.client.post(f"/bots/{bot_id}/reconcile", {"dry_run": dry_run})["reconciliation"]
    deadline, looks = time.monotonic() + timeout, 0
    while report["status"] == "running":
        if time.monotonic() > deadline:
            raise CliError(f"The reconciliation was not done after {timeout:g} s.", code="timeout")
        time.sleep(POLL_SECONDS[min(looks, len(POLL_SECONDS) - 1)])
        looks += 1
        report = session.client.get(f"/bots/{bot_id}/reconciliations/{report['id']}")
    session.output.result(report, lambda console: _show_report(console, report))
    clean = report["status"] == "succeeded" and not any(report["remaining"].values())
    return ExitCode.OK if clean else ExitCode.FAILED


def _redrive(session: Session, bot_id: str, chosen: dict[str, Any]) -> dict[str, Any]:
    redriven, skipped = 0, list[Any]()
    while True:
        answer = session.client.post(f"/bots/{bot_id}/redrive", chosen)
        redriven += answer["redriven"]
        skipped = answer["skipped"] or skipped
        if not (answer["has_more"] and answer["redriven"]):
            return {"bot_id": bot_id, "redriven": redriven, "skipped": skipped}


def _show_redriven(console: "Console", outcomes: list[dict[str, Any]]) -> None:
    rows = Rows(["bot", "processed again", "not stored"], right=["processed again", "not stored"])
    for one in outcomes:
        rows.add(one["bot_id"], str(one["redriven"]), str(len(one["skipped"])))
    console.print(rows.table)


def _show_report(console: "Console", report: dict[str, Any]) -> None:
    looked = ", ".join(f"{number} {plain(kind).replace('_', ' ')}" for kind, number in report["looked_at"].items())
    console.print(f"{report['status']}: looked at {looked or 'nothing'}")
    if not report["found"]:
        console.print("Everything corresponds.")
        return
    rows = Rows(["difference", "found", "repaired", "left"], right=["found", "repaired", "left"])
    for kind, number in report["found"].items():
        left = (report["remaining"] or {}).get(kind, 0)
        rows.add(plain(kind).replace("_", " "), str(number), str(report["repaired"].get(kind, 0)), str(left))
    console.print(rows.table)
