"""A size-capped log file that also remembers its last lines."""

import os
from collections import deque
from contextlib import suppress
from io import FileIO
from pathlib import Path

MAX_BYTES = 5 * 1024 * 1024
REMEMBERED_LINES = 30


class LogFile:
    """Appends lines to `path`; a full file becomes `<path>.1`, replacing the one before it."""

    def __init__(self, path: Path, max_bytes: int = MAX_BYTES) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._file = self._open()
        self._size = self._file.tell()
        self._last: deque[bytes] = deque(maxlen=REMEMBERED_LINES)

    def write(self, line: bytes) -> None:
        """Append one line (with its line end). Where the disk is full it is remembered, and the file lacks it."""
        self._last.append(line)
        # Whoever writes answers a request, or empties the pipe of a process that would stand still: neither may end.
        with suppress(OSError):
            if self._size + len(line) > self._max_bytes and self._size:
                self._rotate()
            self._size += self._file.write(line)

    def tail(self) -> str:
        """Return the last lines written."""
        return b"".join(self._last).decode("utf-8", "replace").rstrip()

    def close(self) -> None:
        """Close the file; the remembered lines stay."""
        self._file.close()

    def _rotate(self) -> None:
        # Where the disk was full at the last try, the file has its other name already, and there is no new one.
        with suppress(FileNotFoundError):
            self._path.replace(self._path.with_name(f"{self._path.name}.1"))
        former, self._file, self._size = self._file, self._open(), 0
        former.close()

    def _open(self) -> FileIO:
        # Unbuffered, so that a line is in the file when the process that wrote it has just died.
        return FileIO(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")
