"""`chatsphere drop`: files and folders into a bot, until they can be asked about."""

import threading
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chatsphere.cli import files, lookup
from chatsphere.cli.errors import ExitCode
from chatsphere.cli.formatting import one_line, plain, size
from chatsphere.cli.options import BotOption, command
from chatsphere.cli.output import Rows
from chatsphere.cli.progress import Bars, SetCount, bars, nothing_to_show
from chatsphere.cli.session import Session
from chatsphere.cli.stages import problem

if TYPE_CHECKING:
    from rich.console import Console

    from chatsphere.cli.ingestion import Outcome

PARALLEL_UPLOADS = 4
SHOWN = 50
"""So many rows of documents that went well; those that failed are always shown."""


def register(app: typer.Typer) -> None:
    """Put the command into the application."""
    command(app, "drop")(drop)


def drop(
    session: Session,
    paths: Annotated[list[Path], typer.Argument(metavar="PATH…", help="Files, or folders with all that is in them.")],
    bot: BotOption = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until each is ready or has failed.")] = True,
    timeout: Annotated[float, typer.Option(min=0, help="Seconds to wait after the last upload.")] = 900,
) -> ExitCode:
    """Put files into a bot and wait until they can be asked about. Exit code 1 if any failed."""
    found = files.collect(paths)
    bot_id = lookup.bot_id(session, bot)
    with bars(session.output) as shown:
        outcomes = _ingest(session, bot_id, found, shown, follow=wait, timeout=timeout)
    rows = [_row(file, outcomes[file]) for file in found]
    good = [row for row in rows if row["status"] == "ready" or (not wait and row["status"] != "failed")]
    report = {"bot_id": bot_id, "documents": rows, "succeeded": len(good), "failed": len(rows) - len(good)}
    session.output.result(report, lambda console: _show(console, rows, len(good)))
    return ExitCode.OK if len(good) == len(rows) else ExitCode.FAILED


def _ingest(
    session: Session, bot_id: str, found: list[files.LocalFile], shown: Bars, *, follow: bool, timeout: float
) -> "dict[files.LocalFile, Outcome]":
    from chatsphere.cli.ingestion import Ingestion
    from chatsphere.cli.streamed_watch import StreamedWatch
    from chatsphere.cli.uploads import Uploader, open_store

    client, stopped = session.client.patient(), threading.Event()
    sent = _Sum(shown.add("Uploading", sum(_size(file) for file in found), size))
    settled = shown.add("Ingesting", len(found)) if follow else nothing_to_show
    watch = StreamedWatch(client, bot_id)
    ingestion = Ingestion[files.LocalFile](watch, PARALLEL_UPLOADS, timeout, on_settled=settled)
    with open_store(session.target.api) as store:
        uploader = Uploader(client, bot_id, sent.add, stopped, store)
        try:
            return ingestion.run({file: partial(uploader.send, file) for file in found}, follow=follow)
        finally:
            stopped.set()
            watch.close()


class _Sum:
    """Adds up what several threads report."""

    def __init__(self, show: SetCount) -> None:
        self._show = show
        self._sum = 0
        self._lock = threading.Lock()

    def add(self, amount: int) -> None:
        """Count, and show the sum."""
        with self._lock:
            self._sum += amount
            self._show(self._sum)


def _size(file: files.LocalFile) -> int:
    try:
        return file.path.stat().st_size
    except OSError:
        return 0


def _row(file: files.LocalFile, outcome: "Outcome") -> dict[str, Any]:
    document = outcome.document or {}
    seconds = None if outcome.finished is None else round(outcome.finished - outcome.started, 2)
    return {
        "path": str(file.path),
        "name": file.name,
        "id": document.get("id"),
        "status": outcome.status,
        "size": _size(file),
        "page_count": document.get("page_count"),
        "chunk_count": document.get("chunk_count"),
        "seconds": seconds,
        "error_code": outcome.error_code,
        "error_message": outcome.error_message,
        "retryable": document.get("retryable"),
    }


def _show(console: "Console", rows: list[dict[str, Any]], succeeded: int) -> None:
    shown = Rows(
        ["name", "status", "size", "pages", "chunks", "seconds", "problem"],
        right=["size", "pages", "chunks", "seconds"],
        elide=["problem"],
    )
    good = [row for row in rows if row["error_code"] is None]
    for row in [*(row for row in rows if row["error_code"] is not None), *good[:SHOWN]]:
        shown.add(
            one_line(row["name"], 60),
            plain(row["status"]),
            size(row["size"]),
            str(row["page_count"] or ""),
            str(row["chunk_count"] or ""),
            "" if row["seconds"] is None else f"{row['seconds']:.1f}",
            problem(row, 200) if row["error_code"] else "",
            style="red" if row["error_code"] else None,
        )
    console.print(shown.table)
    if len(good) > SHOWN:
        console.print(f"… and {len(good) - SHOWN} more")
    failed = len(rows) - succeeded
    console.print(f"{succeeded} of {len(rows)} documents" + (f", {failed} failed" if failed else "") + ".")
