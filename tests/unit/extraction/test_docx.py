"""DOCX."""

from dataclasses import replace
from pathlib import Path

import pytest

from chatsphere.errors import (
    CorruptDocumentError,
    DocumentTooLargeError,
    EmptyDocumentError,
    TypeMismatchError,
)
from chatsphere.knowledge.extraction.limits import MIB
from chatsphere.knowledge.text import BlockKind
from tests.builders.docx import make_docx, make_raw_docx, make_zip, paragraph_xml, wordprocessing_part
from tests.unit.extraction.reading import LIMITS, extract, parse, texts


def test_headings_by_built_in_name_inheritance_and_outline_level(tmp_path: Path) -> None:
    data = make_docx([("Titel", "Book"), ("berschrift1", "Chapter"), "Text.", ("Eigene", "Section"), "More."])

    blocks = extract(tmp_path, "a.docx", data)

    assert [(block.kind, block.heading_path) for block in blocks] == [
        (BlockKind.HEADING, ("Book",)),
        (BlockKind.HEADING, ("Book", "Chapter")),
        (BlockKind.PARAGRAPH, ("Book", "Chapter")),
        (BlockKind.HEADING, ("Book", "Chapter", "Section")),
        (BlockKind.PARAGRAPH, ("Book", "Chapter", "Section")),
    ]


def test_tables_are_rows(tmp_path: Path) -> None:
    (block,) = parse("docx", tmp_path, make_docx([[["a", "b"], ["1", "2"]]]))

    assert (block.kind, block.text) == (BlockKind.TABLE, "a | b\n1 | 2")


def test_a_merged_cell_is_repeated_in_each_row(tmp_path: Path) -> None:
    def cell(text: str, properties: str = "") -> str:
        return f"<w:tc><w:tcPr>{properties}</w:tcPr>{paragraph_xml(text)}</w:tc>"

    rows = (
        cell("Berlin", '<w:vMerge w:val="restart"/>') + cell("east"),
        cell("", "<w:vMerge/>") + cell("west"),
        cell("wide", '<w:gridSpan w:val="2"/>'),
    )
    body = "<w:tbl>" + "".join(f"<w:tr>{row}</w:tr>" for row in rows) + "</w:tbl>"

    (block,) = parse("docx", tmp_path, make_raw_docx(body))

    assert block.text == "Berlin | east\nBerlin | west\nwide"


def test_the_table_of_contents_is_left_out(tmp_path: Path) -> None:
    assert texts(parse("docx", tmp_path, make_docx([("Verzeichnis1", "Chapter … 3"), "Text."]))) == ["Text."]


def test_what_is_shown_is_read_and_nothing_else(tmp_path: Path) -> None:
    body = """<w:p>
      <w:r><w:t xml:space="preserve">Kept </w:t></w:r>
      <w:del><w:r><w:delText>deleted</w:delText><w:t>deleted</w:t></w:r></w:del>
      <w:ins><w:r><w:t xml:space="preserve">inserted </w:t></w:r></w:ins>
      <w:hyperlink><w:r><w:t>link</w:t></w:r></w:hyperlink>
      <w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r>
      <w:r><w:instrText>PAGEREF</w:instrText></w:r>
      <w:sdt><w:sdtContent><w:r><w:t xml:space="preserve"> control</w:t></w:r></w:sdtContent></w:sdt>
      <w:r><w:br/><w:t>line</w:t><w:noBreakHyphen/><w:t>two</w:t></w:r></w:p>"""

    assert texts(parse("docx", tmp_path, make_raw_docx(body))) == ["Kept inserted link control\nline-two"]


def test_a_text_box_is_read_once(tmp_path: Path) -> None:
    box = f"<w:txbxContent>{paragraph_xml('In the box.')}</w:txbxContent>"
    body = (
        "<w:p><w:r><w:t>Before.</w:t></w:r><w:r><mc:AlternateContent><mc:Choice><wps:txbx>"
        f"{box}</wps:txbx></mc:Choice><mc:Fallback>{box}</mc:Fallback></mc:AlternateContent></w:r></w:p>"
    )

    assert texts(parse("docx", tmp_path, make_raw_docx(body))) == ["Before.", "In the box."]


def test_footnotes_follow_their_paragraph(tmp_path: Path) -> None:
    notes = wordprocessing_part(
        "footnotes",
        f'<w:footnote w:type="separator" w:id="-1"/><w:footnote w:id="2">{paragraph_xml("See there.")}</w:footnote>',
    )
    body = '<w:p><w:r><w:t>Claim</w:t></w:r><w:r><w:footnoteReference w:id="2"/></w:r></w:p>'

    blocks = parse("docx", tmp_path, make_raw_docx(body + paragraph_xml("Next."), {"word/footnotes.xml": notes}))

    assert texts(blocks) == ["Claim[2]", "[2] See there.", "Next."]


def test_numbered_headings_and_lists_have_their_labels(tmp_path: Path) -> None:
    def level(position: int, form: str, text: str) -> str:
        shape = f'<w:start w:val="1"/><w:numFmt w:val="{form}"/><w:lvlText w:val="{text}"/>'
        return f'<w:lvl w:ilvl="{position}">{shape}</w:lvl>'

    numbering = wordprocessing_part(
        "numbering",
        f'<w:abstractNum w:abstractNumId="1">{level(0, "decimal", "%1.")}{level(1, "decimal", "%1.%2")}</w:abstractNum>'
        f'<w:abstractNum w:abstractNumId="2">{level(0, "bullet", "x")}{level(1, "lowerLetter", "%2)")}</w:abstractNum>'
        '<w:num w:numId="1"><w:abstractNumId w:val="1"/></w:num>'
        '<w:num w:numId="2"><w:abstractNumId w:val="2"/></w:num>',
    )

    def item(text: str, list_id: int, depth: int, style: str = "Standard") -> str:
        number = f'<w:numPr><w:ilvl w:val="{depth}"/><w:numId w:val="{list_id}"/></w:numPr>'
        return f'<w:p><w:pPr><w:pStyle w:val="{style}"/>{number}</w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>'

    body = item("Scope", 1, 0, "berschrift1") + item("Terms", 1, 1, "Eigene") + item("Use", 1, 0, "berschrift1")
    body += item("apple", 2, 0) + item("red", 2, 1) + item("green", 2, 1)

    blocks = parse("docx", tmp_path, make_raw_docx(body, {"word/numbering.xml": numbering}))

    assert texts(blocks) == ["1. Scope", "1.1 Terms", "2. Use", "- apple\n  a) red\n  b) green"]
    assert blocks[-1].kind is BlockKind.LIST


def test_lists_of_one_template_count_on_unless_they_restart(tmp_path: Path) -> None:
    level = '<w:lvl w:ilvl="0"><w:numFmt w:val="decimal"/><w:lvlText w:val="%1."/></w:lvl>'
    restart = '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="1"/></w:lvlOverride>'
    numbers = "".join(
        f'<w:num w:numId="{number}"><w:abstractNumId w:val="7"/>{restart if number == 3 else ""}</w:num>'
        for number in (1, 2, 3)
    )
    numbering = wordprocessing_part("numbering", f'<w:abstractNum w:abstractNumId="7">{level}</w:abstractNum>{numbers}')
    body = "".join(
        f'<w:p><w:pPr><w:numPr><w:numId w:val="{number}"/></w:numPr></w:pPr><w:r><w:t>x</w:t></w:r></w:p>'
        for number in (1, 2, 3, 3)
    )

    assert texts(parse("docx", tmp_path, make_raw_docx(body, {"word/numbering.xml": numbering}))) == [
        "1. x\n2. x\n1. x\n2. x"
    ]


def test_symbols_of_the_symbol_font_are_their_characters(tmp_path: Path) -> None:
    body = '<w:p><w:r><w:t>5 </w:t><w:sym w:font="Symbol" w:char="F06D"/><w:t>g</w:t></w:r>'
    body += '<w:r><w:sym w:font="Wingdings" w:char="F04A"/></w:r></w:p>'

    assert texts(parse("docx", tmp_path, make_raw_docx(body))) == ["5 µg"]


def test_strict_namespace_is_read(tmp_path: Path) -> None:
    strict = "http://purl.oclc.org/ooxml/wordprocessingml/main"
    document = f'<w:document xmlns:w="{strict}"><w:body>{paragraph_xml("Strict.")}</w:body></w:document>'

    assert texts(parse("docx", tmp_path, make_zip({"word/document.xml": document}))) == ["Strict."]


ENTITIES = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>'
EXTERNAL = '<!DOCTYPE x [<!ENTITY c SYSTEM "file:///etc/hostname">]>'
BODY = "<w:p><w:r><w:t>hello &c;</w:t></w:r></w:p>"


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (make_raw_docx(paragraph_xml("x") + " " * (64 * MIB)), DocumentTooLargeError),
        (make_raw_docx(BODY, prolog=ENTITIES), CorruptDocumentError),
        (make_raw_docx(BODY, prolog=EXTERNAL), CorruptDocumentError),
        (make_raw_docx("<w:p>" * 5000 + "</w:p>" * 5000), CorruptDocumentError),
        (make_raw_docx("<w:p>"), CorruptDocumentError),
        (make_docx(["text"])[:-300], CorruptDocumentError),
        (make_zip({"word/document.bin": "x"}), TypeMismatchError),
        (make_docx([]), EmptyDocumentError),
    ],
    ids=["bomb", "entities", "external", "deep", "not-well-formed", "truncated", "no-document", "empty"],
)
def test_unreadable(data: bytes, error: type[Exception], tmp_path: Path) -> None:
    with pytest.raises(error):
        extract(tmp_path, "a.docx", data)


def test_a_damaged_entry_is_corrupt(tmp_path: Path) -> None:
    data = bytearray(make_docx(["text " * 500]))
    at = data.index(b"word/document.xml") + 40
    data[at : at + 8] = b"\xff" * 8

    with pytest.raises(CorruptDocumentError):
        extract(tmp_path, "a.docx", bytes(data))


def test_too_many_entries(tmp_path: Path) -> None:
    data = make_zip({"word/document.xml": "<x/>", **{f"word/{number}": "" for number in range(20)}})

    with pytest.raises(DocumentTooLargeError):
        extract(tmp_path, "a.docx", data, limits=replace(LIMITS, max_entries=10))
