"""Paragraphs and headings from the lines of a PDF page, by their geometry."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from chatsphere.knowledge.extraction.pdf_lines import Line
from chatsphere.knowledge.extraction.pdf_tables import Table, arrange

_SENTENCE_END = re.compile(r"[.?!:;。！？…；：][\"'”’»)\]」』]*$")
_ITEM = re.compile(r"(?:[•▪■◦●○‣⁃*–—-]|\(?(?:\d{1,3}|[a-z]|[ivx]{1,5})[.)])\s+\S|[•▪■●‣]\S")
_NO_HEADING_END = re.compile(r"[.,;:。，；]$")
_NUMBERED = re.compile(r"(\d{1,2}(?:\.\d{1,2}){0,5})\.?\s")
_LARGER = 1.15
_HEADING_CHARS, _BOLD_HEADING_CHARS = 200, 120
_HEADING_LINES = 3
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uff00-\uffef\u3000-\u303f]")


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Lines that belong together; `level` orders headings (smaller is higher), None for other text."""

    text: str
    level: float | None = None
    table: bool = False


def body_size(pages: Iterable[Sequence[Line]]) -> float:
    """The font size that most characters have."""
    weights: dict[float, int] = {}
    for lines in pages:
        for line in lines:
            size = round(line.size * 2) / 2
            weights[size] = weights.get(size, 0) + len(line.text)
    return max(weights, key=lambda size: weights[size], default=0.0)


def paragraphs(lines: Sequence[Line], body: float) -> Iterator[Paragraph]:
    """Group a page's lines, in reading order."""
    step = _usual_step(lines)
    for part in arrange(lines):
        if isinstance(part, Table):
            yield Paragraph("\n".join(part.rows), table=True)
        else:
            yield from _prose(part, step, body)


def _prose(lines: Sequence[Line], step: float, body: float) -> Iterator[Paragraph]:
    group: list[int] = []
    for index, line in enumerate(lines):
        if group and _breaks(lines, index, step):
            yield _paragraph(lines, group, body)
            group = []
        if line.text:
            group.append(index)
    if group:
        yield _paragraph(lines, group, body)


def _usual_step(lines: Sequence[Line]) -> float:
    steps = [
        above.y - below.y
        for above, below in pairwise(lines)
        if above.turn == below.turn and 0.5 * below.size < above.y - below.y < 3 * below.size
    ]
    return median(steps) if steps else 0.0


def _breaks(lines: Sequence[Line], index: int, step: float) -> bool:
    """Whether a new paragraph begins with this line."""
    above, line = lines[index - 1], lines[index]
    if (
        above.turn != line.turn
        or above.running
        or line.running
        or abs(above.size - line.size) > 0.08 * max(above.size, line.size)
    ):
        return True
    if above.hyphen:
        return False
    if above.bold != line.bold:
        return _SENTENCE_END.search(above.text) is not None or above.bold or not _is_full(lines, index - 1)
    down = above.y - line.y
    if down < -0.5 * line.size or line.x0 > above.x1 + 2 * line.size:  # the next column
        return bool(_SENTENCE_END.search(above.text)) or not line.text[:1].islower()
    if down > max(1.3 * step, 1.2 * line.size):
        return True
    ended = bool(_SENTENCE_END.search(above.text))
    full = _is_full(lines, index - 1)
    if _ITEM.match(line.text) and (ended or not full):
        return True
    indented = line.x0 - above.x0 > 0.8 * line.size
    returns = index + 1 < len(lines) and line.x0 - lines[index + 1].x0 > 0.5 * line.size
    if indented and returns:
        return ended or not full
    return ended and not full


def _is_full(lines: Sequence[Line], index: int) -> bool:
    """Whether the first word of the next line would not have fitted at the end of this one."""
    line = lines[index]
    if index + 1 >= len(lines):
        return True
    right = line.x1
    for other in lines[max(0, index - 3) : index + 4]:
        if other.turn == line.turn and other.x0 < line.x1 and line.x0 < other.x1:
            right = max(right, other.x1)
    word = lines[index + 1].text.split(None, 1)[0] if lines[index + 1].text else ""
    width = (line.x1 - line.x0) / max(len(line.text), 1)
    return line.x1 + width * (len(word) + 1) > right - 0.5 * line.size


def _paragraph(lines: Sequence[Line], group: Sequence[int], body: float) -> Paragraph:
    first = lines[group[0]]
    text = _join(lines, group)
    flat = " ".join(text.split())
    if not _is_heading(flat, lines, group, body):
        return Paragraph(text)
    numbered = _NUMBERED.match(flat)
    depth = numbered[1].count(".") if numbered else 0
    # By size; among headings of one size by bold face and by the depth of their number.
    return Paragraph(flat, -round(first.size * 2) + (0 if first.bold else 0.5) + depth / 20)


def _is_heading(text: str, lines: Sequence[Line], group: Sequence[int], body: float) -> bool:
    first = lines[group[0]]
    if len(group) > _HEADING_LINES or sum(map(str.isalpha, text)) < 2 or first.turn or first.running:
        return False
    if first.size >= _LARGER * body:
        return len(text) <= _HEADING_CHARS and not text.endswith((",", ";"))
    bold = first.bold and first.size >= 0.95 * body and len(text) <= _BOLD_HEADING_CHARS
    return bold and not _NO_HEADING_END.search(text)


def _join(lines: Sequence[Line], group: Sequence[int]) -> str:
    """Join lines: wrapped ones by a space, the rows of a table or an address by a line end."""
    text = lines[group[0]].text
    for index in group[1:]:
        above, line = lines[index - 1], lines[index]
        if above.hyphen:
            text = _join_hyphen(text, line.text)
        elif not _is_full(lines, index - 1):
            text += "\n" + line.text
        elif _CJK.match(line.text) and _CJK.match(text[-1]):
            text += line.text
        else:
            text += " " + line.text
    return text


def _join_hyphen(text: str, following: str) -> str:
    """Drop the hyphen of a word that was broken at the line's end, keep that of a compound."""
    word = text.rsplit(None, 1)[-1]
    compound = len(word) == 1 or "-" in word or not following[:1].islower() or not word[-1:].isalpha()
    return text + ("-" if compound else "") + following
