"""`chatsphere backup` and `chatsphere restore`: of a one-machine run's home. They ask no API."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from chatsphere.cli.errors import CliError, UsageError
from chatsphere.cli.formatting import size as readable
from chatsphere.cli.options import command
from chatsphere.cli.session import Session

if TYPE_CHECKING:
    from infra.local.backup.format import Manifest
    from infra.local.home import Home

VERIFY: Final = "verify"

HomeOption = Annotated[
    Path | None,
    typer.Option("--home", metavar="DIR", help="The home, before CHATSPHERE_HOME; ./.chatsphere without both."),
]


def register(app: typer.Typer) -> None:
    """Put the commands into the application."""
    command(app, "backup")(backup)
    command(app, "restore")(restore)


def backup(
    session: Session,
    place: Annotated[
        str | None, typer.Argument(metavar="[FILE|DIR|verify FILE]", show_default=False, help="Where it is written.")
    ] = None,
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", show_default=False, hidden=True)] = None,
    home: HomeOption = None,
    keep: Annotated[int | None, typer.Option(min=1, help="Delete all but so many backups of the folder.")] = None,
    verify: Annotated[bool, typer.Option(help="Read the file back, and compare every checksum.")] = True,
) -> None:
    """Back up all that a home keeps into one file, while the product runs or not. The file holds secrets.

    `chatsphere backup verify FILE` compares the checksums of one that was made before.
    """
    if file is not None or place == VERIFY:
        if file is None or place != VERIFY:
            raise UsageError("Name one file.", hint="chatsphere backup verify FILE")
        _verify(session, file)
        return
    from infra.local.backup.making import back_up
    from infra.local.backup.rotation import drop_old, target_for

    chosen = _home(home)
    with _reported(Path(place) if place else chosen.root):
        target = target_for(chosen, None if place is None else Path(place), is_folder=_names_folder(place, keep))
        made = back_up(chosen, target, verify=verify)
        dropped = [] if keep is None else drop_old(target.parent, keep)
    session.output.result(
        {**made.as_json(), "deleted": [str(path) for path in dropped]},
        lambda console: console.print(
            f"{made.file}: {readable(made.size)}{', verified' if made.verified else ''}; "
            f"{made.counts['documents']} documents, {made.counts['objects']} versions of objects. It holds secrets."
        ),
    )


def restore(
    session: Session,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `chatsphere backup` has written.")],
    home: HomeOption = None,
    force: Annotated[
        bool, typer.Option("--force", help="Put aside what is in the home, in a folder of it, and restore.")
    ] = False,
) -> None:
    """Make an empty home what it was when a backup was made; then start it as always."""
    from infra.local.backup.restoring import restore as restore_into

    chosen = _home(home)
    with _reported(chosen.root):
        manifest = restore_into(file, chosen, force=force)
    session.output.result(
        {"home": str(chosen.root), "made_at": manifest.made_at, "counts": manifest.counts},
        lambda console: console.print(
            f"{chosen.root} is as it was at {manifest.made_at}. Start it: CHATSPHERE_HOME={chosen.root} make up"
        ),
    )


def _names_folder(place: str | None, keep: int | None) -> bool:
    """Return whether a place that may not be there yet is a folder, by what was said of it."""
    if place is None or keep is None:
        return place is not None and place.endswith(os.sep)
    if place.endswith(".tar.gz"):
        raise UsageError("--keep counts the backups of a folder.", hint="chatsphere backup DIR --keep 7")
    return True


def _verify(session: Session, file: Path) -> None:
    from infra.local.backup.reading import read

    with _reported(file):
        manifest = read(file)
    session.output.result(_described(manifest), lambda console: console.print(f"{file} is whole ({manifest.made_at})."))


def _described(manifest: "Manifest") -> dict[str, object]:
    shown = ("made_at", "release", "schema_revision", "postgres", "counts")
    return {name: getattr(manifest, name) for name in shown}


def _home(given: Path | None) -> "Home":
    from infra.local.home import Home

    return Home((given or Path(os.environ.get("CHATSPHERE_HOME") or ".chatsphere")).resolve())


@contextmanager
def _reported(place: Path) -> Iterator[None]:
    """Tell the person what the one-machine run has to say, or the file system, which may not say where: at `place`."""
    from infra.local.errors import LocalRunError

    try:
        yield
    except LocalRunError as error:
        raise CliError(f"{error}", code="backup_failed") from None
    except OSError as error:
        raise CliError(f"{error.filename or place}: {error.strerror}", code="backup_failed") from None
