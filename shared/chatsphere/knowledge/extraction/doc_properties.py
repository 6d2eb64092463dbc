"""The properties of characters and paragraphs in a Word 97-2003 file (MS-DOC 2.6, 2.9.33, 2.9.174)."""

import struct
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache

from chatsphere.knowledge.extraction.doc_file import WordFile, plc

DELETED, HIDDEN, SYMBOL = 0x0800, 0x083C, 0x6A09
IN_TABLE, ROW_END, INNER_ROW_END = 0x2416, 0x2417, 0x244C
STYLE, OUTLINE_LEVEL, LIST_LEVEL, LIST = 0x4600, 0x2640, 0x260A, 0x460B
TABLE_DEFINITION, HUGE = 0xD608, 0x6646
"""Property modifiers (SPRM) that say something about the text."""

_PAGE = 512
_OPERAND_BYTES = {0: 1, 1: 1, 2: 2, 3: 4, 4: 2, 5: 2, 7: 3}
_CHANGED_TABS = 0xC615

Properties = dict[int, bytes]
"""The operand of each modifier; of one that comes twice the last."""


def read_properties(group: bytes) -> Properties:
    """Read a list of modifiers; what is cut off at its end is left out."""
    return dict(_modifiers(group))


def _modifiers(group: bytes) -> Iterator[tuple[int, bytes]]:
    place = 0
    while place + 3 <= len(group):
        code = group[place] | group[place + 1] << 8
        place += 2
        size = _OPERAND_BYTES.get(code >> 13)
        if code == TABLE_DEFINITION:
            size = int.from_bytes(group[place : place + 2], "little") - 1
            place += 2
        elif size is None:
            size = group[place]
            place += 1
            if code == _CHANGED_TABS and size == 255:
                return
        yield code, group[place : place + size]
        place += max(size, 0)


def number(properties: Properties, code: int, default: int = 0) -> int:
    """A modifier's operand as a number."""
    operand = properties.get(code)
    return default if operand is None else int.from_bytes(operand, "little")


class Runs:
    """The runs of characters, or of paragraphs, that have the same properties, by their place in the main stream."""

    def __init__(self, word: WordFile, part: int, *, paragraphs: bool) -> None:
        self._word = word
        self._paragraphs = paragraphs
        self._starts, pages = plc(word.part(part), 4)
        self._pages = [int.from_bytes(page, "little") & 0x3FFFFF for page in pages]
        self._page = lru_cache(maxsize=64)(self._read_page)

    def at(self, place: int) -> tuple[int, bytes]:
        """Where the run that holds a place ends, and its modifiers (of a paragraph after its style's number)."""
        found = bisect_right(self._starts, place) - 1
        if not 0 <= found < len(self._pages):
            beyond = self._starts[0] if found < 0 and self._starts else 1 << 32
            return beyond, b""
        ends, groups = self._page(self._pages[found])
        run = bisect_right(ends, place)
        if run >= len(groups):
            return max(place + 1, self._starts[found + 1]), b""
        return ends[run], groups[run]

    def _read_page(self, page: int) -> tuple[list[int], list[bytes]]:
        data = self._word.main[page * _PAGE : (page + 1) * _PAGE]
        count = data[_PAGE - 1]
        places = struct.unpack_from(f"<{count + 1}I", data)
        width = 13 if self._paragraphs else 1
        offsets = [2 * data[4 * (count + 1) + width * run] for run in range(count)]
        return list(places[1:]), [self._group(data, offset) if offset else b"" for offset in offsets]

    def _group(self, page: bytes, offset: int) -> bytes:
        size = page[offset]
        if not self._paragraphs:
            return page[offset + 1 : offset + 1 + size]
        if size:
            return page[offset + 1 : offset + 2 * size]
        return page[offset + 2 : offset + 2 + 2 * page[offset + 1]]
