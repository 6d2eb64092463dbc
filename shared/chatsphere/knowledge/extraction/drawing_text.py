"""The text of DrawingML, which slides, diagrams and charts share: paragraphs and tables."""

from collections.abc import Iterator
from dataclasses import dataclass

from chatsphere.knowledge.extraction.xml import Element, attribute, local

_MAX_INDENT = 8
_BREAKS = {"br": "\n", "tab": " "}
_SKIPPED = frozenset(("pPr", "rPr", "endParaRPr", "Fallback"))


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph: how deep it is indented, and whether it says that it has a mark (None: its layout says that)."""

    text: str
    level: int = 0
    marked: bool | None = None
    numbered: bool = False


def read_paragraphs(body: Element) -> Iterator[Paragraph]:
    """Yield the paragraphs of a text body that hold text."""
    for element in body.iterchildren("{*}p"):
        text = "\n".join(" ".join(line.split()) for line in "".join(_walk(element)).split("\n")).strip()
        if not text:
            continue
        properties = element.find("{*}pPr")
        marks = set() if properties is None else {local(child) for child in properties}
        marked = True if {"buChar", "buAutoNum", "buBlip"} & marks else False if "buNone" in marks else None
        level = (attribute(properties, "lvl") if properties is not None else None) or "0"
        yield Paragraph(text, int(level) if level in "012345678" else 0, marked, "buAutoNum" in marks)


def list_lines(paragraphs: list[Paragraph]) -> str:
    """Paragraphs as the items of a list, numbered where they say so."""
    lines: list[str] = []
    counts: dict[int, int] = {}
    for paragraph in paragraphs:
        for deeper in [level for level in counts if level > paragraph.level]:
            del counts[deeper]
        counts[paragraph.level] = counts.get(paragraph.level, 0) + 1 if paragraph.numbered else 0
        mark = f"{counts[paragraph.level]}." if paragraph.numbered else "-"
        indent = "  " * min(paragraph.level, _MAX_INDENT)
        lines.append(f"{indent}{mark} " + paragraph.text.replace("\n", f"\n{indent}  "))
    return "\n".join(lines)


def table_lines(table: Element) -> Iterator[str]:
    """Yield a table's rows, `a | b | c`; a cell merged with the one above repeats its text."""
    above: dict[int, str] = {}
    for row in table.iterchildren("{*}tr"):
        cells: list[str] = []
        for column, cell in enumerate(row.iterchildren("{*}tc")):
            if attribute(cell, "hMerge") in ("1", "true"):
                continue
            merged = attribute(cell, "vMerge") in ("1", "true")
            above[column] = above.get(column, "") if merged else _cell_text(cell)
            cells.append(above[column])
        if any(cells):
            yield " | ".join(cells)


def _cell_text(cell: Element) -> str:
    body = cell.find("{*}txBody")
    paragraphs = () if body is None else read_paragraphs(body)
    return " ".join(paragraph.text.replace("\n", " ") for paragraph in paragraphs)


def _walk(element: Element) -> Iterator[str]:
    for child in element:
        name = local(child)
        if name == "t":
            yield child.text or ""
        elif name in _BREAKS:
            yield _BREAKS[name]
        elif name and name not in _SKIPPED:
            yield from _walk(child)
