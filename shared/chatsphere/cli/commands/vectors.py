"""`chatsphere vectors rebuild`: vectors made anew from passages and messages, where the vector store was lost."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chatsphere.cli import lookup
from chatsphere.cli.errors import CliError, UsageError
from chatsphere.cli.formatting import plain
from chatsphere.cli.options import BotOption, command
from chatsphere.cli.output import Rows
from chatsphere.cli.session import Session
from chatsphere.cli.training import each_of, follow, follow_memory, running, show_refused, status_of

if TYPE_CHECKING:
    from rich.console import Console

Estimated = tuple[dict[str, Any], dict[str, Any]]
"""A bot, and what making its vectors anew would take."""


def register(app: typer.Typer) -> None:
    """Put the commands into the application."""
    group = typer.Typer(no_args_is_help=True, help="The vectors that searches compare.")
    command(group, "rebuild")(rebuild)
    app.add_typer(group, name="vectors")


def rebuild(
    session: Session,
    bot: BotOption = None,
    every: Annotated[bool, typer.Option("--all", help="Every bot that is not archived.")] = False,
    memory: Annotated[bool, typer.Option(help="Also what bots remember of conversations.")] = True,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it would cost.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    watch: Annotated[bool, typer.Option("--watch/--no-watch", help="Show how far it is until it has ended.")] = True,
) -> None:
    """Make a bot's vectors anew with the model that it has, or those of all bots: nothing is read again.

    It costs what embedding costs. Ctrl-C leaves it going; the same command shows it again.
    """
    if every and bot is not None:
        raise UsageError("Name a bot or give --all, not both.")
    bots = _bots(session, bot, every=every)
    models = _models(session, bots)
    under_way, waiting, refused = _look(session, bots, models, memory=memory, every=every)
    if dry_run:
        found = [{"bot_id": each["id"], **estimate} for each, estimate in waiting]
        session.output.result({"data": found, "refused": refused}, lambda console: _show(console, waiting, refused))
        return
    if waiting:
        _confirm(session, waiting, yes=yes)
    begun, late = each_of(
        [each for each, _ in waiting],
        lambda each: _ask(session, each, models, memory=memory, dry_run=False)["training_run"],
        every=every,
    )
    runs, refused = [*under_way, *begun], [*refused, *late]
    if watch:
        runs = follow_memory(session, bots, follow(session, bots, runs))
    session.output.result({"data": runs, "refused": refused}, lambda console: _show_runs(console, bots, runs, refused))
    if refused or any(run["status"] == "failed" for run in runs):
        raise typer.Exit(1)


def _look(
    session: Session, bots: Sequence[dict[str, Any]], models: dict[str, str], *, memory: bool, every: bool
) -> tuple[list[dict[str, Any]], list[Estimated], list[dict[str, Any]]]:
    """Return the runs that are under way, the bots that wait for one with what it would take, and those of `every`
    for which there can be none.
    """

    def look(bot: dict[str, Any]) -> tuple[dict[str, Any] | None, Estimated | None]:
        if (run := running(session, bot["id"])) is not None:
            return run, None
        return None, (bot, _ask(session, bot, models, memory=memory, dry_run=True)["estimate"])

    found, refused = each_of(bots, look, every=every)
    return [run for run, _ in found if run], [estimated for _, estimated in found if estimated], refused


def _bots(session: Session, reference: str | None, *, every: bool) -> list[dict[str, Any]]:
    if not every:
        return [session.client.get(f"/bots/{lookup.bot_id(session, reference)}")]
    return [each for each in session.client.items("/bots") if each["status"] != "archived"]


def _models(session: Session, bots: Sequence[dict[str, Any]]) -> dict[str, str]:
    """Return the model of each bot; the deployment's own of one that nothing was embedded for."""
    default = next(each["name"] for each in session.client.get("/embedding-models")["data"] if each["is_default"])
    return {each["id"]: each["embedding_model"] or default for each in bots}


def _ask(
    session: Session, bot: dict[str, Any], models: dict[str, str], *, memory: bool, dry_run: bool
) -> dict[str, Any]:
    body = {"embedding_model": models[bot["id"]], "include_memory": memory, "dry_run": dry_run}
    return session.client.post(f"/bots/{bot['id']}/training-runs", body)


def _confirm(session: Session, waiting: Sequence[Estimated], *, yes: bool) -> None:
    if not session.output.as_json:
        _show(session.output.console(stderr=True), waiting, [])
    if yes:
        return
    if session.output.as_json or not sys.stdin.isatty():
        raise UsageError("This may cost money, and there is nobody to ask.", hint="Give --yes.")
    cost = sum(each["cost_microdollars"] for _, each in waiting)
    if not typer.confirm(f"Make the vectors of {len(waiting)} bots anew for about {_dollars(cost)}?", err=True):
        raise CliError("Nothing was begun.", code="declined")


def _show(console: "Console", waiting: Sequence[Estimated], refused: Sequence[dict[str, Any]]) -> None:
    rows = Rows(["bot", "model", "passages", "messages", "tokens", "cost"])
    for bot, each in waiting:
        tokens = each["tokens"] + (each["memory_tokens"] or 0)
        counts = [str(count) for count in (each["chunks"], each["memory_messages"] or 0, tokens)]
        rows.add(plain(bot["name"]), each["to_model"], *counts, _dollars(each["cost_microdollars"]))
    console.print(rows.table)
    show_refused(console, refused)


def _show_runs(
    console: "Console",
    bots: Sequence[dict[str, Any]],
    runs: Sequence[dict[str, Any]],
    refused: Sequence[dict[str, Any]],
) -> None:
    names = {bot["id"]: plain(bot["name"]) for bot in bots}
    rows = Rows(["bot", "model", "status", "batches", "messages left"])
    for run in runs:
        batches = f"{run['done_batches']} of {run['total_batches']}"
        rows.add(names[run["bot_id"]], run["embedding_model"], status_of(run), batches, str(run["memory_left"] or 0))
    console.print(rows.table)
    show_refused(console, refused)


def _dollars(micros: int) -> str:
    return f"${micros / 1_000_000:.4f}"
