"""PDF: tables keep their rows together, and columns of prose are read one after the other."""

from collections.abc import Sequence
from pathlib import Path

from chatsphere.knowledge.text import Block, BlockKind
from tests.builders.pdf import make_pdf, make_placed_pdf
from tests.unit.extraction.reading import parse, texts

LEFT = [
    "The first column of this page holds some",
    "text which goes on for a few lines and is",
    "then ended by a full stop here at last. So",
    "it can be told from the second one of it.",
]
RIGHT = [
    "The second column is about other matters,",
    "namely how the columns are parted by text",
    "readers that look for gaps in the layout of",
    "pages which have two of them as this one.",
]
JOINED = [" ".join(LEFT), " ".join(RIGHT)]


def read(
    folder: Path, rows: Sequence[Sequence[str]], step: float = 16, columns: Sequence[float] = (72, 220, 370)
) -> list[Block]:
    places = [
        (columns[column], 700 - step * row, text)
        for row, cells in enumerate(rows)
        for column, text in enumerate(cells)
        if text
    ]
    return parse("pdf", folder, make_placed_pdf(places))


def test_the_cells_of_a_row_stand_on_one_line(tmp_path: Path) -> None:
    rows = [("Item", "Price", "Stock"), ("Green tea", "2.50", "14"), ("Black coffee with milk", "3.10", "7")]

    (block,) = read(tmp_path, rows)

    assert block.kind is BlockKind.TABLE
    assert block.text == "Item | Price | Stock\nGreen tea | 2.50 | 14\nBlack coffee with milk | 3.10 | 7"


def test_an_empty_cell_keeps_its_place(tmp_path: Path) -> None:
    assert texts(read(tmp_path, [("Item", "Price", "Stock"), ("Tea", "2.50", "14"), ("Cake", "", "2")])) == [
        "Item | Price | Stock\nTea | 2.50 | 14\nCake |  | 2"
    ]


def test_the_lines_of_a_wrapped_cell_are_joined(tmp_path: Path) -> None:
    rows = [
        ("Name", "Notes", "Date"),
        ("Anna", "likes tea and", "2020"),
        ("", "also cake", ""),
        ("Bo", "coffee", "2021"),
    ]

    assert texts(read(tmp_path, rows)) == [
        "Name | Notes | Date\nAnna | likes tea and also cake | 2020\nBo | coffee | 2021"
    ]


def test_the_lines_of_a_wrapped_last_cell_are_joined(tmp_path: Path) -> None:
    rows = [("Name", "Notes"), ("Anna", "likes tea and"), ("", "also cake and"), ("", "biscuits")]

    assert texts(read(tmp_path, rows)) == ["Name | Notes\nAnna | likes tea and also cake and biscuits"]


def test_text_around_a_table_is_none_of_it(tmp_path: Path) -> None:
    rows = [
        ("A line of text in front of the table.",),
        ("Tea", "2.50"),
        ("Cake", "3.00"),
        ("And a line of text behind it.",),
    ]

    assert [(block.kind, block.text) for block in read(tmp_path, rows)] == [
        (BlockKind.PARAGRAPH, "A line of text in front of the table."),
        (BlockKind.TABLE, "Tea | 2.50\nCake | 3.00"),
        (BlockKind.PARAGRAPH, "And a line of text behind it."),
    ]


def test_a_single_line_with_a_gap_is_no_table(tmp_path: Path) -> None:
    assert [(block.kind, block.text) for block in read(tmp_path, [("Bern, 1 May", "", "Signature")])] == [
        (BlockKind.PARAGRAPH, "Bern, 1 May Signature")
    ]


def test_the_marks_of_a_list_are_no_column(tmp_path: Path) -> None:
    rows = [("1.", "The first point"), ("2.", "The second point"), ("3.", "The third point")]

    assert all(block.kind is BlockKind.PARAGRAPH for block in read(tmp_path, rows, columns=(72, 100)))


def test_columns_are_read_one_after_the_other_however_they_were_written(tmp_path: Path) -> None:
    by_row = [pair for row in zip(LEFT, RIGHT, strict=True) for pair in zip((72, 320), row, strict=True)]
    interleaved = [(x, 700 - 14 * (number // 2), text) for number, (x, text) in enumerate(by_row)]
    one_by_one = sorted(interleaved, key=lambda place: place[0])

    assert texts(parse("pdf", tmp_path, make_placed_pdf(interleaved))) == JOINED
    assert texts(parse("pdf", tmp_path, make_placed_pdf(one_by_one))) == JOINED


def test_a_word_broken_at_the_end_of_a_columns_line_is_joined(tmp_path: Path) -> None:
    left = [*LEFT[:3], "it is told from the other column by a hy-", "phen that stands at the end of its line so."]
    right = [*RIGHT, "And a fifth line is needed here as well it"]
    places = [
        (x, 700 - 14 * number, text)
        for number, row in enumerate(zip(left, right, strict=True))
        for x, text in zip((72, 320), row, strict=True)
    ]

    assert "by a hyphen that" in texts(parse("pdf", tmp_path, make_placed_pdf(places)))[0]


def test_plain_pages_have_no_tables(tmp_path: Path) -> None:
    page = "\n".join(f"Line {number} of a page of text that has words of many lengths in it" for number in range(30))

    assert {block.kind for block in parse("pdf", tmp_path, make_pdf([page]))} == {BlockKind.PARAGRAPH}
