"""Small presentations, written by hand."""

from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

from tests.builders.office import RELATIONS, make_office, relations_xml

NAMESPACES = (
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" '
    'xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart" '
    'xmlns:dgm="http://schemas.openxmlformats.org/drawingml/2006/diagram" '
    f'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" xmlns:r="{RELATIONS}"'
)


def make_pptx(
    slides: Sequence[str],
    *,
    notes: Mapping[int, str] | None = None,
    hidden: Sequence[int] = (),
    related: Mapping[int, Mapping[str, tuple[str, str, str]]] | None = None,
) -> bytes:
    """Return a presentation of these slides (the XML of their shapes), numbered from 1.

    `notes` are speaker's notes, `related` further parts of a slide: id → (last word of the type, name, XML).
    """
    numbers = range(1, len(slides) + 1)
    ids = "".join(f'<p:sldId id="{255 + number}" r:id="s{number}"/>' for number in numbers)
    files: dict[str, str | bytes] = {
        "ppt/presentation.xml": f"<p:presentation {NAMESPACES}><p:sldIdLst>{ids}</p:sldIdLst></p:presentation>",
        "ppt/_rels/presentation.xml.rels": relations_xml(
            {f"s{number}": ("slide", f"slides/slide{number}.xml") for number in numbers}
        ),
    }
    for number, shapes in enumerate(slides, 1):
        show = ' show="0"' if number in hidden else ""
        files[f"ppt/slides/slide{number}.xml"] = _slide("sld", shapes, show)
        relations: dict[str, tuple[str, str]] = {}
        if number in (notes or {}):
            relations["notes"] = ("notesSlide", f"../notesSlides/notesSlide{number}.xml")
            body = shape_xml((notes or {})[number].split("\n"), place="body")
            furniture = shape_xml([str(number)], place="sldNum")
            files[f"ppt/notesSlides/notesSlide{number}.xml"] = _slide("notes", body + furniture)
        for key, (kind, name, xml) in (related or {}).get(number, {}).items():
            relations[key] = (kind, f"../{name}")
            files[f"ppt/{name}"] = xml
        files[f"ppt/slides/_rels/slide{number}.xml.rels"] = relations_xml(relations)
    return make_office("ppt/presentation.xml", files)


def shape_xml(paragraphs: Sequence[str | tuple[int, str]], place: str | None = None, properties: str = "") -> str:
    """Return the XML of a shape: of its own, or in a place of the layout (`title`, `body`; empty: one without type).

    A pair is an indented paragraph; `properties` is the XML inside each paragraph's `pPr`.
    """
    holder = "" if place is None else "<p:ph/>" if not place else f'<p:ph type="{place}"/>'
    return (
        f'<p:sp><p:nvSpPr><p:cNvPr id="1" name="x"/><p:cNvSpPr/><p:nvPr>{holder}</p:nvPr></p:nvSpPr><p:spPr/>'
        f"<p:txBody>{paragraphs_xml(paragraphs, properties)}</p:txBody></p:sp>"
    )


def paragraphs_xml(paragraphs: Sequence[str | tuple[int, str]], properties: str = "") -> str:
    """Return the XML of paragraphs."""
    pairs = [(0, item) if isinstance(item, str) else item for item in paragraphs]
    return "".join(
        f'<a:p><a:pPr lvl="{level}">{properties}</a:pPr><a:r><a:t>{escape(text)}</a:t></a:r></a:p>'
        for level, text in pairs
    )


def frame_xml(content: str) -> str:
    """Return the XML of a frame around a table, a chart or a diagram."""
    return f"<p:graphicFrame><a:graphic><a:graphicData>{content}</a:graphicData></a:graphic></p:graphicFrame>"


def _slide(root: str, shapes: str, attributes: str = "") -> str:
    return f"<p:{root} {NAMESPACES}{attributes}><p:cSld><p:spTree>{shapes}</p:spTree></p:cSld></p:{root}>"
