"""Reading a document from a position on gives what reading it from the beginning gives there."""

from pathlib import Path

import pytest

from chatsphere.errors import ExtractionLimitError
from chatsphere.knowledge.extraction import Position, extract_file
from chatsphere.knowledge.extraction.pdf import parse, resume
from chatsphere.knowledge.text import Block
from tests.builders.pdf import make_pdf
from tests.unit.extraction.reading import LIMITS

PAGES = [
    "\n".join(
        [
            "Annual report of the company",
            f"# Chapter {number}" if number % 3 == 0 else f"** Section {number}",
            *(f"Sentence {line} of page {number}, which goes on to the end of the line." for line in range(12)),
            f"Page {number}",
        ]
    )
    for number in range(1, 31)
]
TEXT = "\n\n".join(f"Paragraph {number}." for number in range(20))


def read(folder: Path, name: str, data: bytes, position: Position) -> tuple[list[tuple[Position, Block]], Position]:
    """Return each block with its position, and the position of the end."""
    file = folder / "upload"
    file.write_bytes(data)
    with extract_file(file, name=name, declared_type=None, limits=LIMITS, position=position) as extraction:
        blocks = [(extraction.position, block) for block in extraction.blocks]
        return blocks, extraction.position


@pytest.mark.parametrize(("name", "data"), [("a.pdf", make_pdf(PAGES)), ("a.txt", TEXT.encode())])
def test_reading_goes_on_where_it_stopped(name: str, data: bytes, tmp_path: Path) -> None:
    # Given
    whole, end = read(tmp_path, name, data, Position())
    # When, Then
    for number in (1, len(whole) // 2, len(whole) - 1):
        assert read(tmp_path, name, data, whole[number][0]) == (whole[number:], end)
    assert read(tmp_path, name, data, end) == ([], end)


def test_the_pages_before_the_position_are_not_read_again(tmp_path: Path) -> None:
    # Given
    file = tmp_path / "a.pdf"
    file.write_bytes(make_pdf(PAGES))
    parsed = parse(file, LIMITS)
    read_so_far = []
    for block in parsed.blocks:
        if block.page == 20:
            break
        read_so_far.append(block)
    place = parsed.place()
    assert place is not None
    # When
    rest = list(resume(file, LIMITS, place).blocks)
    # Then heads that repeat, and the outline, are as if the pages had been read
    assert {block.page for block in rest} == set(range(20, 31))
    assert read_so_far + rest == list(parse(file, LIMITS).blocks)


def test_what_was_read_before_counts_as_output(tmp_path: Path) -> None:
    position = Position(None, 1, LIMITS.max_output_bytes)
    with pytest.raises(ExtractionLimitError):
        read(tmp_path, "a.txt", TEXT.encode(), position)
