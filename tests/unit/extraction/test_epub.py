"""EPUB."""

from dataclasses import replace
from pathlib import Path

import pytest

from chatsphere.errors import (
    CorruptDocumentError,
    DocumentTooLargeError,
    EmptyDocumentError,
    EncryptedDocumentError,
    TypeMismatchError,
)
from chatsphere.knowledge.extraction import extract_file
from chatsphere.knowledge.text import BlockKind
from tests.builders.epub import make_epub, zipped
from tests.unit.extraction.reading import LIMITS, extract, parse, texts

CHAPTERS = {"b.xhtml": "<h1>Two</h1><p>Second chapter.</p>", "a.xhtml": "<h1>One</h1><p>First chapter.</p>"}


def encryption(uri: str, algorithm: str) -> dict[str, str]:
    data = f"""<enc:EncryptedData xmlns:enc="http://www.w3.org/2001/04/xmlenc#">
      <enc:EncryptionMethod Algorithm="{algorithm}"/>
      <enc:CipherData><enc:CipherReference URI="{uri}"/></enc:CipherData></enc:EncryptedData>"""
    return {"META-INF/encryption.xml": f"<encryption>{data}</encryption>"}


def test_chapters_are_read_in_the_order_of_the_spine_under_their_headings(tmp_path: Path) -> None:
    blocks = extract(tmp_path, "book.epub", make_epub(CHAPTERS, spine=["a.xhtml", "b.xhtml"]))

    assert [(block.text, block.heading_path, block.page) for block in blocks] == [
        ("One", ("One",), None),
        ("First chapter.", ("One",), None),
        ("Two", ("Two",), None),
        ("Second chapter.", ("Two",), None),
    ]


def test_title_and_type(tmp_path: Path) -> None:
    file = tmp_path / "upload"
    file.write_bytes(make_epub(CHAPTERS, title="Winter &amp; summer"))

    with extract_file(file, name="a.epub", declared_type=None, limits=LIMITS) as extraction:
        assert (extraction.title, extraction.media_type) == ("Winter & summer", "application/epub+zip")


def test_a_chapter_that_goes_on_in_the_next_file_keeps_its_heading(tmp_path: Path) -> None:
    book = make_epub(
        {"a.xhtml": "<h1>One</h1><p>Begin.</p>", "b.xhtml": "<p>It goes on.</p><aside><p>A note.</p></aside>"}
    )

    assert [(block.text, block.heading_path) for block in parse("epub", tmp_path, book)][1:] == [
        ("Begin.", ("One",)),
        ("It goes on.", ("One",)),
        ("A note.", ("One",)),
    ]


def test_the_table_of_contents_names_chapters_without_a_heading(tmp_path: Path) -> None:
    book = make_epub(
        {"a.xhtml": "<p>First.</p>", "b.xhtml": "<p>CHAPTER 2</p><p>Second.</p>", "c.xhtml": "<h2>Own</h2>"},
        contents=[("a.xhtml", "Chapter 1"), ("b.xhtml#top", "Chapter 2"), ("c.xhtml", "Chapter 3")],
    )

    blocks = parse("epub", tmp_path, book)

    assert texts(blocks, BlockKind.HEADING) == ["Chapter 1", "Chapter 2", "Own"]
    assert [(block.text, block.heading_path) for block in blocks if block.kind is BlockKind.PARAGRAPH] == [
        ("First.", ("Chapter 1",)),
        ("Second.", ("Chapter 2",)),
    ]


def test_the_navigation_of_epub_3_names_chapters_and_is_no_text(tmp_path: Path) -> None:
    entry = '<ol><li><a href="a.xhtml">Start</a></li></ol>'
    nav = f'<nav xmlns:epub="http://www.idpf.org/2007/ops" epub:type="toc">{entry}</nav>'
    opf = """<package xmlns="http://www.idpf.org/2007/opf"><manifest>
      <item id="n" href="nav.xhtml" properties="nav" media-type="application/xhtml+xml"/>
      <item id="a" href="a.xhtml" media-type="application/xhtml+xml"/></manifest>
      <spine><itemref idref="n"/><itemref idref="a"/></spine></package>"""

    book = make_epub({"nav.xhtml": nav, "a.xhtml": "<p>Text.</p>"}, opf=opf)

    assert texts(parse("epub", tmp_path, book)) == ["Start", "Text."]


def test_a_listed_page_of_links_is_no_text_and_one_with_text_is(tmp_path: Path) -> None:
    links = "<ul><li><a href='b.xhtml'>One</a></li><li><a href='c.xhtml'>Two</a></li></ul>"
    pages = {"toc.xhtml": links, "b.xhtml": "<p>Text.</p>"}

    assert texts(parse("epub", tmp_path, make_epub(pages, guide={"toc": "toc.xhtml"}))) == ["Text."]
    assert texts(parse("epub", tmp_path, make_epub(pages, guide={"toc": "b.xhtml"})))[-1] == "Text."


def test_what_the_spine_names_and_the_book_lacks_is_passed_over(tmp_path: Path) -> None:
    book = make_epub(CHAPTERS, spine=["missing", "a.xhtml", "a.xhtml"])

    assert texts(parse("epub", tmp_path, book)) == ["One", "First chapter."]


def test_without_a_spine_the_manifest_tells_the_order(tmp_path: Path) -> None:
    opf = """<package xmlns="http://www.idpf.org/2007/opf"><manifest>
      <item id="a" href="a%20b.xhtml" media-type="application/xhtml+xml"/></manifest></package>"""

    assert texts(parse("epub", tmp_path, make_epub({"a b.xhtml": "<p>Text.</p>"}, opf=opf))) == ["Text."]


@pytest.mark.parametrize(
    "href", ["../../etc/passwd", "/../outside.xhtml", "http://example.org/a.xhtml", "..%2f..%2fx", ""]
)
def test_addresses_that_lead_outside_are_not_followed(href: str, tmp_path: Path) -> None:
    opf = f"""<package xmlns="http://www.idpf.org/2007/opf"><manifest>
      <item id="x" href="{href}" media-type="application/xhtml+xml"/>
      <item id="a" href="../OEBPS/./a.xhtml" media-type="application/xhtml+xml"/></manifest>
      <spine><itemref idref="x"/><itemref idref="a"/></spine></package>"""

    assert texts(parse("epub", tmp_path, make_epub({"a.xhtml": "<p>Inside.</p>"}, opf=opf))) == ["Inside."]


def test_encrypted_chapters_are_refused_and_encrypted_fonts_are_not(tmp_path: Path) -> None:
    drm = make_epub(CHAPTERS, more=encryption("OEBPS/a.xhtml", "http://www.w3.org/2001/04/xmlenc#aes128-cbc"))
    font = make_epub(CHAPTERS, more=encryption("OEBPS/font.otf", "http://www.idpf.org/2008/embedding"))
    odd = make_epub(CHAPTERS, more=encryption("OEBPS/a.xhtml", "http://www.idpf.org/2008/embedding"))

    with pytest.raises(EncryptedDocumentError):
        extract(tmp_path, "a.epub", drm)
    assert "Second chapter." in texts(parse("epub", tmp_path, font))
    assert "Second chapter." in texts(parse("epub", tmp_path, odd))


def test_a_damaged_page_leaves_the_others(tmp_path: Path) -> None:
    stored = make_epub(CHAPTERS).replace(b"OEBPS/a.xhtml", b"OEBPS/A.xhtml", 1)  # its two names differ now

    assert texts(parse("epub", tmp_path, stored)) == ["Two", "Second chapter."]


def test_a_bomb_is_too_large(tmp_path: Path) -> None:
    with pytest.raises(DocumentTooLargeError):
        extract(tmp_path, "a.epub", make_epub({"a.xhtml": " " * 5_000_000}))


def test_pages_that_are_too_large_together(tmp_path: Path) -> None:
    book = make_epub({f"{number}.xhtml": "<p>x</p>" * 5_000 for number in range(6)})

    with pytest.raises(DocumentTooLargeError):
        parse("epub", tmp_path, book, replace(LIMITS, max_unpacked_bytes=200_000))


LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'


@pytest.mark.parametrize("part", ["OEBPS/content.opf", "META-INF/container.xml"])
def test_entities_are_refused(part: str, tmp_path: Path) -> None:
    book = make_epub(CHAPTERS, more={part: f"{LAUGHS}<package><metadata>&b;</metadata></package>"})

    with pytest.raises(CorruptDocumentError):
        extract(tmp_path, "a.epub", book)


def test_entities_of_a_chapter_or_of_the_contents_are_not_expanded(tmp_path: Path) -> None:
    chapter = '<!DOCTYPE html [<!ENTITY x SYSTEM "file:///etc/passwd">]><html><body><p>&x;Text.</p></body></html>'
    book = make_epub({"a.xhtml": ""}, more={"OEBPS/a.xhtml": chapter, "OEBPS/toc.ncx": f"{LAUGHS}<ncx>&b;</ncx>"})

    text = "".join(texts(parse("epub", tmp_path, book)))

    assert "Text." in text
    assert "root:" not in text


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (make_epub(CHAPTERS)[:400], CorruptDocumentError),
        (make_epub({"a.xhtml": ""}), EmptyDocumentError),
        (make_epub({}), CorruptDocumentError),
        (zipped({"OEBPS/a.xhtml": "x"}), TypeMismatchError),
        (zipped({"META-INF/container.xml": "<container/>"}), CorruptDocumentError),
    ],
    ids=["cut off", "no text", "no pages", "no container", "no package"],
)
def test_what_is_no_book(data: bytes, error: type[Exception], tmp_path: Path) -> None:
    with pytest.raises(error):
        extract(tmp_path, "a.epub", data)
