"""`chatsphere sources …`: add, list, show, pages, change, sync, delete what a bot reads on the web."""

from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chatsphere.cli import lookup
from chatsphere.cli.commands.bots import show_fields
from chatsphere.cli.confirmation import confirm
from chatsphere.cli.errors import UsageError
from chatsphere.cli.formatting import moment, one_line, plain
from chatsphere.cli.options import BotOption, command
from chatsphere.cli.output import Rows
from chatsphere.cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console

SourceArgument = Annotated[str, typer.Argument(metavar="ID|URL")]
PagesOption = Annotated[int | None, typer.Option("--max-pages", min=1, help="How many pages at most.")]
DepthOption = Annotated[int | None, typer.Option("--max-depth", min=0, help="How many links away at most.")]
EveryOption = Annotated[int | None, typer.Option("--every", min=0, metavar="MINUTES", help="Look again so often.")]
LimitOption = Annotated[int, typer.Option(min=1, help="How many at most.")]


def register(app: typer.Typer) -> None:
    """Put the commands into the application."""
    group = typer.Typer(no_args_is_help=True, help="What a bot reads on the web.")
    command(group, "add")(add)
    command(group, "list")(list_sources)
    command(group, "show")(show)
    command(group, "pages")(pages)
    command(group, "change")(change)
    command(group, "sync")(sync)
    command(group, "delete")(delete)
    app.add_typer(group, name="sources")


def add(
    session: Session,
    url: str,
    bot: BotOption = None,
    kind: Annotated[str, typer.Option(help="page, sitemap or crawl.")] = "page",
    max_pages: PagesOption = None,
    max_depth: DepthOption = None,
    every: EveryOption = None,
) -> None:
    """Read a page, the pages of a sitemap, or a site."""
    body = {"kind": kind, "url": url, "max_pages": max_pages, "max_depth": max_depth, "resync_minutes": every or None}
    given = {name: value for name, value in body.items() if value is not None}
    answer = session.client.post(f"/bots/{lookup.bot_id(session, bot)}/sources", given)
    source = answer["source"]
    session.output.result(answer, lambda console: console.print(f"Reading {plain(source['url'])}: {source['id']}"))


def list_sources(session: Session, bot: BotOption = None, limit: LimitOption = 1000) -> None:
    """List what a bot reads on the web."""
    found = list(islice(session.client.items(f"/bots/{lookup.bot_id(session, bot)}/sources"), limit))
    session.output.result({"data": found}, lambda console: _show_list(console, found))


def show(session: Session, source: SourceArgument, bot: BotOption = None) -> None:
    """Show one source and how far its synchronisation is."""
    found = session.client.get(_path(session, bot, source))
    session.output.result(found, lambda console: show_fields(console, found))


def pages(
    session: Session,
    source: SourceArgument,
    bot: BotOption = None,
    status: Annotated[str | None, typer.Option(help="Only those with this status, such as failed.")] = None,
    limit: LimitOption = 1000,
) -> None:
    """Show the pages that a source has found, and why some became no document."""
    found = list(islice(session.client.items(f"{_path(session, bot, source)}/pages", {"status": status}), limit))
    session.output.result({"data": found}, lambda console: _show_pages(console, found))


def change(
    session: Session,
    source: SourceArgument,
    bot: BotOption = None,
    max_pages: PagesOption = None,
    max_depth: DepthOption = None,
    every: EveryOption = None,
) -> None:
    """Change a source's bounds, or how often it is looked at (--every 0: only when asked to)."""
    body: dict[str, Any] = {"max_pages": max_pages, "max_depth": max_depth}
    given = {name: value for name, value in body.items() if value is not None}
    if every is not None:
        given["resync_minutes"] = every or None
    changed = session.client.patch(_path(session, bot, source), given)
    session.output.result(changed, lambda console: show_fields(console, changed))


def sync(session: Session, source: SourceArgument, bot: BotOption = None) -> None:
    """Look at a source's pages again, now."""
    answer = session.client.post(f"{_path(session, bot, source)}/sync", {})
    session.output.result(answer, lambda console: console.print("It is being synchronised."))


def delete(
    session: Session,
    source: SourceArgument,
    bot: BotOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete a source with the documents that came from it."""
    path = _path(session, bot, source)
    confirm(session, f"Delete {plain(source)} with its documents?", yes=yes)
    session.client.delete(path)
    session.output.result({"deleted": path.rpartition("/")[2]}, lambda console: console.print("Deleted."))


def _path(session: Session, bot: str | None, source: str) -> str:
    """Return the source's place; a URL is one as `add` was given it, or as it is listed."""
    path = f"/bots/{lookup.bot_id(session, bot)}/sources"
    if "://" not in source:
        return f"{path}/{source}"
    wanted = source.rstrip("/")
    found = [item for item in session.client.items(path) if item["url"].rstrip("/") == wanted]
    if len(found) != 1:
        code, count = ("which_source", "Several sources") if found else ("no_such_source", "No source")
        raise UsageError(f"{count} read {source!r}.", hint="Use the id: chatsphere sources list", code=code)
    return f"{path}/{found[0]['id']}"


def _show_list(console: "Console", sources: list[dict[str, Any]]) -> None:
    if not sources:
        console.print("No sources. Add one: chatsphere sources add URL --kind crawl")
        return
    rows = Rows(["id", "url", "kind", "status", "pages", "failed", "next"], right=["pages", "failed"], elide=["url"])
    for source in sources:
        rows.add(
            source["id"],
            one_line(source["url"]),
            source["kind"],
            plain(source.get("error_code") or source["status"]),
            str(source["pages"]["fetched"]),
            str(source["pages"]["failed"] or ""),
            moment(source.get("next_sync_at")),
            style="red" if source["status"] == "failed" else None,
        )
    console.print(rows.table)


def _show_pages(console: "Console", pages: list[dict[str, Any]]) -> None:
    rows = Rows(["url", "status", "why", "fetched"], elide=["url"])
    for page in pages:
        status = "excluded" if page["is_excluded"] else page["status"]
        rows.add(
            one_line(page["url"]),
            status,
            plain(page.get("error_code") or ""),
            moment(page.get("fetched_at")),
            style="red" if status == "failed" else None,
        )
    console.print(rows.table)
