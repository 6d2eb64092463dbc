"""How a decoded JSON value reads as text."""

from collections.abc import Iterator

from chatsphere.knowledge.extraction.parsed import MAX_HEADING_CHARS, MAX_OUTLINE_DEPTH
from chatsphere.knowledge.text import Block, BlockKind

_LITERALS = {None: "null", True: "true", False: "false"}
_RECORD_CHARS = 8_000
"""A record longer than this is read as sections of its own."""

HeadingPath = tuple[str, ...]


def blocks_of(value: object, path: HeadingPath) -> Iterator[Block]:
    """Render a value: an object is one block, one that holds arrays of objects a section with headings."""
    if isinstance(value, dict):
        yield from _object(value, path)
    elif isinstance(value, list):
        yield from _array(value, path)
    else:
        yield from lines_block([scalar(value)], path)


def record_blocks(value: object, path: HeadingPath) -> Iterator[Block]:
    """Render an element of an array: one block, with all that it holds, unless it is long."""
    lines = list(_lines("", value))
    if isinstance(value, dict) and sum(map(len, lines)) > _RECORD_CHARS:
        yield from _object(value, path)
    else:
        yield from lines_block(lines, path)


def heading(key: str, path: HeadingPath) -> Block:
    """The heading block of a member that is a section."""
    title = " ".join(key.split())[:MAX_HEADING_CHARS] or "…"
    return Block(title, BlockKind.HEADING, heading_path=(*path[: MAX_OUTLINE_DEPTH - 1], title))


def lines_block(lines: list[str], path: HeadingPath) -> Iterator[Block]:
    """A block of lines, if there are any; a table, for it is to be cut between lines only."""
    if lines:
        yield Block("\n".join(lines), BlockKind.TABLE, heading_path=path)


def scalar(value: object) -> str:
    """A value on one line; numbers were decoded as text."""
    if value is None or isinstance(value, bool):
        return _LITERALS[value]
    return " ".join(str(value).split())


def _object(value: dict[str, object], path: HeadingPath) -> Iterator[Block]:
    sections = {key: member for key, member in value.items() if _holds_records(member)}
    yield from lines_block([line for key in value if key not in sections for line in _lines(key, value[key])], path)
    for key, member in sections.items():
        title = heading(key, path)
        yield title
        yield from blocks_of(member, title.heading_path)


def _array(elements: list[object], path: HeadingPath) -> Iterator[Block]:
    plain: list[str] = []
    for element in elements:
        if isinstance(element, dict | list):
            yield from record_blocks(element, path)
        else:
            plain.append(scalar(element))
    yield from lines_block(plain, path)


def _holds_records(value: object) -> bool:
    if isinstance(value, dict):
        return any(map(_holds_records, value.values()))
    return isinstance(value, list) and any(isinstance(element, dict) or _holds_records(element) for element in value)


def _lines(path: str, value: object) -> Iterator[str]:
    """`a.b[0].c: value` for each value inside; an array of plain values stays on one line."""
    if isinstance(value, dict) and value:
        for key, member in value.items():
            yield from _lines(f"{path}.{key}" if path else str(key), member)
    elif isinstance(value, list) and any(isinstance(element, dict | list) for element in value):
        for position, element in enumerate(value):
            yield from _lines(f"{path}[{position}]", element)
    else:
        text = ", ".join(map(scalar, value)) if isinstance(value, list) else "" if value == {} else scalar(value)
        yield f"{path}: {text}" if path else text
