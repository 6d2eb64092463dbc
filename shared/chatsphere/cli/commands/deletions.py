"""`chatsphere deletions …`: list, show; and how a deletion is shown."""

from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chatsphere.cli import lookup
from chatsphere.cli.formatting import moment, plain
from chatsphere.cli.options import BotOption, command
from chatsphere.cli.output import Rows
from chatsphere.cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console

COLUMNS = ("deletion", "of", "status", "requested", "removed", "left over")


def register(app: typer.Typer) -> None:
    """Put the commands into the application."""
    group = typer.Typer(no_args_is_help=True, help="What was deleted, and the receipts.")
    command(group, "list")(list_deletions)
    command(group, "show")(show)
    app.add_typer(group, name="deletions")


def list_deletions(
    session: Session,
    bot: BotOption = None,
    status: Annotated[str | None, typer.Option(help="running or done.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 20,
) -> None:
    """List deletions, the newest first; --bot ID also names one that is gone."""
    query = {"status": status, "bot_id": lookup.bot_id(session, bot) if bot else None}
    found = list(islice(session.client.items("/deletions", query), limit))
    session.output.result({"data": found}, lambda console: show_deletions(console, found))


def show(session: Session, deletion: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Show what a deletion removed, and that a second look found nothing."""
    found = session.client.get(f"/deletions/{deletion}")
    session.output.result(found, lambda console: show_deletions(console, [found]))


def show_deletions(console: "Console", deletions: list[dict[str, Any]]) -> None:
    """Print one deletion a line."""
    rows = Rows(list(COLUMNS), wrap=["of", "removed"])
    for one in deletions:
        kind = f"document {one['document_id']}" if one["document_id"] else f"bot {one['bot_id']}"
        left = "" if one["left_over"] is None else "nothing" if not any(one["left_over"].values()) else "something"
        rows.add(one["id"], kind, one["status"], moment(one["requested_at"]), _counts(one["removed"]), left)
    console.print(rows.table)


def _counts(removed: dict[str, int]) -> str:
    return ", ".join(f"{number} {plain(kind).replace('_', ' ')}" for kind, number in removed.items())
