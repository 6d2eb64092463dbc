"""Markdown."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from chatsphere.knowledge.extraction.markdown import heading_text
from chatsphere.knowledge.extraction.markdown import parse as parse_file
from chatsphere.knowledge.text import Block, BlockKind
from tests.unit.extraction.reading import LIMITS, parse, texts


def test_headings_of_both_kinds_make_the_path(tmp_path: Path) -> None:
    source = "# One\ntext\n\nTwo\n---\n\n### Three ###\n\nText *under* three\n\nUno\n===\n\nlast"

    blocks = parse("markdown", tmp_path, source)

    assert [block.text for block in blocks if block.kind is BlockKind.HEADING] == [
        "# One",
        "Two\n---",
        "### Three ###",
        "Uno\n===",
    ]
    assert blocks[-3].heading_path == ("One", "Two", "Three")
    assert blocks[-1].heading_path == ("Uno",)


def test_a_fence_holds_no_heading_and_stays_whole(tmp_path: Path) -> None:
    source = "````sh\n# comment\n\n```\nls\n````\nafter"

    blocks = parse("markdown", tmp_path, source)

    assert [(block.kind, block.text) for block in blocks] == [
        (BlockKind.CODE, "````sh\n# comment\n\n```\nls\n````"),
        (BlockKind.PARAGRAPH, "after"),
    ]


def test_an_open_fence_reaches_to_the_end(tmp_path: Path) -> None:
    assert texts(parse("markdown", tmp_path, "```\n# a\n\nb")) == ["```\n# a\n\nb"]


def test_tables_and_lists(tmp_path: Path) -> None:
    source = "| a | b |\n|---|--:|\n| 1 | 2 |\n\n- one\n- two\n\n  more of two\n- three\n\nend"

    blocks = parse("markdown", tmp_path, source)

    assert [block.kind for block in blocks] == [BlockKind.TABLE, BlockKind.LIST, BlockKind.PARAGRAPH]


def test_front_matter_gives_the_title_only(tmp_path: Path) -> None:
    file = tmp_path / "a.md"
    file.write_text('---\ntitle: "My page"\ntags: [a]\n---\n# Heading\n')

    parsed = parse_file(file, LIMITS)

    assert parsed.title == "My page"
    assert list(parsed.blocks) == [Block("# Heading", BlockKind.HEADING, heading_path=("Heading",))]


def test_a_rule_at_the_top_is_no_front_matter(tmp_path: Path) -> None:
    assert "Just prose here." in texts(parse("markdown", tmp_path, "---\nJust prose here.\n\n---\nmore"))[0]


def test_heading_reads_without_marks() -> None:
    assert heading_text("The **bold** `code` [link](http://x) ![img](y)") == "The bold code link img"


@given(
    st.lists(st.sampled_from(["# h", "text", "", "- a", "  b", "```", "    code", "---", "|a|", "|-|", "===", "> q"]))
)
def test_no_line_is_lost(tmp_path: Path, lines: list[str]) -> None:
    source = "start\n" + "\n".join(lines)

    kept = "\n".join(texts(parse("markdown", tmp_path, source))).split("\n")

    rules = ("---", "")
    assert [line.strip() for line in kept if line.strip() not in rules] == [
        line.strip() for line in source.split("\n") if line.strip() not in rules
    ]
