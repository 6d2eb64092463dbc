"""Plain text, and what every format shares: no block is empty, oversized or unstorable."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatsphere.errors import EmptyDocumentError
from chatsphere.knowledge.extraction.parsed import MAX_BLOCK_CHARS, Outline, finish
from chatsphere.knowledge.text import Block
from tests.unit.extraction.reading import extract, parse, texts


def test_blank_lines_part_paragraphs(tmp_path: Path) -> None:
    blocks = parse("plain_text", tmp_path, "one\r\nstill one\r\n \r\n\r\n  two\r\n")

    assert texts(blocks) == ["one\nstill one", "  two"]


def test_a_line_without_end_is_cut_and_not_lost(tmp_path: Path) -> None:
    blocks = parse("plain_text", tmp_path, "x" * 100_000)

    assert sum(len(block.text.replace("\n", "")) for block in blocks) == 100_000
    assert max(len(block.text) for block in blocks) <= MAX_BLOCK_CHARS


def test_nul_and_controls_are_removed(tmp_path: Path) -> None:
    (block,) = parse("plain_text", tmp_path, b"a\0b\x07c\tTab \xef\xbf\xbf d")

    assert block.text == "abc\tTab  d"


@pytest.mark.parametrize("data", ["   \n\t\n ", "\ufeff", "\0\0 \n" + "\n" * 400])
def test_only_white_space_is_empty(data: str, tmp_path: Path) -> None:
    with pytest.raises(EmptyDocumentError):
        extract(tmp_path, "a.txt", data)


@given(st.lists(st.text(max_size=50) | st.just("word " * 10_000) | st.just("\ud800\x00")))
def test_finished_blocks_can_be_stored(source: list[str]) -> None:
    for block in finish(Block(text) for text in source):
        assert block.text.strip()
        assert len(block.text) <= MAX_BLOCK_CHARS
        assert "\0" not in block.text
        block.text.encode()


def test_outline_closes_headings_of_the_same_and_deeper_levels() -> None:
    outline = Outline()

    paths = [outline.enter(level, title) for level, title in [(1, "A"), (2, "B"), (3, "C"), (2, "D"), (1, "E")]]

    assert paths == [("A",), ("A", "B"), ("A", "B", "C"), ("A", "D"), ("E",)]
