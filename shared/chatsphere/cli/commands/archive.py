"""`chatsphere archive …`: list, show, restore: what was archived, and bringing it back."""

import time
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from chatsphere.cli import lookup
from chatsphere.cli.errors import ExitCode
from chatsphere.cli.formatting import moment, one_line, plain, size
from chatsphere.cli.options import BotOption, command
from chatsphere.cli.output import Rows
from chatsphere.cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console

PAUSE_SECONDS: Final = 1.0

FileArgument = Annotated[str, typer.Argument(metavar="ID", help="A file, as `archive list` shows it.")]
MonthOption = Annotated[str | None, typer.Option(metavar="YYYY-MM", help="Only of this month, in UTC.")]
LimitOption = Annotated[int, typer.Option("--limit", "-n", min=1, help="How many at most.")]


def register(app: typer.Typer) -> None:
    """Put the commands into the application."""
    group = typer.Typer(no_args_is_help=True, help="What was archived, and bringing it back.")
    command(group, "list")(list_files)
    command(group, "show")(show)
    command(group, "restore")(restore)
    app.add_typer(group, name="archive")


def list_files(
    session: Session,
    bot: BotOption = None,
    dataset: Annotated[str | None, typer.Option(help="conversations, messages, feedback, usage_events …")] = None,
    month: MonthOption = None,
    limit: LimitOption = 20,
) -> None:
    """List files of the archive, those that were begun last first; of all bots where none is named."""
    query = {"bot_id": lookup.bot_id(session, bot) if bot else None, "dataset": dataset, "month": month}
    found = list(islice(session.client.items("/archive/files", query), limit))
    session.output.result({"data": found}, lambda console: _show_files(console, found))


def show(
    session: Session,
    file: FileArgument,
    rows: Annotated[int, typer.Option("--rows", min=0, help="Show so many rows, too.")] = 0,
    conversation: Annotated[str | None, typer.Option(metavar="ID", help="Rows of this conversation only.")] = None,
    user: Annotated[str | None, typer.Option(help="Rows of this end user only.")] = None,
) -> None:
    """Show a file with a link to it that works for five minutes, and some of its rows."""
    found = session.client.get(f"/archive/files/{file}")
    query = {"conversation_id": conversation, "end_user": user}
    wanted = islice(session.client.items(f"/archive/files/{file}/rows", query), rows) if rows else ()
    shown = list(wanted)
    session.output.result({**found, "data": shown}, lambda console: _show_file(console, found, shown))


def restore(
    session: Session,
    files: Annotated[list[str] | None, typer.Argument(metavar="FILE-ID…", help="Files of the archive.")] = None,
    bot: BotOption = None,
    month: MonthOption = None,
    conversation: Annotated[str | None, typer.Option(metavar="ID", help="Only this conversation.")] = None,
    wait: Annotated[bool, typer.Option(help="Wait until it is done.")] = True,
) -> ExitCode:
    """Bring rows back into the tables: of files, of a bot's month (--bot --month), or of one conversation."""
    body: dict[str, Any] = {"file_ids": files, "conversation_id": conversation, "month": month}
    body["bot_id"] = lookup.bot_id(session, bot) if bot or month else None
    accepted = session.client.post("/archive/restores", {name: value for name, value in body.items() if value})
    found: Any = accepted["restore"]
    while wait and found["status"] in ("pending", "running"):
        time.sleep(PAUSE_SECONDS)
        found = session.client.get(f"/archive/restores/{found['id']}")
    session.output.result(found, lambda console: _show_restore(console, found))
    return ExitCode.FAILED if found["status"] == "failed" else ExitCode.OK


def _show_files(console: "Console", files: list[dict[str, Any]]) -> None:
    table = Rows(["id", "dataset", "month", "bot", "rows", "size", "written", "ends"], right=["rows", "size"])
    for file in files:
        table.add(
            file["id"],
            file["dataset"],
            file["month"],
            file["bot_id"] or "",
            str(file["rows"]),
            size(file["bytes"]),
            moment(file["changed_at"]),
            moment(file["expires_at"]) if file["expires_at"] else "never",
        )
    console.print(table.table)


def _show_file(console: "Console", file: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    _show_files(console, [file])
    console.print(f"sha256 {file['sha256']}\n{file['key']}")
    console.print(plain(file["download"]["url"]), soft_wrap=True)
    for row in rows:
        console.print(one_line(" · ".join(f"{name} {value}" for name, value in row.items() if value), 400))


def _show_restore(console: "Console", found: dict[str, Any]) -> None:
    restored = ", ".join(f"{number} {name}" for name, number in found["restored"].items() if number)
    console.print(f"Restore {found['id']}: {found['status']}. Came back: {restored or 'nothing'}.")
    if found["error_code"]:
        console.print(f"Error: {plain(found['error_code'])}")
