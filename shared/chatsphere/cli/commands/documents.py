"""`chatsphere docs …` (also `documents`): add, list, show, chunks, link, open, history, wait, reprocess, delete,
credentials."""

import time
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chatsphere.cli import lookup
from chatsphere.cli.commands.bots import show_fields
from chatsphere.cli.commands.deletions import show_deletions
from chatsphere.cli.commands.history import history
from chatsphere.cli.commands.upload_credentials import credentials
from chatsphere.cli.commands.watch import View
from chatsphere.cli.confirmation import confirm
from chatsphere.cli.errors import CliError, ExitCode
from chatsphere.cli.formatting import moment, one_line, pages, plain, size
from chatsphere.cli.options import BotOption, command
from chatsphere.cli.output import Rows
from chatsphere.cli.progress import bars
from chatsphere.cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console

DocumentArgument = Annotated[str, typer.Argument(metavar="ID|NAME")]

PageOption = Annotated[int | None, typer.Option(min=1, help="The page of a PDF.")]

LimitOption = Annotated[int, typer.Option(min=1, help="How many at most.")]


def register(app: typer.Typer) -> None:
    """Put the commands into the application."""
    group = typer.Typer(no_args_is_help=True, help="A bot's documents.")
    command(group, "add")(add)
    command(group, "list")(list_documents)
    command(group, "show")(show)
    command(group, "chunks")(chunks)
    command(group, "link")(link)
    command(group, "open")(open_source)
    command(group, "history")(history)
    command(group, "wait")(wait)
    command(group, "reprocess")(reprocess)
    command(group, "delete")(delete)
    command(group, "credentials")(credentials)
    app.add_typer(group, name="docs")
    app.add_typer(group, name="documents", hidden=True)


def add(
    session: Session,
    url: str,
    bot: BotOption = None,
    name: Annotated[str | None, typer.Option(help="The document's name; else it is made of the URL.")] = None,
) -> None:
    """Read a page of the web, or a file there, as a document; again, and it is fetched anew."""
    body = {"url": url} if name is None else {"url": url, "name": name}
    answer = session.client.post(f"/bots/{lookup.bot_id(session, bot)}/documents", body)
    document = answer["document"]
    session.output.result(answer, lambda console: console.print(f"{plain(document['name'])}: {document['id']}"))


def list_documents(
    session: Session,
    bot: BotOption = None,
    status: Annotated[str | None, typer.Option(help="Only those with this status, such as ready or failed.")] = None,
    limit: LimitOption = 1000,
) -> None:
    """List a bot's documents."""
    path = f"/bots/{lookup.bot_id(session, bot)}/documents"
    listed = session.client.items(path, {"status": status})
    found = list(islice((item for item in listed if status in (None, item["status"])), limit))
    session.output.result({"data": found}, lambda console: _show_list(console, found))


def show(session: Session, document: DocumentArgument, bot: BotOption = None) -> None:
    """Show one document and how far its ingestion is."""
    found = session.client.get(_path(session, bot, document))
    session.output.result(found, lambda console: show_fields(console, found))


def chunks(session: Session, document: DocumentArgument, bot: BotOption = None, limit: LimitOption = 1000) -> None:
    """Show the passages that a document was cut into."""
    found = list(islice(session.client.items(f"{_path(session, bot, document)}/chunks"), limit))
    session.output.result({"data": found}, lambda console: _show_chunks(console, found))


def link(session: Session, document: DocumentArgument, bot: BotOption = None, page: PageOption = None) -> None:
    """Print a link to a document's source: of a file for five minutes, of a web page its own."""
    found = session.client.get(f"{_path(session, bot, document)}/source", {"page": page})
    session.output.result(found, lambda console: console.print(plain(found["url"]), soft_wrap=True))


def open_source(session: Session, document: DocumentArgument, bot: BotOption = None, page: PageOption = None) -> None:
    """Open a document's source in the browser, a PDF at a page."""
    import webbrowser

    found = session.client.get(f"{_path(session, bot, document)}/source", {"page": page})
    if not found["url"].startswith(("http://", "https://")) or not webbrowser.open(found["url"]):
        raise CliError("No browser can be opened here; get the link: chatsphere docs link …", code="no_browser")
    session.output.result(found, lambda console: console.print(f"Opened {plain(found['name'])}."))


def wait(
    session: Session,
    bot: BotOption = None,
    timeout: Annotated[float, typer.Option(min=0, help="Seconds to wait at most.")] = 900,
) -> ExitCode:
    """Wait until every document is ready or has failed. Exit code 1 if any failed or time ran out."""
    from chatsphere.cli.following import follow

    bot_id = lookup.bot_id(session, bot)
    deadline = time.monotonic() + timeout
    with bars(session.output) as shown:
        view = View(shown)
        for event in follow(session.client, bot_id):
            if event is not None:
                view.take(event, silent=True)
            if view.under_way and time.monotonic() > deadline:
                raise CliError(f"{view.under_way} documents were not done after {timeout:g} s.", code="timeout")
    found = list(session.client.items(f"/bots/{bot_id}/documents"))
    session.output.result({"data": found}, lambda console: _show_list(console, found))
    return ExitCode.FAILED if any(document["status"] == "failed" for document in found) else ExitCode.OK


def reprocess(session: Session, document: DocumentArgument, bot: BotOption = None) -> None:
    """Ingest a document again."""
    answer = session.client.post(f"{_path(session, bot, document)}/reprocess", {})
    session.output.result(answer, lambda console: console.print("It is being ingested again."))


def delete(
    session: Session,
    documents: Annotated[list[str], typer.Argument(metavar="ID|NAME…")],
    bot: BotOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete documents, with their files and passages, and show what was removed."""
    paths = [_path(session, bot, document) for document in documents]
    confirm(session, f"Delete {plain(', '.join(documents))}?", yes=yes)
    deletions = [session.client.delete(path)["deletion"] for path in paths]
    ids = [deletion["document_id"] for deletion in deletions]
    session.output.result({"deleted": ids, "deletions": deletions}, lambda console: show_deletions(console, deletions))


def _path(session: Session, bot: str | None, document: str) -> str:
    bot_id = lookup.bot_id(session, bot)
    return f"/bots/{bot_id}/documents/{lookup.document_id(session, bot_id, document)}"


def _show_list(console: "Console", documents: list[dict[str, Any]]) -> None:
    if not documents:
        console.print("No documents. Drop some: chatsphere drop PATH…")
        return
    rows = Rows(
        ["id", "name", "status", "pages", "chunks", "size", "created"],
        right=["pages", "chunks", "size"],
        elide=["name"],
    )
    for document in documents:
        rows.add(
            document["id"],
            one_line(document["name"]),
            plain(document.get("error_code") or document["status"]),
            str(document.get("page_count") or ""),
            str(document.get("chunk_count") or ""),
            size(document.get("size")),
            moment(document.get("created_at")),
            style="red" if document["status"] == "failed" else None,
        )
    console.print(rows.table)


def _show_chunks(console: "Console", chunks: list[dict[str, Any]]) -> None:
    rows = Rows(["#", "page", "characters", "heading", "content"], right=["#"], elide=["content"])
    for number, chunk in enumerate(chunks, 1):
        rows.add(
            str(chunk.get("ordinal", number)),
            pages(chunk.get("page_start"), chunk.get("page_end")),
            f"{chunk.get('char_start', '')}-{chunk.get('char_end', '')}",
            one_line(" › ".join(chunk.get("heading_path") or []), 40),
            one_line(chunk.get("content", "")),
        )
    console.print(rows.table)
