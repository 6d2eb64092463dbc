"""A zip container of documents (Office, EPUB): its parts, each checked before it is inflated."""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import IO, Self

from chatsphere.errors import CorruptDocumentError, DocumentTooLargeError, EncryptedDocumentError
from chatsphere.knowledge.extraction.limits import MIB, ExtractionLimits
from chatsphere.knowledge.extraction.source import MemoryFile, Source
from chatsphere.knowledge.extraction.xml import Element, parse
from chatsphere.zip_checks import DAMAGES, has_overlaps, is_bomb, is_encrypted

_SMALL_BYTES = 4 * MIB
"""Below this the ratio does not matter: small XML that repeats itself compresses very well."""

_WHOLE_BYTES = 32 * MIB
"""A part that is parsed whole takes up to twenty times its size."""


@contextmanager
def damage_reported() -> Iterator[None]:
    """Report an archive that is cut off, or whose data or checksums are wrong."""
    try:
        yield
    except (*DAMAGES, OSError):
        raise CorruptDocumentError from None


class Archive:
    """An open container; a context manager. Nothing is inflated that exceeds the limits.

    Parts are named by their path from the root, with or without a slash before it, in any case.
    """

    def __init__(self, source: Source, limits: ExtractionLimits) -> None:
        self._limits = limits
        with damage_reported():
            self._zip = zipfile.ZipFile(source.open("rb") if isinstance(source, MemoryFile) else source)
        if len(self._zip.filelist) > limits.max_entries:
            raise DocumentTooLargeError
        if has_overlaps(self._zip.filelist):
            raise CorruptDocumentError
        self._parts = {_key(part.filename): part for part in self._zip.filelist}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()

    def __contains__(self, name: str) -> bool:
        return _key(name) in self._parts

    def size(self, name: str) -> int:
        """The bytes of a part after inflation, 0 if there is no such part."""
        part = self._parts.get(_key(name))
        return 0 if part is None else part.file_size

    def open(self, name: str) -> IO[bytes] | None:
        """Open a part for streaming; None if there is no such part.

        Raises:
            DocumentTooLargeError: a bomb, or larger than the limit.
            EncryptedDocumentError: behind a password.
        """
        part = self._parts.get(_key(name))
        if part is None:
            return None
        self._check(part)
        with damage_reported():
            return self._zip.open(part)

    def xml(self, name: str, *, doctype: bool = False) -> Element | None:
        """Parse a small part whole; None if there is no such part. `doctype` as for `xml.iterate`.

        Raises:
            DocumentTooLargeError: as `open`, or the part is not small.
        """
        if self.size(name) > _WHOLE_BYTES:
            raise DocumentTooLargeError
        stream = self.open(name)
        with damage_reported():
            return None if stream is None else parse(stream, doctype=doctype)

    def _check(self, part: zipfile.ZipInfo) -> None:
        if is_encrypted(part):
            raise EncryptedDocumentError
        bomb = is_bomb(part, small_bytes=_SMALL_BYTES, max_ratio=self._limits.max_unpack_ratio)
        if bomb or part.file_size > self._limits.max_unpacked_bytes:
            raise DocumentTooLargeError


def _key(name: str) -> str:
    return name.replace("\\", "/").lstrip("/").lower()  # some programs write the paths of Windows
