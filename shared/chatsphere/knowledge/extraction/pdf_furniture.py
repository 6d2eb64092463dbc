"""Running heads, running feet and page numbers of a PDF.

A line is one only if it stands at the edge of most pages, at the same height, with the same words, and each
number in it is either always the same or counts the pages: a customer's number on each page of a mailing stays.
Of a line with words the first occurrence stays, so nothing is lost that the document says once.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from chatsphere.knowledge.extraction.pdf_lines import Line

_EDGE_LINES = 3
_MIN_PAGES = 3
_MIN_SHARE = 0.4  # odd and even pages have their own
_SAME_HEIGHT = 6.0
_SLOT_SHARE = 0.75
_DIGITS = re.compile(r"\d+")
_MAX_CHARS = 250


@dataclass(slots=True)
class _Rule:
    height: float
    constants: tuple[int | None, ...]
    """Per number in the line its value, or None where it counts the pages."""
    offsets: tuple[int | None, ...]
    shown: bool


class Furniture:
    """What repeats on the pages of one document."""

    def __init__(self, pages: Mapping[int, Sequence[Line]]) -> None:
        """Learn from some pages, by index."""
        found: dict[str, list[tuple[int, float, tuple[int, ...]]]] = defaultdict(list)
        for number, lines in pages.items():
            for line in _edge(lines):
                found[_signature(line)].append((number, line.y, _numbers(line)))
        needed = max(_MIN_PAGES, _MIN_SHARE * len(pages))
        self._rules = {
            signature: rule for signature, seen in found.items() if (rule := _rule(signature, seen, needed)) is not None
        }

    @property
    def shown(self) -> list[int]:
        """Which of the lines that repeat have been met."""
        return [number for number, rule in enumerate(self._rules.values()) if rule.shown]

    def show(self, shown: Collection[int]) -> None:
        """Take lines as met: on the pages before the first that is to be stripped."""
        for number, rule in enumerate(self._rules.values()):
            rule.shown = rule.shown or number in shown

    def strip(self, number: int, lines: Sequence[Line]) -> list[Line]:
        """Return a page's lines without what repeats. Pages are to be given in order."""
        if not self._rules:
            return list(lines)
        edge = {id(line) for line in _edge(lines)}
        return [line for line in lines if id(line) not in edge or not self._repeats(number, line)]

    def _repeats(self, number: int, line: Line) -> bool:
        rule = self._rules.get(_signature(line))
        if rule is None or abs(line.y - rule.height) > _SAME_HEIGHT:
            return False
        slots = zip(_numbers(line), rule.constants, rule.offsets, strict=True)
        if not all(value == constant or value - number == offset for value, constant, offset in slots):
            return False
        line.running, rule.shown = not rule.shown, True
        return not line.running


def _edge(lines: Sequence[Line]) -> list[Line]:
    """The highest and lowest lines, and those across the page's direction."""
    if not lines:
        return []
    turn = Counter(line.turn for line in lines).most_common(1)[0][0]
    upright = sorted((line for line in lines if line.turn == turn), key=lambda line: -line.y)
    across = [line for line in lines if line.turn != turn]
    # On a page of few lines the text itself stands near the edge.
    edge = min(_EDGE_LINES, max(1, len(upright) // 6))
    if len(upright) > 2 * edge:
        upright = upright[:edge] + upright[-edge:]
    return [line for line in upright + across if len(line.text) <= _MAX_CHARS]


def _signature(line: Line) -> str:
    return _DIGITS.sub("#", " ".join(line.text.split()).casefold())


def _numbers(line: Line) -> tuple[int, ...]:
    return tuple(int(digits[-9:]) for digits in _DIGITS.findall(line.text))


def _rule(signature: str, seen: list[tuple[int, float, tuple[int, ...]]], needed: float) -> _Rule | None:
    height = median(y for _, y, _ in seen)
    level = [(page, numbers) for page, y, numbers in seen if abs(y - height) <= _SAME_HEIGHT]
    if len({page for page, _ in level}) < needed:
        return None
    constants: list[int | None] = []
    offsets: list[int | None] = []
    for slot in range(len(level[0][1])):
        value, same = Counter(numbers[slot] for _, numbers in level).most_common(1)[0]
        offset, counting = Counter(numbers[slot] - page for page, numbers in level).most_common(1)[0]
        if max(same, counting) < _SLOT_SHARE * len(level):
            return None
        constants.append(value if same >= counting else None)
        offsets.append(offset if counting > same else None)
    worded = any(char.isalpha() for char in signature)
    if not worded and not any(offset is not None for offset in offsets):
        return None
    return _Rule(height, tuple(constants), tuple(offsets), shown=not worded)
