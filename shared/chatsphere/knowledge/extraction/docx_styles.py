"""Which paragraph styles of a DOCX are headings, lists, or a table of contents.

Word keeps a built-in style's English name whatever the language of the user interface; its id is localized.
Other programs write localized names.
"""

import re
from dataclasses import dataclass, field

from chatsphere.knowledge.extraction.xml import Element, attribute, local

TITLE_LEVEL = 0
_BODY_LEVEL = 9
_HEADING_NAME = re.compile(
    r"(?:heading|überschrift|titre|título|titulo|titolo|kop|rubrik|overskrift|otsikko|nagłówek|nadpis|заголовок"
    r"|naslov|címsor|başlık|標題|标题|見出し|제목)\s*(\d)",
    re.IGNORECASE,
)
_TITLE_NAMES = frozenset(("title", "titel", "titre principal", "标题", "標題", "表題", "제목", "название"))
_CONTENTS_NAME = re.compile(r"(?:toc|verzeichnis|tm|tdc|sommario|inhopg)\s*\d|table of figures", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Numbering:
    """That a paragraph is an item: of which list, how deep."""

    list_id: str
    level: int


@dataclass(slots=True)
class Style:
    """A style: its name, the style that it is based on, its outline level (0-based) and its list."""

    name: str
    parent: str | None
    outline: int | None
    list_id: str | None
    list_level: int | None


@dataclass(slots=True)
class Styles:
    """The paragraph styles of one document, by id."""

    _styles: dict[str, Style] = field(default_factory=dict)
    _default: str | None = None

    @classmethod
    def read(cls, root: Element | None) -> "Styles":
        """Read `styles.xml`; a document without one has no styles."""
        styles = cls()
        for element in () if root is None else root.iterchildren("{*}style"):
            name = _value(element, "name") or ""
            style_id = attribute(element, "styleId")
            if not style_id or attribute(element, "type") not in (None, "paragraph"):
                continue
            outline, list_id, list_level = paragraph_properties(element.find("{*}pPr"))
            styles._styles[style_id] = Style(name, _value(element, "basedOn"), outline, list_id, list_level)
            if attribute(element, "default") in ("1", "true"):
                styles._default = style_id
        return styles

    @classmethod
    def of(cls, styles: dict[str, Style], default: str | None) -> "Styles":
        """Styles that were read from elsewhere."""
        return cls(styles, default)

    def heading_level(self, style_id: str | None) -> int | None:
        """The heading level of a style (0 for the title, then 1 to 9), from itself or what it is based on."""
        for style in self._chain(style_id):
            if style.name.strip().lower() in _TITLE_NAMES:
                return TITLE_LEVEL
            if named := _HEADING_NAME.fullmatch(style.name.strip()):
                return int(named[1])
            if style.outline is not None:
                return style.outline + 1 if style.outline < _BODY_LEVEL else None
        return None

    def numbering(self, style_id: str | None) -> Numbering | None:
        """The list that a style puts its paragraphs in."""
        for style in self._chain(style_id):
            if style.list_id is not None:
                return Numbering(style.list_id, style.list_level or 0) if style.list_id != "0" else None
        return None

    def is_contents(self, style_id: str | None) -> bool:
        """Whether the style is that of a table of contents, which repeats the headings."""
        style = self._styles.get(style_id or "")
        return bool(style and _CONTENTS_NAME.match(style.name.strip()))

    def _chain(self, style_id: str | None) -> list[Style]:
        chain: list[Style] = []
        seen: set[str] = set()
        current = style_id or self._default
        while current and current not in seen and (style := self._styles.get(current)):
            seen.add(current)
            chain.append(style)
            current = style.parent
        return chain


def paragraph_properties(properties: Element | None) -> tuple[int | None, str | None, int | None]:
    """Outline level (0-based), list id and list level that a `pPr` sets itself."""
    if properties is None:
        return None, None, None
    outline = _number(_value(properties, "outlineLvl"))
    item = properties.find("{*}numPr")
    if item is None:
        return outline, None, None
    return outline, _value(item, "numId"), _number(_value(item, "ilvl"))


def _value(element: Element, name: str) -> str | None:
    for child in element.iterchildren("{*}" + name):
        if local(child) == name:
            return attribute(child, "val")
    return None


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and len(text) < 4 else None
