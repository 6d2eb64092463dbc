"""The zip container of a DOCX: its parts, each checked before it is inflated."""

import posixpath
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from chatsphere.errors import (
    CorruptDocumentError,
    DocumentTooLargeError,
    EncryptedDocumentError,
    TypeMismatchError,
)
from chatsphere.knowledge.extraction.limits import MIB, ExtractionLimits
from chatsphere.knowledge.extraction.xml import Element, parse

_SMALL_BYTES = 4 * MIB
"""Below this the ratio does not matter: small XML that repeats itself compresses very well."""


@contextmanager
def damage_reported() -> Iterator[None]:
    """Report an archive that is cut off, or whose data or checksums are wrong."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError, ValueError):
        raise CorruptDocumentError from None


class Package:
    """An open DOCX; a context manager. Nothing is inflated that exceeds the limits."""

    def __init__(self, path: Path, limits: ExtractionLimits) -> None:
        self._limits = limits
        with damage_reported():
            self._zip = zipfile.ZipFile(path)
        if len(self._zip.filelist) > limits.max_entries:
            raise DocumentTooLargeError
        self._parts = {part.filename.lstrip("/").lower(): part for part in self._zip.filelist}
        self.main = self._find_main()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()

    def open(self, name: str) -> IO[bytes] | None:
        """Open a part for streaming; None if there is no such part."""
        part = self._parts.get(name.lstrip("/").lower())
        if part is None:
            return None
        self._check(part)
        with damage_reported():
            return self._zip.open(part)

    def xml(self, name: str) -> Element | None:
        """Parse a small part whole; None if there is no such part."""
        stream = self.open(name)
        with damage_reported():
            return None if stream is None else parse(stream)

    def beside_main(self, name: str) -> str:
        """The name of a part in the main part's folder."""
        return posixpath.join(posixpath.dirname(self.main), name)

    def _check(self, part: zipfile.ZipInfo) -> None:
        if part.flag_bits & 1:
            raise EncryptedDocumentError
        ratio = part.file_size / max(part.compress_size, 1)
        bomb = part.file_size > _SMALL_BYTES and ratio > self._limits.max_unpack_ratio
        if bomb or part.file_size > self._limits.max_unpacked_bytes:
            raise DocumentTooLargeError

    def _find_main(self) -> str:
        relations = self.xml("_rels/.rels")
        if relations is not None:
            for relation in relations.iter("{*}Relationship"):
                target = (relation.get("Target") or "").lstrip("/").lower()
                if (relation.get("Type") or "").endswith("/officeDocument") and target in self._parts:
                    return target
        if "word/document.xml" not in self._parts:
            raise TypeMismatchError
        return "word/document.xml"
