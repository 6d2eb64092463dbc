"""`chatsphere reembed`: bots embedded with another model, while they go on answering."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chatsphere.cli import lookup
from chatsphere.cli.errors import CliError, UsageError
from chatsphere.cli.formatting import plain
from chatsphere.cli.options import command
from chatsphere.cli.output import Rows
from chatsphere.cli.session import Session
from chatsphere.cli.training import each_of, follow, running, show_refused, status_of

if TYPE_CHECKING:
    from rich.console import Console

BotArgument = Annotated[str | None, typer.Argument(metavar="[ID|NAME]", show_default=False)]


def register(app: typer.Typer) -> None:
    """Put the command into the application."""
    command(app, "reembed")(reembed)


def reembed(
    session: Session,
    bot: BotArgument = None,
    model: Annotated[str | None, typer.Option(help="The embedding model; without it, they are listed.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every bot that is not archived.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it would cost.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    wait: Annotated[bool, typer.Option(help="Show how far it is until it has ended.")] = True,
) -> None:
    """Embed a bot, or all, with another model.

    Readers go on with the former vectors until the new ones are whole. Ctrl-C leaves the runs going; the same command
    shows them again.
    """
    if every and bot is not None:
        raise UsageError("Name a bot or give --all, not both.")
    if model is None:
        _list_models(session)
        return
    bots = _bots(session, bot, every=every)
    under_way = {each["id"]: run for each in bots if (run := running(session, each["id"])) is not None}
    waiting = [each for each in bots if each["id"] not in under_way]
    estimates = [_estimate(session, each, model) for each in waiting]
    if dry_run:
        session.output.result({"data": estimates}, lambda console: _show(console, waiting, estimates))
        return
    if estimates:
        if not session.output.as_json:
            _show(session.output.console(stderr=True), waiting, estimates)
        cost = sum(each["cost_microdollars"] for each in estimates)
        _confirm(session, f"Embed {len(estimates)} bots with {model} for about {_dollars(cost)}?", yes=yes)
    begun, refused = each_of(waiting, lambda each: _start(session, each["id"], model), every=every)
    runs = [*under_way.values(), *begun]
    ended = follow(session, bots, runs) if wait else runs
    session.output.result(
        {"data": ended, "refused": refused}, lambda console: _show_runs(console, bots, ended, refused)
    )
    if refused or any(run["status"] == "failed" for run in ended):
        raise typer.Exit(1)


def _confirm(session: Session, question: str, *, yes: bool) -> None:
    if yes:
        return
    if session.output.as_json or not sys.stdin.isatty():
        raise UsageError("This may cost money, and there is nobody to ask.", hint="Give --yes.")
    if not typer.confirm(question, err=True):
        raise CliError("Nothing was begun.", code="declined")


def _bots(session: Session, reference: str | None, *, every: bool) -> list[dict[str, Any]]:
    if not every:
        return [session.client.get(f"/bots/{lookup.bot_id(session, reference)}")]
    return [each for each in session.client.items("/bots") if each["status"] != "archived"]


def _estimate(session: Session, bot: dict[str, Any], model: str) -> dict[str, Any]:
    body = {"embedding_model": model, "dry_run": True}
    answer = session.client.post(f"/bots/{bot['id']}/training-runs", body)
    return {"bot_id": bot["id"], **answer["estimate"]}


def _start(session: Session, bot_id: str, model: str) -> dict[str, Any]:
    run: dict[str, Any] = session.client.post(f"/bots/{bot_id}/training-runs", {"embedding_model": model})[
        "training_run"
    ]
    return run


def _list_models(session: Session) -> None:
    found = session.client.get("/embedding-models")

    def show(console: "Console") -> None:
        rows = Rows(["model", "dimensions", "a million tokens", "default"])
        for each in found["data"]:
            price = _dollars(each["microdollars_per_million_tokens"])
            rows.add(each["name"], str(each["dimensions"]), price, "yes" if each["is_default"] else "")
        console.print(rows.table)

    session.output.result(found, show)


def _show(console: "Console", bots: Sequence[dict[str, Any]], estimates: Sequence[dict[str, Any]]) -> None:
    rows = Rows(["bot", "from", "to", "passages", "tokens", "batches", "cost"])
    for bot, each in zip(bots, estimates, strict=True):
        counts = [str(each[name]) for name in ("chunks", "tokens", "batches")]
        rows.add(
            plain(bot["name"]),
            each["from_model"] or "-",
            each["to_model"],
            *counts,
            _dollars(each["cost_microdollars"]),
        )
    console.print(rows.table)


def _show_runs(
    console: "Console",
    bots: Sequence[dict[str, Any]],
    runs: Sequence[dict[str, Any]],
    refused: Sequence[dict[str, Any]],
) -> None:
    names = {bot["id"]: plain(bot["name"]) for bot in bots}
    rows = Rows(["bot", "model", "status", "batches", "tokens", "cost"])
    for run in runs:
        batches = f"{run['done_batches']} of {run['total_batches']}"
        cost = _dollars(run["cost_microdollars"])
        rows.add(names[run["bot_id"]], run["embedding_model"], status_of(run), batches, str(run["token_count"]), cost)
    console.print(rows.table)
    show_refused(console, refused)


def _dollars(micros: int) -> str:
    return f"${micros / 1_000_000:.4f}"
