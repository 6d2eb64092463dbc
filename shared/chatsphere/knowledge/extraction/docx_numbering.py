"""The labels that Word computes for numbered paragraphs: `-`, `3.`, `4.2`, `b)`."""

from collections import defaultdict
from dataclasses import dataclass

from chatsphere.knowledge.extraction.docx_styles import Numbering
from chatsphere.knowledge.extraction.xml import Element, attribute

BULLET = "-"
_ROMAN = ((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"))
_ROMAN_SMALL = ((10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))


@dataclass(frozen=True, slots=True)
class Level:
    """How the items of one level are numbered: `text` holds `%1` to `%9` where the numbers of the levels stand."""

    form: str = "decimal"
    text: str = ""
    start: int = 1


@dataclass(frozen=True, slots=True)
class NumberedList:
    """A list: its template, whose lists are counted on together, its levels, and where it begins to count anew."""

    template: str
    levels: dict[int, Level]
    restarts: dict[int, int]


class Labels:
    """Counts the items of every list of one document, in document order."""

    def __init__(self, root: Element | None) -> None:
        self._lists: dict[str, NumberedList] = {}
        self._counts: dict[str, dict[int, int]] = defaultdict(dict)
        if root is not None:
            self._read(root)

    @classmethod
    def of(cls, lists: dict[str, NumberedList]) -> "Labels":
        """Count the items of lists that were read from elsewhere."""
        labels = cls(None)
        labels._lists = lists
        return labels

    def next(self, item: Numbering) -> str:
        """The label of the next paragraph of this list and level; empty where the list shows none."""
        numbered = self._lists.get(item.list_id) or NumberedList(item.list_id, {}, {})
        levels = numbered.levels
        level = levels.get(item.level, Level("bullet"))
        counts = self._counts[numbered.template]
        before = numbered.restarts.pop(item.level, None)
        counts[item.level] = (counts.get(item.level, level.start - 1) if before is None else before - 1) + 1
        for deeper in [key for key in counts if key > item.level]:
            del counts[deeper]
        if level.form == "bullet":
            return BULLET
        if level.form == "none":
            return ""
        label = level.text
        for position in range(9):
            if f"%{position + 1}" in label:
                part = levels.get(position, Level())
                label = label.replace(f"%{position + 1}", _render(counts.get(position, part.start), part.form))
        return label.strip()

    def _read(self, root: Element) -> None:
        templates: dict[str | None, dict[int, Level]] = {}
        for template in root.iterchildren("{*}abstractNum"):
            levels = dict(_read_level(level) for level in template.iterchildren("{*}lvl"))
            templates[attribute(template, "abstractNumId")] = levels
        for number in root.iterchildren("{*}num"):
            link = number.find("{*}abstractNumId")
            list_id = attribute(number, "numId")
            if link is not None and list_id:
                template = attribute(link, "val") or ""
                self._lists[list_id] = NumberedList(template, templates.get(template, {}), _restarts(number))


def _restarts(number: Element) -> dict[int, int]:
    """Where a list that shares its template with others begins to count anew, by level."""
    found: dict[int, int] = {}
    for override in number.iterchildren("{*}lvlOverride"):
        level, start = attribute(override, "ilvl") or "", _child_value(override, "startOverride") or ""
        if level.isdecimal() and start.isdecimal() and len(level + start) < 8:
            found[int(level)] = int(start)
    return found


def _read_level(element: Element) -> tuple[int, Level]:
    values = {name: _child_value(element, name) for name in ("numFmt", "lvlText", "start")}
    start = values["start"] or "1"
    level = Level(
        form=values["numFmt"] or "decimal",
        text=values["lvlText"] or "",
        start=int(start) if start.isdecimal() and len(start) < 6 else 1,
    )
    position = attribute(element, "ilvl") or "0"
    return int(position) if position.isdecimal() and len(position) < 3 else 0, level


def _child_value(element: Element, name: str) -> str | None:
    child = element.find("{*}" + name)
    return None if child is None else attribute(child, "val")


def _render(number: int, form: str) -> str:
    if form in ("lowerLetter", "upperLetter"):
        letter = chr(ord("a") + (number - 1) % 26) * min(1 + (number - 1) // 26, 5)
        return letter.upper() if form == "upperLetter" else letter
    if form in ("lowerRoman", "upperRoman") and 0 < number < 4000:
        text = ""
        for value, sign in (*_ROMAN, *_ROMAN_SMALL):
            text += sign * (number // value)
            number %= value
        return text.upper() if form == "upperRoman" else text
    return f"{number:02}" if form == "decimalZero" else str(number)
