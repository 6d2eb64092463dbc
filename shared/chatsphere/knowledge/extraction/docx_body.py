"""The paragraphs and tables of a DOCX as blocks."""

from collections.abc import Iterator
from itertools import islice

from chatsphere.knowledge.extraction.docx_numbering import Labels
from chatsphere.knowledge.extraction.docx_styles import Numbering, Styles, paragraph_properties
from chatsphere.knowledge.extraction.docx_text import Content, note_mark, read_content
from chatsphere.knowledge.extraction.parsed import Outline
from chatsphere.knowledge.extraction.word_blocks import paragraph_block
from chatsphere.knowledge.extraction.xml import Element, attribute, local
from chatsphere.knowledge.text import Block, BlockKind

_TABLE_ROWS = 100
_MAX_DEPTH = 8
_NO_HEADING = 9


class BodyReader:
    """Turns body elements, given in document order, into blocks."""

    def __init__(self, styles: Styles, labels: Labels, notes: dict[str, Element | None]) -> None:
        self._styles = styles
        self._labels = labels
        self._notes = {kind: _notes_by_id(root) for kind, root in notes.items()}
        self._outline = Outline()

    def paragraph(self, element: Element, depth: int = 0) -> Iterator[Block]:
        """A paragraph's block, then its text boxes and its notes."""
        content = read_content(element)
        block = self._own_block(element, content)
        if block:
            yield block
        if depth < _MAX_DEPTH:
            for box in content.boxes:
                yield from self._inner(box, depth + 1)
        for kind, note_id in content.notes:
            yield from self._note(kind, note_id)

    def table(self, element: Element) -> Iterator[Block]:
        """A table's rows, `a | b | c`."""
        rows = (row for row in _rows(element) if any(row))
        notes: list[tuple[str, str]] = []
        lines = (" | ".join(row) for row in rows)
        while batch := list(islice(lines, _TABLE_ROWS)):
            yield Block("\n".join(batch), BlockKind.TABLE, heading_path=self._outline.path)
        for reference in element.iter("{*}footnoteReference", "{*}endnoteReference"):
            notes.append((local(reference).removesuffix("Reference"), attribute(reference, "id") or ""))
        for kind, note_id in notes:
            yield from self._note(kind, note_id)

    def _own_block(self, element: Element, content: Content) -> Block | None:
        style, level, item = self._properties(element)
        if not content.text or self._styles.is_contents(style):
            return None
        return paragraph_block(self._outline, self._labels, content.text, level, item)

    def _properties(self, element: Element) -> tuple[str | None, int | None, Numbering | None]:
        """Style id, heading level and list of a paragraph; its own settings precede its style's."""
        properties = element.find("{*}pPr")
        named = None if properties is None else properties.find("{*}pStyle")
        style = None if named is None else attribute(named, "val")
        outline, list_id, list_level = paragraph_properties(properties)
        level = self._styles.heading_level(style)
        if outline is not None:
            level = outline + 1 if outline < _NO_HEADING else None
        item = self._styles.numbering(style)
        if list_id is not None:
            item = Numbering(list_id, list_level or 0) if list_id != "0" else None
        return style, level, item

    def _inner(self, container: Element, depth: int) -> Iterator[Block]:
        for child in container.iterchildren("{*}p", "{*}tbl"):
            yield from self.table(child) if local(child) == "tbl" else self.paragraph(child, depth)

    def _note(self, kind: str, note_id: str) -> Iterator[Block]:
        note = self._notes[kind].get(note_id)
        if note is None:
            return
        text = " ".join(filter(None, (read_content(part).text for part in note.iter("{*}p"))))
        if text:
            yield Block(f"{note_mark(kind, note_id)} {text}", heading_path=self._outline.path)


def _notes_by_id(root: Element | None) -> dict[str, Element]:
    if root is None:
        return {}
    notes = root.iterchildren("{*}footnote", "{*}endnote")
    return {attribute(note, "id") or "": note for note in notes if attribute(note, "type") is None}


def _rows(table: Element, depth: int = 0) -> Iterator[list[str]]:
    """The cells of each row; a cell merged with the one above repeats its text, so that each row reads alone."""
    above: dict[int, str] = {}
    for row in _children(table, "tr"):
        cells: list[str] = []
        column = 0
        for cell in _children(row, "tc"):
            text, span, merged = _cell(cell, depth)
            text = above.get(column, "") if merged else text
            above[column] = text
            cells.append(text)
            column += span
        yield cells


def _children(element: Element, *names: str) -> Iterator[Element]:
    """Children by name, also those inside content controls and tracked changes."""
    for child in element:
        if local(child) in names:
            yield child
        elif local(child) in ("sdt", "sdtContent", "customXml", "ins", "moveTo"):
            yield from _children(child, *names)


def _cell(cell: Element, depth: int) -> tuple[str, int, bool]:
    """Text, width in columns, and whether the cell goes on from the one above."""
    parts: list[str] = []
    for child in _children(cell, "p", "tbl"):
        if local(child) == "p":
            parts.append(" ".join(read_content(child).text.split()))
        elif depth < _MAX_DEPTH:
            parts.extend(", ".join(filter(None, row)) for row in _rows(child, depth + 1))
    span, merge = cell.find("{*}tcPr/{*}gridSpan"), cell.find("{*}tcPr/{*}vMerge")
    width = "" if span is None else attribute(span, "val") or ""
    merged = merge is not None and attribute(merge, "val") in (None, "continue")
    return " ".join(filter(None, parts)), int(width) if width.isdecimal() and len(width) < 4 else 1, merged
