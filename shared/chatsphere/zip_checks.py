"""What is wrong with a ZIP that somebody else made, told from its table of contents before anything is unpacked."""

import zipfile
import zlib
from collections.abc import Iterable
from typing import Final

DAMAGES: Final = (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, ValueError)
"""What Python's reader raises of a file that is cut off, or whose data or checksums are wrong."""

_LOCAL_HEADER_BYTES: Final = 30
_ENCRYPTED: Final = 1


def has_overlaps(entries: Iterable[zipfile.ZipInfo]) -> bool:
    """Return whether entries share bytes: no program writes them, and a few megabytes of them unpack to petabytes."""
    end = 0
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        if entry.header_offset < end:
            return True
        end = entry.header_offset + _LOCAL_HEADER_BYTES + entry.compress_size
    return False


def is_bomb(entry: zipfile.ZipInfo, *, small_bytes: int, max_ratio: float) -> bool:
    """Return whether an entry unpacks to more than so many times what it holds. Of up to `small_bytes` none does:
    small texts that repeat themselves compress very well.
    """
    return entry.file_size > small_bytes and entry.file_size / max(entry.compress_size, 1) > max_ratio


def is_encrypted(entry: zipfile.ZipInfo) -> bool:
    """Return whether an entry is behind a password."""
    return bool(entry.flag_bits & _ENCRYPTED)
