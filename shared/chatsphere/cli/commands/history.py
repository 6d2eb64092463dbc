"""`chatsphere docs history` and `chatsphere training-runs`: what became of documents and of a bot's training."""

from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chatsphere.cli import lookup
from chatsphere.cli.commands.watch import BotArgument
from chatsphere.cli.formatting import moment, plain
from chatsphere.cli.options import BotOption, command
from chatsphere.cli.output import Rows
from chatsphere.cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console

LimitOption = Annotated[int, typer.Option(min=1, help="How many at most.")]
STAGES = ("upload", "scan", "queue", "extract", "embed", "total")


def register(app: typer.Typer) -> None:
    """Put `training-runs` into the application; `docs history` is put into its group by `documents`."""
    command(app, "training-runs")(training_runs)


def history(
    session: Session,
    document: Annotated[str, typer.Argument(metavar="ID|NAME")],
    bot: BotOption = None,
    limit: LimitOption = 50,
) -> None:
    """Show what became of each generation of a document: seconds by stage, counts, cost, errors."""
    bot_id = lookup.bot_id(session, bot)
    path = f"/bots/{bot_id}/documents/{lookup.document_id(session, bot_id, document)}/history"
    found = list(islice(session.client.items(path), limit))
    session.output.result({"data": found}, lambda console: _show_history(console, found))


def training_runs(session: Session, bot: BotArgument = None, limit: LimitOption = 50) -> None:
    """List when a bot was trained: which documents came in or were embedded anew, with what it cost."""
    path = f"/bots/{lookup.bot_id(session, bot)}/training-runs"
    found = list(islice(session.client.items(path), limit))
    session.output.result({"data": found}, lambda console: _show_training(console, found))


def _show_history(console: "Console", runs: list[dict[str, Any]]) -> None:
    numbers = [*STAGES, "pages", "chunks", "tokens", "cost"]
    rows = Rows(["#", "asked for", "outcome", *numbers], right=["#", *numbers], wrap=["outcome"])
    for run in runs:
        seconds = run.get("seconds") or {}
        rows.add(
            str(run["generation"]),
            moment(run["requested_at"]),
            plain(run.get("error_code") or run.get("outcome") or f"at {run['stage']}"),
            *(f"{seconds[stage]:.1f}" if seconds.get(stage) is not None else "" for stage in STAGES),
            *(_number(run.get(name)) for name in ("page_count", "chunk_count", "token_count")),
            _dollars(run.get("cost_microdollars")),
            style="red" if run.get("outcome") == "failed" else None,
        )
    console.print(rows.table)


def _show_training(console: "Console", runs: list[dict[str, Any]]) -> None:
    numbers = ["documents", "failed", "chunks", "tokens", "cost"]
    rows = Rows(["id", "kind", "status", "started", "ended", *numbers], right=numbers)
    for run in runs:
        rows.add(
            plain(run["id"]),
            plain(run["kind"]),
            plain(run["status"]),
            moment(run["started_at"]),
            moment(run.get("finished_at")),
            *(_number(run.get(name)) for name in ("document_count", "failed_count", "chunk_count", "token_count")),
            _dollars(run.get("cost_microdollars")),
            style="red" if run["status"] == "failed" else None,
        )
    console.print(rows.table)


def _number(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else ""


def _dollars(microdollars: object) -> str:
    return f"${microdollars / 1_000_000:.4f}" if isinstance(microdollars, int) and microdollars else ""
