"""HTML."""

from pathlib import Path

import pytest

from chatsphere.knowledge.extraction import extract_file
from chatsphere.knowledge.text import BlockKind
from tests.builders.pages import marks, typical_pages
from tests.unit.extraction.reading import LIMITS, extract, parse, texts

FILLER = "<p>" + "The main text of the page says something. " * 10 + "</p>"


def test_menus_scripts_and_hidden_text_are_left_out(tmp_path: Path) -> None:
    page = f"""<html><head><title>T</title><style>p{{}}</style></head><body>
      <header>Site header</header><nav>Menu</nav><div role="navigation">Menu 2</div>
      <script>var x</script><noscript>no</noscript><template>tpl</template>
      <p hidden>hidden</p><p style="display: none">hidden</p><div aria-hidden="true">hidden</div>
      {FILLER}<form>Login <input value="x"></form><aside>Adverts</aside><footer>Imprint</footer></body></html>"""

    (block,) = parse("html", tmp_path, page)

    assert block.text.startswith("The main text")


def test_main_is_preferred_and_its_header_kept(tmp_path: Path) -> None:
    page = f"<div>Teaser</div><main><header><h1>Title</h1></header>{FILLER}</main><div>More</div>"

    assert texts(parse("html", tmp_path, page))[0] == "Title"
    assert "Teaser" not in " ".join(texts(parse("html", tmp_path, page)))


def test_an_empty_main_is_not_preferred(tmp_path: Path) -> None:
    assert "The main text" in texts(parse("html", tmp_path, f"<main></main>{FILLER}"))[0]


def test_a_page_that_is_one_form_is_read(tmp_path: Path) -> None:
    assert "The main text" in texts(parse("html", tmp_path, f"<form>{FILLER}</form>"))[0]


def test_structure_is_kept(tmp_path: Path) -> None:
    page = """<h1>Guide</h1><p>Some <b>bold</b>&nbsp;text<br>second line<p>Unclosed &amp; next
      <h2>Steps</h2><ol><li>First<li>Second <ul><li>Inner</ul></ol>
      <table><caption>Prices</caption><tr><th>Item<th>Price<tr><td>Tea<td><p>2</p><p>€</p></table>
      <pre>
  keep   this
    code</pre>"""

    blocks = parse("html", tmp_path, page)

    assert [(block.kind, block.text) for block in blocks] == [
        (BlockKind.HEADING, "Guide"),
        (BlockKind.PARAGRAPH, "Some bold text\nsecond line"),
        (BlockKind.PARAGRAPH, "Unclosed & next"),
        (BlockKind.HEADING, "Steps"),
        (BlockKind.LIST, "1. First\n2. Second\n  - Inner"),
        (BlockKind.TABLE, "Prices\nItem | Price\nTea | 2 €"),
        (BlockKind.CODE, "  keep   this\n    code"),
    ]
    assert blocks[-1].heading_path == ("Guide", "Steps")


def test_a_table_for_the_layout_is_no_table(tmp_path: Path) -> None:
    page = "<table><tr><td>Left<td><h2>Heading</h2><p>One.</p><p>Two.</p></table>"

    assert texts(parse("html", tmp_path, page)) == ["Left", "Heading", "One.", "Two."]


def test_title_is_the_documents(tmp_path: Path) -> None:
    file = tmp_path / "upload"
    file.write_text("<title>A &amp; B</title><svg><title>icon</title></svg><p>x")

    with extract_file(file, name="a.html", declared_type=None, limits=LIMITS) as extraction:
        assert extraction.title == "A & B"


@pytest.mark.parametrize(
    ("head", "codec"),
    [
        ('<meta charset="iso-8859-1">', "cp1252"),
        ('<meta http-equiv="Content-Type" content="text/html; charset=windows-1251">', "cp1251"),
        ('<meta charset="utf-8">', "utf-8"),
        ("", "utf-8-sig"),
        ("", "utf-16"),
        ('<meta charset="shift_jis">', "cp932"),
    ],
)
def test_encodings(head: str, codec: str, tmp_path: Path) -> None:
    text = {"cp1251": "Привет", "cp932": "名前 ①"}.get(codec, "Grüße für 5 €" if codec != "cp932" else "")

    assert texts(parse("html", tmp_path, f"{head}<p>{text}</p>".encode(codec))) == [text]


@pytest.mark.parametrize(
    "page",
    [
        "<div>" * 100_000 + "deep",
        "<b><font>" * 30_000 + "deep",
        "<table><tr><td>" * 20_000 + "deep",
        "<ul><li>" * 20_000 + "deep",
        "<div " + " ".join(f"a{number}=1" for number in range(20_000)) + ">deep",
        "</p>" * 50_000 + "deep",
    ],
    ids=["div", "inline", "table", "list", "attributes", "unopened"],
)
def test_any_nesting_is_read(page: str, tmp_path: Path) -> None:
    assert "deep" in extract(tmp_path, "a.html", page)[-1].text


@pytest.mark.parametrize("kind", sorted(typical_pages()))
def test_the_main_text_of_a_typical_page_is_read_whole_without_its_menus(kind: str, tmp_path: Path) -> None:
    page = typical_pages()[kind]

    text = "\n".join(texts(parse("html", tmp_path, page)))

    assert marks(text, "Keep") == marks(page, "Keep")
    assert marks(text, "Drop") == set()


def test_what_its_names_call_a_menu_is_read_where_it_holds_the_text(tmp_path: Path) -> None:
    page = f"<div class='sidebar'>{FILLER}<a href='/'>Home</a></div>"

    assert "The main text" in "\n".join(texts(parse("html", tmp_path, page)))


def test_a_page_of_nothing_but_a_menu_is_read(tmp_path: Path) -> None:
    assert texts(parse("html", tmp_path, "<nav><ul><li><a href='/'>Only link</a></ul></nav>")) == ["- Only link"]
