"""An object of the bucket as a file that can be read anywhere: a few blocks of it are in memory, none on disk."""

import io
import os
from collections import OrderedDict
from typing import Final

from chatsphere.ports.objects import ObjectStore
from chatsphere.transfers.errors import FileTooLargeError
from chatsphere.transfers.limits import MAX_DIRECTORY_BYTES

BLOCK_BYTES: Final = 2 * 1024 * 1024
BLOCKS: Final = 8
"""Enough for members that are read side by side, each from where it is."""


class RemoteFile(io.RawIOBase):
    """Reads one version of an object. What asks for more than `MAX_DIRECTORY_BYTES` at once is refused: a table of
    contents as large as its file would be read whole.
    """

    def __init__(self, objects: ObjectStore, key: str, version_id: str | None, size: int) -> None:
        self._objects = objects
        self._key = key
        self._version_id = version_id
        self._size = size
        self._position = 0
        self._blocks: OrderedDict[int, bytes] = OrderedDict()

    def readable(self) -> bool:
        """See `io.IOBase`."""
        return True

    def seekable(self) -> bool:
        """See `io.IOBase`."""
        return True

    def tell(self) -> int:
        """See `io.IOBase`."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """See `io.IOBase`."""
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        if origin + offset < 0:
            raise ValueError("before the beginning")
        self._position = origin + offset
        return self._position

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, fewer only at the end.

        Raises:
            FileTooLargeError: that are too many at once.
            UnavailableError: the store does not answer.
        """
        left = max(0, self._size - self._position)
        wanted = left if size is None or size < 0 else min(size, left)
        if wanted > MAX_DIRECTORY_BYTES:
            raise FileTooLargeError
        parts = []
        while wanted:
            number, offset = divmod(self._position, BLOCK_BYTES)
            part = self._block(number)[offset : offset + wanted]
            if not part:
                break
            parts.append(part)
            wanted -= len(part)
            self._position += len(part)
        return b"".join(parts)

    def _block(self, number: int) -> bytes:
        if number not in self._blocks:
            start = number * BLOCK_BYTES
            block = self._objects.read(self._key, self._version_id, start=start, length=BLOCK_BYTES)
            self._blocks[number] = block
            while len(self._blocks) > BLOCKS:
                self._blocks.popitem(last=False)
        self._blocks.move_to_end(number)
        return self._blocks[number]
