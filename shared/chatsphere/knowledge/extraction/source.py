"""What a parser reads: a file, or one that exists in memory only because it was inside another."""

import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import BinaryIO, Literal, TextIO, overload


@dataclass(frozen=True, slots=True)
class MemoryFile:
    """A file's bytes, to be opened as a `Path` is: the child may write no file, not even one in memory (memfd)."""

    data: bytes

    @overload
    def open(self, mode: Literal["rb"]) -> BinaryIO: ...

    @overload
    def open(self, mode: Literal["r"], *, encoding: str | None, errors: str | None, newline: str | None) -> TextIO: ...

    def open(
        self, mode: str, *, encoding: str | None = None, errors: str | None = None, newline: str | None = None
    ) -> BinaryIO | TextIO:
        """Open for reading."""
        raw = BytesIO(self.data)
        return raw if "b" in mode else TextIOWrapper(raw, encoding=encoding, errors=errors, newline=newline)


Source = Path | MemoryFile


@contextmanager
def mapped(source: Source) -> Iterator[bytes | mmap.mmap]:
    """The bytes of a file to be searched without reading them into memory."""
    if isinstance(source, MemoryFile):
        yield source.data
        return
    with source.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        yield data


def size_of(source: Source) -> int:
    """The size in bytes."""
    return len(source.data) if isinstance(source, MemoryFile) else source.stat().st_size
