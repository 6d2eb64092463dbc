"""The paragraphs of a Word 97-2003 file: what is shown, without fields' codes, deletions and hidden text."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from chatsphere.knowledge.extraction import doc_properties as sprm
from chatsphere.knowledge.extraction.doc_file import CHARACTER_RUNS, PARAGRAPH_RUNS, WordFile
from chatsphere.knowledge.extraction.doc_fonts import read_fonts
from chatsphere.knowledge.extraction.doc_pieces import Pieces, Span
from chatsphere.knowledge.extraction.doc_properties import Properties, Runs, read_properties
from chatsphere.knowledge.extraction.symbol_fonts import symbol

CELL_END = "\x07"
_MARKS = re.compile(r"[\x00-\x08\x0b-\x1f]")
_HALF = re.compile("[\ud800-\udfff]")
_SHOWN = {"\x0b": "\n", "\x0e": "\n", "\x1e": "-"}
_FIELD_CODE, _FIELD_RESULT, _FIELD_END, _NOTE = "\x13", "\x14", "\x15", "\x02"
_ENDS = frozenset("\r\x07\x0c")


@dataclass(slots=True)
class Paragraph:
    """A paragraph: its text, where it begins and ends, what ended it, its style's number and its properties."""

    start: int
    end: int
    text: str
    mark: str
    style: int
    properties: Properties


class Paragraphs:
    """Reads ranges of a document's text as paragraphs. `notes` are the marks of notes, by the references' positions."""

    def __init__(self, word: WordFile, notes: Mapping[int, str]) -> None:
        self._word = word
        self._notes = notes
        self._fonts = read_fonts(word)
        self._pieces = Pieces(word)
        self._characters = Runs(word, CHARACTER_RUNS, paragraphs=False)
        self._paragraphs = Runs(word, PARAGRAPH_RUNS, paragraphs=True)

    def read(self, start: int, end: int) -> Iterator[Paragraph]:
        """Yield the paragraphs from the character `start` to before `end`."""
        parts: list[str] = []
        fields: list[bool] = []
        begin = start
        for span, text in self._shown(start, end):
            rest = 0
            for found in _MARKS.finditer(text):
                if all(fields):
                    parts.append(text[rest : found.start()])
                rest = found.end()
                mark, position = found[0], span.position + found.start()
                if mark in _ENDS:
                    yield self._paragraph(begin, position, parts, mark, span)
                    parts, begin = [], position + 1
                elif mark in (_FIELD_CODE, _FIELD_RESULT, _FIELD_END):
                    _follow(fields, mark)
                elif all(fields):
                    parts.append(self._notes.get(position, "") if mark == _NOTE else _SHOWN.get(mark, ""))
            if all(fields):
                parts.append(text[rest:])
        if any(part.strip() for part in parts):
            yield Paragraph(begin, end, "".join(parts).strip(), "", 0, {})

    def _shown(self, start: int, end: int) -> Iterator[tuple[Span, str]]:
        """The runs of characters with the same properties that are shown."""
        for span in self._pieces.spans(start, end):
            text = self._pieces.text(span)
            done = 0
            while done < span.length:
                place = span.place + span.width * done
                run_end, group = self._characters.at(place)
                upto = min(span.length, max(done + 1, (run_end - span.place) // span.width))
                properties = read_properties(group + span.group) if group or span.group else {}
                if not (_is_on(properties, sprm.HIDDEN) or _is_on(properties, sprm.DELETED)):
                    part = text[done:upto]
                    if sprm.SYMBOL in properties:
                        part = part.replace("(", self._symbol(properties[sprm.SYMBOL]))
                    yield Span(span.position + done, place, span.width, upto - done, span.group), part
                done = upto

    def _paragraph(self, start: int, end: int, parts: list[str], mark: str, span: Span) -> Paragraph:
        place = span.place + span.width * (end - span.position)
        _, group = self._paragraphs.at(place)
        properties = read_properties(group[2:] + span.group)
        if sprm.HUGE in properties:
            properties |= self._huge(sprm.number(properties, sprm.HUGE))
        style = sprm.number(properties, sprm.STYLE, int.from_bytes(group[:2], "little"))
        text = "\n".join(" ".join(line.split()) for line in _whole("".join(parts)).split("\n")).strip()
        return Paragraph(start, end + 1, text, mark, style, properties)

    def _symbol(self, operand: bytes) -> str:
        font = int.from_bytes(operand[:2], "little")
        name = self._fonts[font] if font < len(self._fonts) else ""
        return symbol(name, int.from_bytes(operand[2:4], "little"))

    def _huge(self, place: int) -> Properties:
        data = self._word.data
        return read_properties(data[place + 2 : place + 2 + int.from_bytes(data[place : place + 2], "little")])


def _whole(text: str) -> str:
    """Put the halves of characters together that Word counts as two."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace") if _HALF.search(text) else text


def _follow(fields: list[bool], mark: str) -> None:
    """Keep count of the open fields: each is shown from its separator on."""
    if mark == _FIELD_CODE:
        fields.append(False)
    elif fields and mark == _FIELD_RESULT:
        fields[-1] = True
    elif fields:
        fields.pop()


def _is_on(properties: Properties, code: int) -> bool:
    return sprm.number(properties, code) in (1, 0x81)
