"""A ZIP that is written as it is read from: no more of it is in memory than what nobody has taken yet."""

import hashlib
import io
import zipfile
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from chatsphere.transfers.format import Member

BLOCK_BYTES: Final = 1024 * 1024


class _Pipe(io.RawIOBase):
    """What the ZIP is written to: it has no end to go back from, so that sizes come behind their members."""

    def __init__(self) -> None:
        self.held = bytearray()

    def writable(self) -> bool:
        """See `io.IOBase`."""
        return True

    def write(self, data: "bytes | bytearray | memoryview") -> int:  # type: ignore[override]
        """Hold the bytes until they are taken."""
        self.held += data
        return len(data)


class ZipStream:
    """Members are added one after the other; each addition yields what of the ZIP is ready."""

    def __init__(self, made_at: datetime) -> None:
        self._pipe = _Pipe()
        self._zip = zipfile.ZipFile(self._pipe, "w", allowZip64=True)
        self._date = made_at.timetuple()[:6]
        self.members: dict[str, Member] = {}
        self.size = 0
        self.sha256 = hashlib.sha256()

    def add(self, name: str, content: Iterable[bytes], *, compressed: bool = True) -> Iterator[bytes]:
        """Add a member; `members` says afterwards what it holds."""
        info = zipfile.ZipInfo(name, self._date)
        info.compress_type = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
        digest, size = hashlib.sha256(), 0
        with self._zip.open(info, "w", force_zip64=True) as member:
            for block in content:
                digest.update(block)
                size += len(block)
                member.write(block)
                yield from self._ready(BLOCK_BYTES)
        self.members[name] = Member(sha256=digest.hexdigest(), size=size)

    def finish(self) -> Iterator[bytes]:
        """Write the table of contents; yield what is left."""
        self._zip.close()
        yield from self._ready(1)

    def _ready(self, least: int) -> Iterator[bytes]:
        if len(self._pipe.held) < least:
            return
        block = bytes(self._pipe.held)
        self._pipe.held.clear()
        self.size += len(block)
        self.sha256.update(block)
        yield block
