"""Small Word 97-2003 files, written by hand ([MS-DOC])."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.builders.ole import make_ole

_PAGE = 512
_TEXT_AT = 2048
_PARTS = 93
_STYLES, _FOOTNOTE_REFERENCES, _FOOTNOTE_TEXTS, _CHARACTERS, _PARAGRAPHS, _FONTS, _PIECES = 1, 2, 3, 12, 13, 15, 33
IN_TABLE = struct.pack("<HB", 0x2416, 1)
ROW_END = struct.pack("<HB", 0x2417, 1)
HIDDEN = struct.pack("<HB", 0x083C, 1)
DELETED = struct.pack("<HB", 0x0800, 1)
CELL = "\x07"


@dataclass(frozen=True, slots=True)
class Run:
    """A run of text with the modifiers of its characters (SPRMs)."""

    text: str
    modifiers: bytes = b""


@dataclass(frozen=True, slots=True)
class Para:
    """A paragraph: its runs, its style (0 normal, 1 to 9 headings, 10 a table of contents), the modifiers of the
    paragraph, and the character that ends it.
    """

    runs: str | Sequence[Run]
    style: int = 0
    modifiers: bytes = b""
    end: str = "\r"


def make_doc(
    paragraphs: Sequence[str | Para],
    *,
    notes: Mapping[int, str] | None = None,
    compressed: bool = False,
    flags: int = 0,
    version: int = 0x00C1,
    fonts: Sequence[str] = (),
    split_at: int | None = None,
) -> bytes:
    """Return a Word file. `notes` are footnotes by the position of their reference (a `\\x02`).

    `compressed` stores one byte a character (code page 1252). `split_at` stores the characters from that position on
    before the others, as a fast save does.
    """
    items = [Para(item) if isinstance(item, str) else item for item in paragraphs]
    note_texts = [_units(f"\x02 {text}\r") for text in (notes or {}).values()]
    main = [*items, *(Para(text, end="") for text in note_texts)]
    text = "".join(run.text for item in main for run in _runs(item))
    text_length = sum(len(run.text) for item in items for run in _runs(item))
    width = 1 if compressed else 2
    order = [(0, len(text))] if split_at is None else [(split_at, len(text)), (0, split_at)]
    places: dict[int, int] = {}
    stored = b""
    for first, last in order:
        places |= {position: _TEXT_AT + len(stored) + width * (position - first) for position in range(first, last)}
        stored += (
            text[first:last].encode("cp1252") if compressed else text[first:last].encode("utf-16-le", "surrogatepass")
        )
    stored = stored.ljust(-(-len(stored) // _PAGE) * _PAGE, b"\0")
    pages_at = (_TEXT_AT + len(stored)) // _PAGE
    character_runs, paragraph_runs = _formatted(main, places, width)
    character_pages = [_page(runs, paragraphs=False) for runs in _batches(character_runs)]
    paragraph_pages = [_page(runs, paragraphs=True) for runs in _batches(paragraph_runs)]
    character_table = _runs_table(_batches(character_runs), pages_at)
    paragraph_table = _runs_table(_batches(paragraph_runs), pages_at + len(character_pages))
    pages = b"".join([*character_pages, *paragraph_pages])
    starts = sorted(order)
    table: dict[int, bytes] = {
        _STYLES: _style_sheet(),
        _CHARACTERS: character_table,
        _PARAGRAPHS: paragraph_table,
        _FONTS: _font_table(fonts),
        _PIECES: _pieces(starts, places, len(text), compressed=compressed),
    }
    if notes:
        table[_FOOTNOTE_REFERENCES] = struct.pack(f"<{len(notes) + 1}I", *notes, text_length) + bytes(2 * len(notes))
        ends = [sum(map(len, note_texts[:count])) for count in range(len(note_texts) + 1)]
        table[_FOOTNOTE_TEXTS] = struct.pack(f"<{len(ends) + 1}I", *ends, ends[-1] + 1)
    head, table_stream = _head(table, text_length, sum(map(len, note_texts)), flags, version)
    return make_ole({"WordDocument": head.ljust(_TEXT_AT, b"\0") + stored + pages, "1Table": table_stream})


def _runs(item: Para) -> list[Run]:
    runs = [Run(item.runs)] if isinstance(item.runs, str) else item.runs
    runs = [Run(_units(run.text), run.modifiers) for run in runs]
    return [*runs, Run(item.end)] if item.end else runs


def _units(text: str) -> str:
    """The characters as Word counts them: in units of UTF-16, so that some have two halves."""
    data = text.encode("utf-16-le")
    return "".join(map(chr, struct.unpack(f"<{len(data) // 2}H", data)))


_Formatted = list[tuple[int, int, bytes]]


def _formatted(items: Sequence[Para], places: Mapping[int, int], width: int) -> tuple[_Formatted, _Formatted]:
    """The runs of characters and of paragraphs: first byte, end, modifiers (of paragraphs with their style)."""
    characters: _Formatted = []
    paragraphs: _Formatted = []
    position = 0
    for item in items:
        start = position
        for run in _runs(item):
            if run.text:
                first = places[position]
                characters.append((first, first + width * len(run.text), run.modifiers))
                position += len(run.text)
        if position > start:
            group = struct.pack("<H", item.style) + item.modifiers
            paragraphs.append((places[start], places[position - 1] + width, group))
    return sorted(characters), sorted(paragraphs)


def _batches(runs: _Formatted) -> list[_Formatted]:
    return [runs[start : start + 8] for start in range(0, len(runs), 8)]


def _page(runs: _Formatted, *, paragraphs: bool) -> bytes:
    """A page of formatted runs (FKP)."""
    places = [run[0] for run in runs] + [runs[-1][1]]
    offsets: list[int] = []
    end = _PAGE - 2
    page = bytearray(_PAGE)
    for _, _, group in runs:
        if paragraphs:
            group = group.ljust(len(group) + (len(group) + 1) % 2, b"\0")
            packed = bytes([(len(group) + 1) // 2]) + group
        else:
            packed = bytes([len(group)]) + group
        end = (end - len(packed)) // 2 * 2
        page[end : end + len(packed)] = packed
        offsets.append(end // 2 if group else 0)
    head = struct.pack(f"<{len(places)}I", *places)
    rest = b"".join(bytes([offset]) + bytes(12 if paragraphs else 0) for offset in offsets)
    page[: len(head) + len(rest)] = head + rest
    page[-1] = len(runs)
    return bytes(page)


def _runs_table(batches: list[_Formatted], first_page: int) -> bytes:
    places = [batch[0][0] for batch in batches] + [batches[-1][-1][1]]
    pages = range(first_page, first_page + len(batches))
    return struct.pack(f"<{len(places)}I", *places) + struct.pack(f"<{len(batches)}I", *pages)


def _pieces(starts: Sequence[tuple[int, int]], places: Mapping[int, int], length: int, *, compressed: bool) -> bytes:
    positions = struct.pack(f"<{len(starts) + 1}I", *(first for first, _ in starts), length)
    pieces = b""
    for first, _ in starts:
        place = places[first] * 2 | 0x4000_0000 if compressed else places[first]
        pieces += struct.pack("<HIH", 0, place, 0)
    return b"\x02" + struct.pack("<I", len(positions + pieces)) + positions + pieces


def _style_sheet() -> bytes:
    """Normal, heading 1 to 9 under names of another language, a table of contents, a style of a user on heading 2."""
    styles = [_style(0, "Standard")] + [_style(level, f"Überschrift {level}") for level in range(1, 10)]
    styles += [_style(19, "Verzeichnis 1"), _style(0xFFE, "Eigene", base=2)]
    header = struct.pack("<HH", len(styles), 10) + bytes(14)
    return struct.pack("<H", len(header)) + header + b"".join(styles)


def _style(identity: int, name: str, base: int = 0xFFF) -> bytes:
    fixed = struct.pack("<HHHHH", identity, base << 4 | 1, 0, 0, 0)
    entry = fixed + struct.pack("<H", len(name)) + name.encode("utf-16-le") + b"\0\0"
    entry += bytes(len(entry) % 2)
    return struct.pack("<H", len(entry)) + entry


def _font_table(fonts: Sequence[str]) -> bytes:
    entries = b""
    for name in fonts:
        entry = bytes(39) + name.encode("utf-16-le") + b"\0\0"
        entries += bytes([len(entry)]) + entry
    return struct.pack("<HH", len(fonts), 0) + entries


def _head(table: Mapping[int, bytes], main: int, notes: int, flags: int, version: int) -> tuple[bytes, bytes]:
    """The FIB, and the table stream that it points into."""
    places = bytearray(8 * _PARTS)
    stream = bytes(16)
    for part, data in table.items():
        struct.pack_into("<II", places, 8 * part, len(stream), len(data))
        stream += data
    base = struct.pack("<HHxxxxxxH", 0xA5EC, version, 0x0200 | flags).ljust(32, b"\0")
    words = struct.pack("<H", 14).ljust(30, b"\0")
    longs = struct.pack("<H3I2I", 22, 0, 0, 0, main, notes).ljust(90, b"\0")
    return base + words + longs + struct.pack("<H", _PARTS) + bytes(places), stream
