"""The text of one DOCX paragraph: what is shown, with marks of notes, and its text boxes apart."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from chatsphere.knowledge.extraction.symbol_fonts import symbol
from chatsphere.knowledge.extraction.xml import Element, attribute, local

# What is deleted, moved away, hidden, a field's code, or drawn a second time for older programs.
_SKIPPED = frozenset(("del", "moveFrom", "instrText", "delText", "Fallback", "rPr", "pPr", "rt", "sdtPr", "annotation"))
_BREAKS = {"tab": " ", "br": "\n", "cr": "\n", "noBreakHyphen": "-", "softHyphen": "", "ptab": " "}
_HEX = re.compile("[0-9A-Fa-f]{1,4}")
_NOTES = {"footnoteReference": "footnote", "endnoteReference": "endnote"}


@dataclass(slots=True)
class Content:
    """The text of a paragraph, the text boxes anchored in it, and the notes that it refers to, in order."""

    text: str = ""
    boxes: list[Element] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)


def read_content(paragraph: Element) -> Content:
    """Read a paragraph."""
    content = Content()
    content.text = "".join(_walk(paragraph, content)).strip()
    return content


def _walk(element: Element, content: Content) -> Iterator[str]:
    for child in element:
        name = local(child)
        if name == "t":
            yield child.text or ""
        elif name in _BREAKS:
            yield "" if name == "br" and attribute(child, "type") in ("page", "column") else _BREAKS[name]
        elif name == "sym":
            yield _symbol(child)
        elif name in _NOTES:
            yield _mark(content, _NOTES[name], attribute(child, "id") or "")
        elif name == "txbxContent":
            content.boxes.append(child)
        elif name == "r" and _is_hidden(child):
            continue
        elif name and name not in _SKIPPED:
            yield from _walk(child, content)


def _mark(content: Content, kind: str, note_id: str) -> str:
    content.notes.append((kind, note_id))
    return note_mark(kind, note_id)


def _symbol(element: Element) -> str:
    code = attribute(element, "char") or ""
    return symbol(attribute(element, "font") or "", int(code, 16)) if _HEX.fullmatch(code) else ""


def note_mark(kind: str, note_id: str) -> str:
    """How a note is referred to in the text."""
    return f"[{note_id}]" if kind == "footnote" else f"[e{note_id}]"


def _is_hidden(run: Element) -> bool:
    properties = run.find("{*}rPr")
    vanish = None if properties is None else properties.find("{*}vanish")
    return vanish is not None and attribute(vanish, "val") not in ("0", "false")
