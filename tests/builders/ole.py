"""OLE compound files, written by hand: version 3, sectors of 512 bytes, every stream in sectors of its own."""

import struct
from collections.abc import Mapping

_SECTOR = 512
_MIN_STREAM = 4096
"""A smaller stream would have to stand in the mini stream; streams are filled up with zeros instead."""
_END, _FREE, _FAT = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
_ENTRIES_PER_SECTOR = 4


def make_ole(streams: Mapping[str, bytes]) -> bytes:
    """Return a compound file with these streams in its root."""
    bodies = [_filled(data) for data in streams.values()]
    directory_sectors = -(-(len(streams) + 1) // _ENTRIES_PER_SECTOR)
    data_sectors = directory_sectors + sum(len(body) // _SECTOR for body in bodies)
    fat_sectors = 1
    while fat_sectors * 128 < data_sectors + fat_sectors:
        fat_sectors += 1
    fat = [_FAT] * fat_sectors + _chain(fat_sectors, directory_sectors)
    entries = [_entry("Root Entry", 5, _END, 0, child=1 if streams else _FREE)]
    for number, (name, body) in enumerate(zip(streams, bodies, strict=True), 1):
        right = number + 1 if number < len(streams) else _FREE
        entries.append(_entry(name, 2, len(fat), len(body), right=right))
        fat += _chain(len(fat), len(body) // _SECTOR)
    fat += [_FREE] * (fat_sectors * 128 - len(fat))
    directory = b"".join(entries).ljust(directory_sectors * _SECTOR, b"\0")
    return _header(fat_sectors) + struct.pack(f"<{len(fat)}I", *fat) + directory + b"".join(bodies)


def _header(fat_sectors: int) -> bytes:
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    counts = struct.pack("<IIIIIIIII", 0, fat_sectors, fat_sectors, 0, _MIN_STREAM, _END, 0, _END, 0)
    places = [*range(fat_sectors), *[_FREE] * (109 - fat_sectors)]
    return head + counts + struct.pack("<109I", *places)


def _entry(name: str, kind: int, start: int, size: int, *, right: int = _FREE, child: int = _FREE) -> bytes:
    encoded = name.encode("utf-16-le") + b"\0\0"
    links = struct.pack("<III", _FREE, right, child)
    return (
        encoded.ljust(64, b"\0")
        + struct.pack("<HBB", len(encoded), kind, 1)
        + links
        + bytes(36)
        + struct.pack("<IQ", start, size)
    )


def _chain(first: int, count: int) -> list[int]:
    return [*range(first + 1, first + count), _END] if count else []


def _filled(data: bytes) -> bytes:
    size = max(_MIN_STREAM, -(-len(data) // _SECTOR) * _SECTOR)
    return data.ljust(size, b"\0")
