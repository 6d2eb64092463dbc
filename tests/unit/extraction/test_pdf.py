"""PDF."""

from dataclasses import replace
from pathlib import Path

import pytest

from chatsphere.errors import (
    CorruptDocumentError,
    DocumentTooLargeError,
    EmptyDocumentError,
    EncryptedDocumentError,
    ExtractionLimitError,
    NoTextLayerError,
)
from chatsphere.knowledge.extraction import extract_file
from chatsphere.knowledge.extraction.pdf import sample_pages
from chatsphere.knowledge.text import BlockKind
from tests.builders.pdf import make_drawing_pdf, make_flate_bomb, make_pdf, make_raw_pdf
from tests.unit.extraction.reading import LIMITS, extract, memory_limit, more_than_here, parse, texts

LONG = "This line is long enough to reach the right edge of the column here"


def test_text_has_its_page(tmp_path: Path) -> None:
    blocks = extract(tmp_path, "a.pdf", make_pdf(["First page.", "", "Third page."]))

    assert [(block.text, block.page) for block in blocks] == [("First page.", 1), ("Third page.", 3)]


def test_page_count_and_title_are_known_at_once(tmp_path: Path) -> None:
    file = tmp_path / "upload"
    file.write_bytes(make_pdf(["a", "b"], title="The (title)"))

    with extract_file(file, name="a.pdf", declared_type=None, limits=LIMITS) as extraction:
        assert (extraction.page_count, extraction.title, extraction.media_type) == (
            2,
            "The (title)",
            "application/pdf",
        )


def test_wrapped_lines_are_joined_and_short_ones_kept(tmp_path: Path) -> None:
    page = f"{LONG}\n{LONG} and\nends here.\n\nName Age\nAnna 30\nBerta 25"

    blocks = parse("pdf", tmp_path, make_pdf([page]))

    assert f"{LONG} {LONG} and\nends here." in texts(blocks)[0] or f"{LONG} {LONG} and ends here." in texts(blocks)[0]
    assert "Anna 30\nBerta 25" in texts(blocks)[-1]


def test_headings_are_found_by_size_and_by_bold_face(tmp_path: Path) -> None:
    pages = [f"# Manual\n{LONG}.\n\n** Safety\n{LONG}.\n{LONG}."]

    blocks = parse("pdf", tmp_path, make_pdf(pages))

    assert [block.heading_path for block in blocks if block.kind is BlockKind.HEADING] == [
        ("Manual",),
        ("Manual", "Safety"),
    ]
    assert blocks[-1].heading_path == ("Manual", "Safety")


def test_running_heads_and_page_numbers_are_dropped_but_said_once(tmp_path: Path) -> None:
    pages = [f"Annual report 2020\n{LONG} {number}.\nSome other text.\nAnd more.\n{number}" for number in range(1, 9)]

    blocks = parse("pdf", tmp_path, make_pdf(pages))
    text = "\n".join(texts(blocks))

    assert text.count("Annual report 2020") == 1
    assert not any(block.text == str(number) for number, block in enumerate(blocks))
    assert all(f"{LONG} {number}." in text for number in range(1, 9))


def test_a_line_that_tells_pages_apart_is_kept(tmp_path: Path) -> None:
    """A mailing: the customer's number stands at the same place of each page, and is what one asks for."""
    numbers = [4711, 815, 2342, 99, 1234, 77]
    pages = [f"Customer {number}\n{LONG}.\nPlease pay.\nThank you.\nYours." for number in numbers]

    text = "\n".join(texts(parse("pdf", tmp_path, make_pdf(pages))))

    assert all(f"Customer {number}" in text for number in numbers)


def test_a_forbidden_copy_is_read(tmp_path: Path) -> None:
    assert texts(extract(tmp_path, "a.pdf", make_pdf(["Readable."], owner_password="owner"))) == ["Readable."]


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (make_pdf(["x"], user_password="secret"), EncryptedDocumentError),
        (make_drawing_pdf(3), NoTextLayerError),
        (make_raw_pdf([b""]), EmptyDocumentError),
        (make_pdf(["x"])[:200], CorruptDocumentError),
        (b"%PDF-1.7\n" + bytes(range(256)) * 50, CorruptDocumentError),
    ],
    ids=["encrypted", "scan", "blank", "truncated", "garbage"],
)
def test_unreadable(data: bytes, error: type[Exception], tmp_path: Path) -> None:
    with pytest.raises(error):
        extract(tmp_path, "a.pdf", data)


def test_flate_bomb_is_stopped(tmp_path: Path) -> None:
    with pytest.raises(ExtractionLimitError):
        extract(tmp_path, "a.pdf", make_flate_bomb(more_than_here(600)), limits=memory_limit(400))


def test_too_many_pages(tmp_path: Path) -> None:
    with pytest.raises(DocumentTooLargeError):
        extract(tmp_path, "a.pdf", make_pdf(["x"] * 5), limits=replace(LIMITS, max_pages=4))


@pytest.mark.parametrize("count", [1, 24, 25, 30, 1000])
def test_sampled_pages_exist(count: int) -> None:
    pages = sample_pages(count)

    assert pages == sorted(set(pages))
    assert pages[0] == 0
    assert pages[-1] < count
    assert len(pages) <= 24


def test_a_file_that_is_cut_off_within_its_page_is_corrupt(tmp_path: Path) -> None:
    data = make_pdf(["x"])
    cut = data.index(b"stream\n")

    with pytest.raises(CorruptDocumentError):
        extract(tmp_path, "a.pdf", data[:cut])
