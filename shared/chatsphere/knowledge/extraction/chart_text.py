"""The text of a chart: its title, and its data as a table of categories and series."""

from collections.abc import Iterator
from itertools import islice

from chatsphere.knowledge.extraction.drawing_text import read_paragraphs
from chatsphere.knowledge.extraction.xlsx_formats import general, show_by
from chatsphere.knowledge.extraction.xml import Element, attribute

_MAX_POINTS = 1_000
_MAX_SERIES = 100
_SERIES = "{*}chart/{*}plotArea/*/{*}ser"


def chart_title(chart: Element) -> str:
    """The title, empty where there is none."""
    title = chart.find("{*}chart/{*}title")
    bodies = [] if title is None else list(title.iter("{*}rich"))
    return " ".join(each.text.replace("\n", " ") for body in bodies for each in read_paragraphs(body))


def chart_lines(chart: Element) -> Iterator[str]:
    """Yield a row of names, then one per category, `a | b | c`. Charts of more points than can be read are cut."""
    series = list(islice(chart.iterfind(_SERIES), _MAX_SERIES))
    names = [" ".join(_points(each.find("{*}tx")).values()) for each in series]
    values = [_points(_first(each, "val", "yVal")) for each in series]
    categories = _points(_first(series[0], "cat", "xVal")) if series else {}
    if any(names):
        yield " | ".join(["", *names] if categories else names).strip()
    positions = sorted({place for points in (categories, *values) for place in points})
    for place in positions[:_MAX_POINTS]:
        cells = [categories.get(place, ""), *(points.get(place, "") for points in values)]
        yield " | ".join(cells if categories else cells[1:]).rstrip()


def _first(series: Element, *names: str) -> Element | None:
    return next((found for name in names if (found := series.find("{*}" + name)) is not None), None)


def _points(holder: Element | None) -> dict[int, str]:
    """The values that a chart keeps of its cells, by their position; of nested categories the innermost."""
    points: dict[int, str] = {}
    if holder is None:
        return points
    level = next(holder.iter("{*}lvl"), None)
    scope = holder if level is None else level
    code = next((element.text for element in scope.iter("{*}formatCode")), None) or "General"
    is_number = next(scope.iter("{*}numCache", "{*}numLit"), None) is not None
    show = (general if code == "General" else show_by(code, False)) if is_number else str
    for point in islice(scope.iter("{*}pt"), _MAX_POINTS):
        place = attribute(point, "idx") or ""
        text = (point.findtext("{*}v") or "").strip()
        if place.isdecimal() and len(place) < 8 and text:
            points[int(place)] = show(" ".join(text.split()))
    literal = holder.findtext("{*}v")
    return points or ({0: " ".join(literal.split())} if literal and literal.strip() else {})
