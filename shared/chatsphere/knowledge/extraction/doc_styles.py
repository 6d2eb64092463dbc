"""The styles of a Word 97-2003 file (STSH; MS-DOC 2.9.271), in the form of those of a DOCX."""

import struct
from collections.abc import Iterator

from chatsphere.knowledge.extraction import doc_properties as sprm
from chatsphere.knowledge.extraction.doc_file import STYLES, WordFile
from chatsphere.knowledge.extraction.doc_properties import Properties, read_properties
from chatsphere.knowledge.extraction.docx_styles import Style, Styles

# A built-in style is known by its number; its name is in the language of the program.
_HEADINGS = range(1, 10)
_CONTENTS = range(19, 28)
_TABLE_OF_FIGURES = 35
_TITLE = 62
_NONE = 0xFFF
_BODY_LEVEL = 9
_MAX_LISTS = 0x7FE


def read_styles(word: WordFile) -> Styles:
    """Read the styles, by their position."""
    styles = {str(position): _style(data) for position, data in enumerate(_entries(word.part(STYLES))) if data}
    return Styles.of(styles, "0")


def _entries(part: bytes) -> Iterator[bytes]:
    """The entries of the style sheet, each with the size of its fixed part before it."""
    if not part:
        return
    (header,) = struct.unpack_from("<H", part)
    count, fixed = struct.unpack_from("<HH", part, 2)
    place = 2 + header
    for _ in range(count):
        if place + 2 > len(part):
            return
        (size,) = struct.unpack_from("<H", part, place)
        entry = part[place + 2 : place + 2 + size]
        yield struct.pack("<H", fixed) + entry if len(entry) >= fixed + 2 else b""
        place += 2 + size + size % 2


def _style(entry: bytes) -> Style:
    fixed, identity, base, counts = struct.unpack_from("<HHHH", entry)
    name, place = _name(entry, 2 + fixed)
    properties: Properties = {}
    if base & 0xF == 1 and counts & 0xF and place + 2 <= len(entry):  # a paragraph's
        (size,) = struct.unpack_from("<H", entry, place)
        properties = read_properties(entry[place + 4 : place + 2 + size])
    level = sprm.number(properties, sprm.OUTLINE_LEVEL, -1)
    use = sprm.number(properties, sprm.LIST, -1)
    return Style(
        name=_known_name(identity & _NONE) or name,
        parent=str(base >> 4) if base >> 4 != _NONE else None,
        outline=level if 0 <= level <= _BODY_LEVEL else None,
        list_id=str(use) if 0 <= use <= _MAX_LISTS else None,
        list_level=sprm.number(properties, sprm.LIST_LEVEL),
    )


def _name(entry: bytes, place: int) -> tuple[str, int]:
    """A style's name, and where what follows it begins."""
    (length,) = struct.unpack_from("<H", entry, place)
    end = place + 2 + 2 * length
    return entry[place + 2 : end].decode("utf-16-le", "replace"), end + 2


def _known_name(identity: int) -> str | None:
    if identity in _HEADINGS:
        return f"heading {identity}"
    if identity in _CONTENTS:
        return f"toc {identity - _CONTENTS[0] + 1}"
    return {_TABLE_OF_FIGURES: "table of figures", _TITLE: "title"}.get(identity)
