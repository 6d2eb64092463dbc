"""`chatsphere erasure …`: request, list, show, verify."""

import json
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chatsphere.cli import lookup
from chatsphere.cli.confirmation import confirm
from chatsphere.cli.errors import UsageError
from chatsphere.cli.formatting import moment, plain
from chatsphere.cli.options import BotOption, command
from chatsphere.cli.output import Rows
from chatsphere.cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console

COLUMNS = ("erasure", "of", "status", "requested", "removed", "left over")


def register(app: typer.Typer) -> None:
    """Put the commands into the application."""
    group = typer.Typer(no_args_is_help=True, help="Erase an end user, a document or a bot everywhere, with a receipt.")
    command(group, "request")(request)
    command(group, "list")(list_erasures)
    command(group, "show")(show)
    command(group, "verify")(verify)
    app.add_typer(group, name="erasure")


def request(
    session: Session,
    bot: BotOption = None,
    end_user: Annotated[str | None, typer.Option(help="Your name for them; without --bot of all bots.")] = None,
    document: Annotated[str | None, typer.Option(help="A document's id; with --bot.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Erase an end user (--end-user), a document (--document, --bot), or a whole bot (--bot alone)."""
    if (end_user and document) or not (end_user or bot):
        raise UsageError("Name one: --end-user, --document with --bot, or --bot.")
    wanted: dict[str, Any] = {"kind": "end_user" if end_user else "document" if document else "bot"}
    wanted |= {"bot_id": lookup.bot_id(session, bot)} if bot else {}
    wanted |= {"end_user_id": end_user} if end_user else {}
    wanted |= {"document_id": document} if document else {}
    subject = end_user or document or bot
    confirm(session, f"Erase the {plain(wanted['kind']).replace('_', ' ')} {subject} everywhere, for good?", yes=yes)
    made = session.client.post("/erasures", wanted)
    session.output.result(made, lambda console: _show_requested(console, made))


def list_erasures(
    session: Session,
    kind: Annotated[str | None, typer.Option(help="end_user, document or bot.")] = None,
    status: Annotated[str | None, typer.Option(help="pending, running, held or done.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 20,
) -> None:
    """List erasures, the newest first."""
    found = list(islice(session.client.items("/erasures", {"kind": kind, "status": status}), limit))
    session.output.result({"data": found}, lambda console: show_erasures(console, found))


def show(session: Session, erasure: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Show what an erasure removed; --json with the signed receipt, to be kept."""
    found = session.client.get(f"/erasures/{erasure}")
    session.output.result(found, lambda console: show_erasures(console, [found]))


def verify(
    session: Session,
    file: Annotated[Path, typer.Argument(help="A receipt, as `erasure show --json` printed it.")],
    subject: Annotated[str | None, typer.Option(help="Of whom, or what, it must be: an id.")] = None,
    keys: Annotated[Path | None, typer.Option(help="A saved jwks.json, instead of the API's.")] = None,
) -> None:
    """Check that a receipt is what the API signed, and show what it says. It takes no credential."""
    # Late: slow to import, and no other command needs it.
    from chatsphere.cli.receipts import published_keys, signed_receipt, verified

    signed = signed_receipt(_text(file))
    known = json.loads(_text(keys)) if keys else published_keys(session.target.api)
    said = verified(signed, known, subject)
    session.output.result(said, lambda console: console.print(json.dumps(said, indent=2, ensure_ascii=False)))


def show_erasures(console: "Console", erasures: list[dict[str, Any]]) -> None:
    """Print one erasure a line."""
    rows = Rows(list(COLUMNS), wrap=["of", "removed"])
    for one in erasures:
        receipt = one["receipt"] or {"removed": {}, "left": None}
        left = "" if receipt["left"] is None else "something" if any(receipt["left"].values()) else "nothing"
        of = plain(one["kind"]).replace("_", " ") + (f" of bot {one['bot_id']}" if one["bot_id"] else "")
        removed = ", ".join(f"{n} {plain(kind).replace('_', ' ')}" for kind, n in receipt["removed"].items())
        rows.add(one["id"], of, one["status"], moment(one["requested_at"]), removed, left)
    console.print(rows.table)


def _show_requested(console: "Console", made: dict[str, Any]) -> None:
    show_erasures(console, [made["erasure"]])
    console.print(f"Keep this: it shows the receipt, also without an account: {made['receipt_token']}")


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, ValueError):
        raise UsageError(f"{file} cannot be read.") from None
