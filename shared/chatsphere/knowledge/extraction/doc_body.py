"""The paragraphs and tables of a Word 97-2003 file as blocks."""

from bisect import bisect_left
from collections.abc import Iterator

from chatsphere.knowledge.extraction import doc_file as fib
from chatsphere.knowledge.extraction import doc_properties as sprm
from chatsphere.knowledge.extraction.doc_file import WordFile, plc
from chatsphere.knowledge.extraction.doc_lists import read_labels
from chatsphere.knowledge.extraction.doc_properties import Properties
from chatsphere.knowledge.extraction.doc_styles import read_styles
from chatsphere.knowledge.extraction.doc_table import Table
from chatsphere.knowledge.extraction.doc_text import Paragraph, Paragraphs
from chatsphere.knowledge.extraction.docx_styles import Numbering
from chatsphere.knowledge.extraction.docx_text import note_mark
from chatsphere.knowledge.extraction.parsed import Outline
from chatsphere.knowledge.extraction.word_blocks import paragraph_block
from chatsphere.knowledge.text import Block

_NO_HEADING = 9
_MAX_LISTS = 0x7FE
_ANCHOR_BYTES, _BOX_BYTES, _BOX_SHAPE_AT = 26, 22, 14

Attachment = tuple[int, str, int, int]
"""What belongs to a position of the main text: the mark before it, and the range of its own text."""


class BodyReader:
    """Reads the main text, with notes and text boxes after the paragraphs that they belong to."""

    def __init__(self, word: WordFile) -> None:
        self._word = word
        self._styles = read_styles(word)
        self._labels = read_labels(word)
        self._outline = Outline()
        notes = [
            *_notes(word, "footnote", fib.FOOTNOTE_REFERENCES, fib.FOOTNOTE_TEXTS, word.footnotes_at),
            *_notes(word, "endnote", fib.ENDNOTE_REFERENCES, fib.ENDNOTE_TEXTS, word.endnotes_at),
        ]
        self._attached = sorted([*notes, *_boxes(word)])
        self._paragraphs = Paragraphs(word, {position: mark for position, mark, _, _ in notes})

    def blocks(self) -> Iterator[Block]:
        """Yield the document's blocks; lists come item by item."""
        table = Table()
        table_start = 0
        for paragraph in self._paragraphs.read(0, self._word.main_length):
            if sprm.number(paragraph.properties, sprm.IN_TABLE):
                table_start = table_start if table else paragraph.start
                table.add(paragraph)
                continue
            if table:
                yield from self._end_table(table, table_start, paragraph.start)
                table = Table()
            yield from self._paragraph(paragraph)
            yield from self._attachments(paragraph.start, paragraph.end)
        yield from self._end_table(table, table_start, self._word.main_length)

    def _end_table(self, table: Table, start: int, end: int) -> Iterator[Block]:
        yield from table.blocks(self._outline.path)
        yield from self._attachments(start, end) if table else ()

    def _paragraph(self, paragraph: Paragraph) -> Iterator[Block]:
        style = str(paragraph.style)
        if paragraph.text and not self._styles.is_contents(style):
            level, item = self._place(style, paragraph.properties)
            yield paragraph_block(self._outline, self._labels, paragraph.text, level, item)

    def _place(self, style: str, properties: Properties) -> tuple[int | None, Numbering | None]:
        """Heading level and list of a paragraph; its own settings precede its style's."""
        level, item = self._styles.heading_level(style), self._styles.numbering(style)
        if sprm.OUTLINE_LEVEL in properties:
            own = sprm.number(properties, sprm.OUTLINE_LEVEL)
            level = own + 1 if own < _NO_HEADING else None
        if sprm.LIST in properties:
            use = sprm.number(properties, sprm.LIST)
            depth = sprm.number(properties, sprm.LIST_LEVEL, item.level if item else 0)
            item = Numbering(str(use), depth) if 0 < use <= _MAX_LISTS else None
        return level, item

    def _attachments(self, start: int, end: int) -> Iterator[Block]:
        """The notes and text boxes that belong to the characters from `start` to before `end`."""
        for position in range(bisect_left(self._attached, (start,)), bisect_left(self._attached, (end,))):
            _, mark, first, last = self._attached[position]
            inner = [paragraph for paragraph in self._paragraphs.read(first, last) if paragraph.text]
            if mark:
                text = " ".join(paragraph.text for paragraph in inner)
                inner_text = [f"{mark} {text}"] if text else []
            else:
                inner_text = [paragraph.text for paragraph in inner]
            for text in inner_text:
                yield Block(text, heading_path=self._outline.path)


def _notes(word: WordFile, kind: str, references: int, texts: int, base: int) -> Iterator[Attachment]:
    positions, _ = plc(word.part(references), 2)
    ranges, _ = plc(word.part(texts), 0)
    for number, position in enumerate(positions[:-1], 1):
        if number < len(ranges):
            yield position, note_mark(kind, str(number)), base + ranges[number - 1], base + ranges[number]


def _boxes(word: WordFile) -> Iterator[Attachment]:
    """The texts of the text boxes, at the positions that their shapes hang on."""
    positions, shapes = plc(word.part(fib.ANCHORS), _ANCHOR_BYTES)
    anchors = {shape[:4]: position for position, shape in zip(positions, shapes, strict=False)}
    ranges, boxes = plc(word.part(fib.BOXES), _BOX_BYTES)
    base, last = word.boxes_at, max(0, word.main_length - 1)
    for number, box in enumerate(boxes[:-1]):
        shape = box[_BOX_SHAPE_AT : _BOX_SHAPE_AT + 4]
        yield min(anchors.get(shape, last), last), "", base + ranges[number], base + ranges[number + 1]
