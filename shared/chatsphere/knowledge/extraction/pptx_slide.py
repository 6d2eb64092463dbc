"""The shapes of one slide as blocks, in the order in which its author put them; its title first."""

from collections.abc import Callable, Iterator
from itertools import islice

from chatsphere.knowledge.extraction.chart_text import chart_lines, chart_title
from chatsphere.knowledge.extraction.diagram_text import diagram_items
from chatsphere.knowledge.extraction.drawing_text import Paragraph, list_lines, read_paragraphs, table_lines
from chatsphere.knowledge.extraction.office_package import relation_id
from chatsphere.knowledge.extraction.xml import Element, attribute, local
from chatsphere.knowledge.text import BlockKind

_TABLE_ROWS = 100
_MAX_DEPTH = 50
_TITLES = frozenset(("title", "ctrTitle"))
_FURNITURE = frozenset(("dt", "ftr", "hdr", "sldNum", "sldImg"))
_LISTS = frozenset((None, "body", "obj"))
"""The places of a layout whose paragraphs have marks unless they say otherwise."""

Piece = tuple[BlockKind, str]
OpenPart = Callable[[str], Element | None]
"""The root of the part that a reference's id stands for."""


def slide_title(slide: Element) -> str:
    """The text of the slide's title, empty where it has none."""
    for shape in slide.iter("{*}sp"):
        if _place(shape) in _TITLES and not _is_hidden(shape):
            return " ".join(" ".join(each.text.split()) for each in _paragraphs(shape))
    return ""


def slide_pieces(slide: Element, part: OpenPart) -> Iterator[Piece]:
    """Yield the texts of the shapes other than the title."""
    for tree in slide.iterfind("{*}cSld/{*}spTree"):
        yield from _shapes(tree, part, 0)


def _shapes(group: Element, part: OpenPart, depth: int) -> Iterator[Piece]:
    for shape in group if depth < _MAX_DEPTH else ():
        name = local(shape)
        if name == "AlternateContent":
            yield from _alternative(shape, part, depth)
        elif _is_hidden(shape):
            continue
        elif name in ("sp", "cxnSp"):
            yield from _text_shape(shape)
        elif name == "grpSp":
            yield from _shapes(shape, part, depth + 1)
        elif name == "graphicFrame":
            yield from _graphic(shape, part)


def _alternative(element: Element, part: OpenPart, depth: int) -> Iterator[Piece]:
    """The same thing for newer and for older programs: the first that can be read."""
    for branch in element:
        pieces = list(_shapes(branch, part, depth + 1))
        if pieces:
            yield from pieces
            return


def _text_shape(shape: Element) -> Iterator[Piece]:
    place = _place(shape)
    if place in _TITLES or place in _FURNITURE:
        return
    paragraphs = _paragraphs(shape)
    if place == "subTitle" or place == "":
        yield from _runs(paragraphs, default=False)
    else:
        yield from _runs(paragraphs, default=place in _LISTS and len(paragraphs) > 1)


def _runs(paragraphs: list[Paragraph], *, default: bool) -> Iterator[Piece]:
    """Paragraphs one by one, those with marks joined to lists."""
    items: list[Paragraph] = []
    for paragraph in paragraphs:
        if paragraph.marked if paragraph.marked is not None else default:
            items.append(paragraph)
            continue
        if items:
            yield BlockKind.LIST, list_lines(items)
            items = []
        yield BlockKind.PARAGRAPH, paragraph.text
    if items:
        yield BlockKind.LIST, list_lines(items)


def _graphic(frame: Element, part: OpenPart) -> Iterator[Piece]:
    for content in frame.iterfind("{*}graphic/{*}graphicData/*"):
        name = local(content)
        if name == "tbl":
            yield from _table(table_lines(content))
        elif name == "chart":
            chart = part(relation_id(content))
            if chart is not None:
                yield BlockKind.PARAGRAPH, chart_title(chart)
                yield from _table(chart_lines(chart))
        elif name == "relIds":
            data = part(relation_id(content, "dm"))
            if data is not None:
                yield BlockKind.LIST, list_lines(list(diagram_items(data)))


def _table(lines: Iterator[str]) -> Iterator[Piece]:
    while batch := list(islice(lines, _TABLE_ROWS)):
        yield BlockKind.TABLE, "\n".join(batch)


def _paragraphs(shape: Element) -> list[Paragraph]:
    body = shape.find("{*}txBody")
    return [] if body is None else list(read_paragraphs(body))


def _place(shape: Element) -> str | None:
    """Which place of the layout the shape fills; None for one without a type, empty for a shape of its own."""
    place = shape.find("{*}nvSpPr/{*}nvPr/{*}ph")
    return "" if place is None else attribute(place, "type")


def _is_hidden(shape: Element) -> bool:
    properties = next(shape.iterfind("*/{*}cNvPr"), None)
    return properties is not None and attribute(properties, "hidden") in ("1", "true")
