"""The names of the fonts of a Word 97-2003 file, by their number (MS-DOC 2.9.286, 2.9.78)."""

import struct

from chatsphere.knowledge.extraction.doc_file import FONTS, WordFile

_NAME_AT = 40


def read_fonts(word: WordFile) -> list[str]:
    """Read the table of fonts."""
    part = word.part(FONTS)
    count = struct.unpack_from("<H", part)[0] if len(part) >= 4 else 0
    names: list[str] = []
    place = 4
    for _ in range(count):
        if place >= len(part):
            break
        size = part[place] + 1
        name = part[place + _NAME_AT : place + size]
        names.append(name[: len(name) // 2 * 2].decode("utf-16-le", "replace").partition("\0")[0])
        place += size
    return names
