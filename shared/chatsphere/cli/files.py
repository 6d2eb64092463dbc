"""Which files are dropped, and what they are called in the bot."""

import mimetypes
import os
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from chatsphere.cli.errors import UsageError

UNKNOWN_TYPE = "application/octet-stream"

# Not the machine's own tables: Windows takes CSV for Excel's, and a wrong type is an error at the server.
_TYPES = mimetypes.MimeTypes(filenames=())
for _type, _extension in (
    ("text/markdown", ".md"),
    ("text/markdown", ".markdown"),
    ("text/csv", ".csv"),
    ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", ".docx"),
    ("application/vnd.openxmlformats-officedocument.presentationml.presentation", ".pptx"),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ".xlsx"),
    ("application/epub+zip", ".epub"),
):
    _TYPES.add_type(_type, _extension)


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file to drop: where it lies and its name in the bot."""

    path: Path
    name: str

    @property
    def content_type(self) -> str:
        """The media type that the name implies."""
        kind, encoding = _TYPES.guess_type(self.name)
        return kind if kind and not encoding else UNKNOWN_TYPE


def collect(paths: Iterable[Path]) -> list[LocalFile]:
    """Return the files that the paths name; a folder gives all that is in it, but for what is hidden.

    A file of a folder is named by its path in the folder, with slashes, any other by its own name.

    Raises:
        UsageError: a path does not exist, there is no file, or two files would have the same name.
    """
    by_name: dict[str, LocalFile] = {}
    for root in paths:
        for file in _files_of(root):
            other = by_name.setdefault(file.name, file)
            if not other.path.samefile(file.path):
                raise UsageError(
                    f"Two files would be named {file.name!r}: {other.path} and {file.path}.",
                    hint="Drop the folder that holds both, or one after the other into different bots.",
                )
    if not by_name:
        raise UsageError("There is no file to drop there.", hint="Files whose name begins with a dot are left out.")
    return list(by_name.values())


def _files_of(root: Path) -> Iterator[LocalFile]:
    if root.is_dir():
        for folder, folders, names in os.walk(root):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for path in (Path(folder, name) for name in sorted(names) if not name.startswith(".")):
                if path.is_file():
                    yield LocalFile(path, _name(path.relative_to(root).as_posix()))
    elif root.is_file():
        yield LocalFile(root, _name(root.name))
    elif root.exists():
        raise UsageError(f"{root} is neither a file nor a folder.")
    else:
        raise UsageError(f"{root} does not exist.")


def _name(name: str) -> str:
    """Return a name that every system writes in the same way: composed letters, and no undecodable bytes."""
    return unicodedata.normalize("NFC", name.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
