"""What a hostile file is: a name, its bytes, and how its reading must end."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

READ: Final = "read"
"""The outcome of a file that is harmless in spite of its looks: it is read."""


@dataclass(frozen=True, slots=True)
class HostileFile:
    """`write` makes the file at a path; `outcomes` are the error codes, or `READ`, that are right."""

    name: str
    what: str
    write: Callable[[Path], object]
    outcomes: frozenset[str]


def hostile(name: str, what: str, content: Callable[[], bytes], *outcomes: str) -> HostileFile:
    """Return a hostile file whose bytes `content` makes when they are needed."""
    return HostileFile(name, what, lambda path: path.write_bytes(content()), frozenset(outcomes))
