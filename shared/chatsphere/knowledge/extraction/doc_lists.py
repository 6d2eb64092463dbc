"""The lists of a Word 97-2003 file: how their items are numbered (MS-DOC 2.9.131, 2.9.147, 2.9.150)."""

import struct

from chatsphere.knowledge.extraction.doc_file import LIST_USES, LISTS, WordFile
from chatsphere.knowledge.extraction.docx_numbering import Labels, Level, NumberedList

_LIST_BYTES, _LEVEL_BYTES, _USE_BYTES = 28, 28, 16
_CHANGE_BYTES = 8
_SIMPLE = 1
_RESTARTED, _FORMATTED = 0x10, 0x20
_FORMS = {
    0: "decimal",
    1: "upperRoman",
    2: "lowerRoman",
    3: "upperLetter",
    4: "lowerLetter",
    22: "decimalZero",
    23: "bullet",
    255: "none",
}


def read_labels(word: WordFile) -> Labels:
    """Return what counts the items of each list, by the number that paragraphs call it by."""
    levels = _levels(word)
    uses = word.part(LIST_USES)
    count = struct.unpack_from("<I", uses)[0] if len(uses) >= 4 else 0
    lists: dict[str, NumberedList] = {}
    place = 4 + _USE_BYTES * count
    for position in range(count):
        if place > len(uses):
            break
        list_id, changes = struct.unpack_from("<i8xB", uses, 4 + _USE_BYTES * position)
        restarts, place = _restarts(uses, place + 4, changes)
        lists[str(position + 1)] = NumberedList(str(list_id), levels.get(list_id, {}), restarts)
    return Labels.of(lists)


def _restarts(uses: bytes, place: int, changes: int) -> tuple[dict[int, int], int]:
    """Where a list begins to count anew, by level, and where the next list's changes stand."""
    restarts: dict[int, int] = {}
    for _ in range(changes):
        if place + _CHANGE_BYTES > len(uses):
            break
        start, flags = struct.unpack_from("<iI", uses, place)
        place += _CHANGE_BYTES
        if flags & _FORMATTED:
            level, place = _level(uses, place)
            start = level.start
        if flags & (_RESTARTED | _FORMATTED):
            restarts[flags & 0xF] = start
    return restarts, place


def _levels(word: WordFile) -> dict[int, dict[int, Level]]:
    """The levels of each list; they stand one after the other behind all lists."""
    part, data = word.part(LISTS), word.after(LISTS)
    count = struct.unpack_from("<H", part)[0] if part else 0
    lists: dict[int, dict[int, Level]] = {}
    place = 0
    for position in range(min(count, len(part) // _LIST_BYTES)):
        start = 2 + _LIST_BYTES * position
        (list_id,) = struct.unpack_from("<i", part, start)
        lists[list_id] = {}
        for level in range(1 if part[start + 26] & _SIMPLE else 9):
            if place + _LEVEL_BYTES > len(data):
                return lists
            lists[list_id][level], place = _level(data, place)
    return lists


def _level(data: bytes, place: int) -> tuple[Level, int]:
    start, form = struct.unpack_from("<iB", data, place)
    character_bytes, paragraph_bytes = data[place + 24], data[place + 25]
    place += _LEVEL_BYTES + character_bytes + paragraph_bytes
    (length,) = struct.unpack_from("<H", data, place)
    shown = data[place + 2 : place + 2 + 2 * length].decode("utf-16-le", "replace")
    text = "".join(f"%{ord(char) + 1}" if ord(char) < 9 else char for char in shown)
    return Level(_FORMS.get(form, "decimal"), text, start), place + 2 + 2 * length
