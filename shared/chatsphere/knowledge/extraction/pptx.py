"""PPTX: an own reader of the slides' XML. A slide is a page; hidden slides are counted and not read.

Of a slide: its title as a heading, its texts, tables, charts' data and diagrams, and the speaker's notes under a
heading of their own. Footers, dates, slide numbers, comments and what stands on masters are left out.
"""

from collections.abc import Iterator

from chatsphere.errors import CorruptDocumentError, DocumentTooLargeError
from chatsphere.knowledge.extraction.drawing_text import read_paragraphs
from chatsphere.knowledge.extraction.limits import ExtractionLimits
from chatsphere.knowledge.extraction.office_package import Package, relation_id
from chatsphere.knowledge.extraction.parsed import MAX_HEADING_CHARS, Parsed
from chatsphere.knowledge.extraction.pptx_slide import slide_pieces, slide_title
from chatsphere.knowledge.extraction.source import Source
from chatsphere.knowledge.extraction.xml import Element, attribute
from chatsphere.knowledge.extraction.zip_archive import damage_reported
from chatsphere.knowledge.text import Block, BlockKind

NOTES = "Notes"
_MAIN = "ppt/presentation.xml"


def parse(source: Source, limits: ExtractionLimits) -> Parsed:
    """Read a presentation."""
    with Package(source, limits, _MAIN) as package, damage_reported():
        slides = _slides(package)
        title = package.title()
    if len(slides) > limits.max_pages:
        raise DocumentTooLargeError
    return Parsed(_blocks(source, limits, slides), page_count=len(slides), title=title)


def _slides(package: Package) -> list[str]:
    """The parts of the slides, in their order."""
    presentation, relations = package.xml(package.main), package.relations(package.main)
    if presentation is None:
        raise CorruptDocumentError
    found = [relations.get(relation_id(each)) for each in presentation.iterfind("{*}sldIdLst/{*}sldId")]
    slides = [relation.target for relation in found if relation is not None and relation.target in package]
    if len(slides) < len(found):
        raise CorruptDocumentError
    return slides


def _blocks(source: Source, limits: ExtractionLimits, slides: list[str]) -> Iterator[Block]:
    with Package(source, limits, _MAIN) as package, damage_reported():
        for number, part in enumerate(slides, 1):
            slide = package.xml(part)
            if slide is not None and attribute(slide, "show") not in ("0", "false"):
                yield from _slide(package, part, slide, number)


def _slide(package: Package, part: str, slide: Element, number: int) -> Iterator[Block]:
    relations = package.relations(part)

    def related(reference: str) -> Element | None:
        relation = relations.get(reference)
        return None if relation is None else package.xml(relation.target)

    title = slide_title(slide)
    path = (title[:MAX_HEADING_CHARS],) if title else ()
    if title:
        yield Block(title, BlockKind.HEADING, number, path)
    for kind, text in slide_pieces(slide, related):
        yield Block(text, kind, number, path)
    for relation in relations.values():
        notes = package.xml(relation.target) if relation.kind == "notesSlide" else None
        if notes is not None:
            yield from _notes(notes, number, path)


def _notes(notes: Element, number: int, path: tuple[str, ...]) -> Iterator[Block]:
    path = (*path, NOTES)
    texts = [
        paragraph.text
        for shape in notes.iter("{*}sp")
        for place in shape.iterfind("{*}nvSpPr/{*}nvPr/{*}ph")
        if attribute(place, "type") == "body"
        for body in shape.iterfind("{*}txBody")
        for paragraph in read_paragraphs(body)
    ]
    if texts:
        yield Block(NOTES, BlockKind.HEADING, number, path)
        yield Block("\n".join(texts), BlockKind.PARAGRAPH, number, path)
