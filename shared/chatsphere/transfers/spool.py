"""Bytes that are kept until they are known to be whole: in memory while they are few, then in a temporary file."""

from collections.abc import Iterator
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import Final, Self

_IN_MEMORY_BYTES: Final = 4 * 1024 * 1024
_BLOCK_BYTES: Final = 256 * 1024


class Spool:
    """A context manager; nothing of it is left afterwards."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES)  # noqa: SIM115 - closed by this object's own end

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of it."""
        self._file.close()

    def write(self, data: bytes) -> None:
        """Add to it."""
        self._file.write(data)

    def clear(self) -> None:
        """Begin again."""
        self._file.seek(0)
        self._file.truncate()

    def blocks(self) -> Iterator[bytes]:
        """Yield all of it from the beginning."""
        self._file.seek(0)
        while block := self._file.read(_BLOCK_BYTES):
            yield block
