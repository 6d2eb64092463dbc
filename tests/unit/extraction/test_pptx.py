"""PPTX."""

from dataclasses import replace
from pathlib import Path

import pytest

from chatsphere.errors import (
    CorruptDocumentError,
    DocumentTooLargeError,
    EmptyDocumentError,
    TypeMismatchError,
)
from chatsphere.knowledge.extraction import extract_file
from chatsphere.knowledge.extraction.limits import MIB
from chatsphere.knowledge.text import Block, BlockKind
from tests.builders.docx import make_zip
from tests.builders.pptx import NAMESPACES, frame_xml, make_pptx, paragraphs_xml, shape_xml
from tests.unit.extraction.reading import LIMITS, extract, parse, texts

TITLE = shape_xml(["A title"], place="title")


def test_a_slide_is_a_page_with_its_title_first_and_its_notes_last(tmp_path: Path) -> None:
    body = shape_xml(["Results", (1, "Revenue"), "Outlook"], place="body")
    data = make_pptx([body + TITLE, shape_xml(["A remark."])], notes={1: "Say hello.\nThank everyone."})

    assert extract(tmp_path, "a.pptx", data) == [
        Block("A title", BlockKind.HEADING, 1, ("A title",)),
        Block("- Results\n  - Revenue\n- Outlook", BlockKind.LIST, 1, ("A title",)),
        Block("Notes", BlockKind.HEADING, 1, ("A title", "Notes")),
        Block("Say hello.\nThank everyone.", BlockKind.PARAGRAPH, 1, ("A title", "Notes")),
        Block("A remark.", BlockKind.PARAGRAPH, 2, ()),
    ]


def test_hidden_slides_are_counted_and_not_read(tmp_path: Path) -> None:
    file = tmp_path / "a.pptx"
    file.write_bytes(make_pptx([shape_xml(["one"]), shape_xml(["two"]), shape_xml(["three"])], hidden=[2]))

    with extract_file(file, name=file.name, declared_type=None, limits=LIMITS) as extraction:
        blocks = list(extraction.blocks)

    assert extraction.page_count == 3
    assert [(block.text, block.page) for block in blocks] == [("one", 1), ("three", 3)]


def test_what_every_slide_repeats_is_left_out(tmp_path: Path) -> None:
    furniture = "".join(shape_xml(["again"], place=place) for place in ("dt", "ftr", "sldNum"))

    assert texts(parse("pptx", tmp_path, make_pptx([TITLE + furniture]))) == ["A title"]


def test_tables_are_rows_and_merged_cells_repeat(tmp_path: Path) -> None:
    def cell(text: str, attributes: str = "") -> str:
        return f"<a:tc {attributes}><a:txBody>{paragraphs_xml([text])}</a:txBody></a:tc>"

    rows = [
        cell("Berlin", 'rowSpan="2"') + cell("east"),
        cell("", 'vMerge="1"') + cell("west"),
        cell("wide", 'gridSpan="2"') + cell("", 'hMerge="1"'),
    ]
    xml = frame_xml("<a:tbl>" + "".join(f"<a:tr>{row}</a:tr>" for row in rows) + "</a:tbl>")

    (block,) = parse("pptx", tmp_path, make_pptx([xml]))

    assert (block.kind, block.text) == (BlockKind.TABLE, "Berlin | east\nBerlin | west\nwide")


def test_groups_breaks_and_alternatives(tmp_path: Path) -> None:
    inner = shape_xml(["inside"]).replace("inside</a:t></a:r>", "inside</a:t></a:r><a:br/><a:r><a:t>line</a:t></a:r>")
    fallback = f"<mc:Fallback>{shape_xml(['old'])}</mc:Fallback>"
    both = f"<mc:AlternateContent><mc:Choice><p:x/></mc:Choice>{fallback}</mc:AlternateContent>"
    chosen = both.replace("<p:x/>", shape_xml(["new"]))
    hidden = shape_xml(["unseen"]).replace('name="x"', 'name="x" hidden="1"')

    data = make_pptx([f"<p:grpSp><p:grpSp>{inner}</p:grpSp></p:grpSp>{both}{chosen}{hidden}"])

    assert texts(parse("pptx", tmp_path, data)) == ["inside\nline", "old", "new"]


def test_marks_of_lists(tmp_path: Path) -> None:
    numbered = shape_xml(["one", "two"], properties="<a:buAutoNum/>")
    bare = shape_xml(["x", "y"], place="body", properties="<a:buNone/>")

    blocks = parse("pptx", tmp_path, make_pptx([numbered + bare]))

    assert [(block.kind, block.text) for block in blocks] == [
        (BlockKind.LIST, "1. one\n2. two"),
        (BlockKind.PARAGRAPH, "x"),
        (BlockKind.PARAGRAPH, "y"),
    ]


def test_a_chart_is_its_data(tmp_path: Path) -> None:
    def points(values: list[str], kind: str = "str", form: str = "General") -> str:
        entries = "".join(f'<c:pt idx="{at}"><c:v>{value}</c:v></c:pt>' for at, value in enumerate(values))
        return f"<c:{kind}Cache><c:formatCode>{form}</c:formatCode>{entries}</c:{kind}Cache>"

    def series(name: str, values: list[str]) -> str:
        shown = points(values, "num", "0.0%")
        return (
            f"<c:ser><c:tx>{points([name])}</c:tx><c:cat>{points(['Q1', 'Q2'])}</c:cat><c:val>{shown}</c:val></c:ser>"
        )

    title = f"<c:title><c:tx><c:rich>{paragraphs_xml(['Share'])}</c:rich></c:tx></c:title>"
    plot = f"<c:plotArea><c:barChart>{series('We', ['0.25', '0.5'])}{series('They', ['0.1'])}</c:barChart></c:plotArea>"
    chart = f"<c:chartSpace {NAMESPACES}><c:chart>{title}{plot}</c:chart></c:chartSpace>"
    data = make_pptx([frame_xml('<c:chart r:id="c"/>')], related={1: {"c": ("chart", "charts/chart1.xml", chart)}})

    assert texts(parse("pptx", tmp_path, data)) == ["Share", "| We | They\nQ1 | 25.0% | 10.0%\nQ2 | 50.0% |"]


def test_a_diagram_is_a_list(tmp_path: Path) -> None:
    def point(key: str, text: str, kind: str = "node") -> str:
        return f'<dgm:pt modelId="{key}" type="{kind}"><dgm:t>{paragraphs_xml([text])}</dgm:t></dgm:pt>'

    def link(parent: str, child: str, order: int, kind: str = "parOf") -> str:
        return f'<dgm:cxn type="{kind}" srcId="{parent}" destId="{child}" srcOrd="{order}"/>'

    points = (
        point("b", "second")
        + point("a", "first")
        + point("c", "child")
        + point("r", "", "doc")
        + point("p", "x", "pres")
    )
    links = link("r", "b", 1) + link("r", "a", 0) + link("a", "c", 0) + link("c", "a", 0) + link("p", "a", 0, "presOf")
    model = (
        f"<dgm:dataModel {NAMESPACES}><dgm:ptLst>{points}</dgm:ptLst><dgm:cxnLst>{links}</dgm:cxnLst></dgm:dataModel>"
    )
    data = make_pptx(
        [frame_xml('<dgm:relIds r:dm="d"/>')], related={1: {"d": ("diagramData", "diagrams/data1.xml", model)}}
    )

    assert texts(parse("pptx", tmp_path, data)) == ["- first\n  - child\n- second"]


ENTITIES = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
EXTERNAL = '<!DOCTYPE x [<!ENTITY b SYSTEM "file:///etc/hostname">]>'
DEEP = "<p:grpSp>" * 5000 + "</p:grpSp>" * 5000


def with_chart(prolog: str) -> bytes:
    """A presentation with a chart whose part begins with this prolog."""
    chart = ("chart", "c.xml", f"{prolog}<x>&b;</x>")
    return make_pptx([frame_xml('<c:chart r:id="c"/>')], related={1: {"c": chart}})


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (make_pptx([TITLE + " " * (64 * MIB)]), DocumentTooLargeError),
        (with_chart(ENTITIES), CorruptDocumentError),
        (with_chart(EXTERNAL), CorruptDocumentError),
        (make_pptx([DEEP]), CorruptDocumentError),
        (make_pptx(["<p:sp>"]), CorruptDocumentError),
        (make_pptx([TITLE])[:-300], CorruptDocumentError),
        (make_zip({"ppt/slides/slide1.xml": "<x/>"}), TypeMismatchError),
        (make_zip({"ppt/presentation.xml": f"<p:presentation {NAMESPACES}/>"}), EmptyDocumentError),
        (make_pptx([]), EmptyDocumentError),
    ],
    ids=["bomb", "entities", "external", "deep", "not-well-formed", "truncated", "no-main", "no-slides", "empty"],
)
def test_unreadable(data: bytes, error: type[Exception], tmp_path: Path) -> None:
    with pytest.raises(error):
        extract(tmp_path, "a.pptx", data)


def test_a_missing_slide_is_corrupt(tmp_path: Path) -> None:
    data = make_zip(
        {
            "ppt/presentation.xml": f'<p:presentation {NAMESPACES}><p:sldIdLst><p:sldId r:id="s1"/></p:sldIdLst>'
            "</p:presentation>"
        }
    )

    with pytest.raises(CorruptDocumentError):
        extract(tmp_path, "a.pptx", data)


def test_too_many_slides(tmp_path: Path) -> None:
    with pytest.raises(DocumentTooLargeError):
        extract(tmp_path, "a.pptx", make_pptx([TITLE] * 3), limits=replace(LIMITS, max_pages=2))
