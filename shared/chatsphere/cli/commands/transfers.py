"""`chatsphere bots export` and `chatsphere bots import`: a bot as one file."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chatsphere.cli import lookup
from chatsphere.cli.errors import UsageError
from chatsphere.cli.formatting import plain
from chatsphere.cli.formatting import size as readable
from chatsphere.cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console

PARTS = ("originals", "vectors", "versions", "evaluation_sets")

LeaveOutOption = Annotated[
    list[str] | None, typer.Option("--leave-out", metavar="PART", help=f"Not in the file: {', '.join(PARTS)}.")
]


def export(
    session: Session,
    bot: Annotated[str, typer.Argument(metavar="ID|NAME")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where the file is written.")],
    leave_out: LeaveOutOption = None,
) -> None:
    """Write a bot to a file: settings, documents, passages, vectors, evaluation sets. No conversations, no people."""
    from chatsphere.cli.transfers import download, follow

    if unknown := set(leave_out or ()) - set(PARTS):
        raise UsageError(f"There is no part {sorted(unknown)[0]!r}.", hint=f"One of: {', '.join(PARTS)}.")
    if file.is_dir() or not os.access(file.absolute().parent, os.W_OK):
        # Known before the file is made, which may take minutes.
        raise UsageError(f"{file} cannot be written: name a file in a folder that is there.")
    found = session.client.get(f"/bots/{lookup.bot_id(session, bot)}")
    body = {"include": [part for part in PARTS if part not in (leave_out or ())]}
    asked = session.client.post(f"/bots/{found['id']}/exports", body)
    path = f"/bots/{found['id']}/exports/{asked['id']}"
    done = follow(session, plain(found["name"]), path, lambda now: bool(now["status"] == "done"))
    download(session, done["download_url"], file, done["sha256"], done["size"])
    shown = {name: value for name, value in done.items() if name != "download_url"} | {"file": str(file)}
    session.output.result(
        shown,
        lambda console: console.print(
            f"{file}: {readable(done['size'])}; {_counted(done['counts'])}. It holds all that the bot knows."
        ),
    )


def import_file(
    session: Session,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `bots export` has written.")],
    name: Annotated[str | None, typer.Option(help="The bot's name, if it is to be another than the file's.")] = None,
) -> None:
    """Make a bot of a file: nothing is read again, and nothing embedded where the model is the same."""
    from chatsphere.cli.transfers import follow, upload

    if not file.is_file():
        raise UsageError(f"{file} does not exist, or is no file.")
    permitted = session.client.post("/bot-imports", {} if name is None else {"name": name})
    path = f"/bot-imports/{permitted['bot_import']['id']}"
    upload(session, permitted["upload"], file)
    session.client.post(f"{path}/start", {})
    done = follow(session, file.name, path, lambda now: bool(now["status"] == "done"))
    session.output.result(done, lambda console: _show_import(console, done))


def _show_import(console: "Console", done: dict[str, Any]) -> None:
    vectors = "its vectors are kept"
    if done["vectors"] == "made_anew":
        vectors = f"its passages are being embedded with {done['embedding_model']}: chatsphere watch"
    console.print(f"Made {done['bot_id']}: {_counted(done['counts'])}; {vectors}.", soft_wrap=True)


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{counts.get(name, 0)} {name}" for name in ("documents", "chunks"))
