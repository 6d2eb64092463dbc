"""Legacy DOC."""

import struct
from pathlib import Path

import pytest

from chatsphere.errors import (
    CorruptDocumentError,
    DocumentError,
    EmptyDocumentError,
    EncryptedDocumentError,
    TypeMismatchError,
    UnsupportedFormatError,
)
from chatsphere.knowledge.text import BlockKind
from tests.builders.doc import CELL, DELETED, HIDDEN, IN_TABLE, ROW_END, Para, Run, make_doc
from tests.builders.ole import make_ole
from tests.unit.extraction.reading import extract, parse, texts

SYMBOL = struct.pack("<HHH", 0x6A09, 1, 0xF06D)
SAMPLE = make_doc(["Some text.", "More of it."])


def test_headings_are_known_in_any_language_and_inherited(tmp_path: Path) -> None:
    data = make_doc([Para("Chapter", 1), "Text.", Para("Section", 2), Para("Based on two", 11), Para("Contents", 10)])

    blocks = extract(tmp_path, "a.doc", data)

    assert [(block.kind, block.heading_path, block.page) for block in blocks] == [
        (BlockKind.HEADING, ("Chapter",), None),
        (BlockKind.PARAGRAPH, ("Chapter",), None),
        (BlockKind.HEADING, ("Chapter", "Section"), None),
        (BlockKind.HEADING, ("Chapter", "Based on two"), None),
    ]


def test_tables_are_rows(tmp_path: Path) -> None:
    def cell(text: str, modifiers: bytes = IN_TABLE) -> Para:
        return Para(text, 0, modifiers, CELL)

    end = cell("", IN_TABLE + ROW_END)
    rows = [cell("a"), cell("b"), end, Para("first", 0, IN_TABLE), cell("second"), cell("2"), end]

    blocks = parse("doc", tmp_path, make_doc(["Before.", *rows, "After."]))

    assert texts(blocks) == ["Before.", "a | b\nfirst second | 2", "After."]
    assert blocks[1].kind is BlockKind.TABLE


def test_what_is_shown_is_read_and_nothing_else(tmp_path: Path) -> None:
    runs = [
        Run("Kept "),
        Run("hidden", HIDDEN),
        Run("deleted", DELETED),
        Run("page \x13 PAGEREF \x13 inner \x14x\x15 \\h \x147\x15 "),
        Run("(", SYMBOL),
        Run("g\x01\x08\x0bline\x1etwo\x1f."),
    ]

    assert texts(parse("doc", tmp_path, make_doc([Para(runs)], fonts=["Arial", "Symbol"]))) == [
        "Kept page 7 µg\nline-two."
    ]


def test_footnotes_follow_their_paragraph(tmp_path: Path) -> None:
    data = make_doc(["Claim\x02 and more.", "Next."], notes={5: "See there."})

    assert texts(parse("doc", tmp_path, data)) == ["Claim[1] and more.", "[1] See there.", "Next."]


def test_a_mark_without_a_note_is_no_text(tmp_path: Path) -> None:
    assert texts(parse("doc", tmp_path, make_doc(["Claim\x02."]))) == ["Claim."]


@pytest.mark.parametrize("text", ["Привет, мир", "日本語の文書", "שלום", "emoji 😀 kept", "naïve – “quoted” €"])
def test_any_alphabet(text: str, tmp_path: Path) -> None:
    assert texts(parse("doc", tmp_path, make_doc([text, "end"]))) == [text, "end"]


def test_positions_count_halves_of_characters(tmp_path: Path) -> None:
    data = make_doc([Para([Run("x 😀 "), Run("hidden", HIDDEN), Run("\x13 PAGE \x14end\x15")])])

    assert texts(parse("doc", tmp_path, data)) == ["x 😀 end"]


def test_one_byte_a_character_is_code_page_1252(tmp_path: Path) -> None:
    data = make_doc(["“naïve” – 5 €", "end"], compressed=True)

    assert texts(parse("doc", tmp_path, data)) == ["“naïve” – 5 €", "end"]


def test_a_fast_save_stores_pieces_in_another_order(tmp_path: Path) -> None:
    data = make_doc([Para("Chapter", 1), "Second.", "Third."], split_at=8)

    blocks = parse("doc", tmp_path, data)

    assert texts(blocks) == ["Chapter", "Second.", "Third."]
    assert blocks[0].kind is BlockKind.HEADING


def test_many_paragraphs(tmp_path: Path) -> None:
    blocks = parse("doc", tmp_path, make_doc([f"Paragraph {number}." for number in range(500)]))

    assert texts(blocks) == [f"Paragraph {number}." for number in range(500)]


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (make_doc(["x"], flags=0x0100), EncryptedDocumentError),
        (make_doc(["x"], flags=0x8100), EncryptedDocumentError),
        (make_doc(["x"], version=0x0065), UnsupportedFormatError),
        (make_doc([""]), EmptyDocumentError),
        (SAMPLE[: len(SAMPLE) // 2], CorruptDocumentError),
        (SAMPLE[:600] + bytes(len(SAMPLE) - 600), TypeMismatchError),
        (make_ole({"WordDocument": b"\xec\xa5\xc1\x00"}), CorruptDocumentError),
        (make_ole({"WordDocument": b"\xff" * 4096, "1Table": b"\xff" * 4096, "0Table": b""}), EncryptedDocumentError),
        (make_ole({"Workbook": b"x"}), TypeMismatchError),
    ],
    ids=["encrypted", "obfuscated", "word-95", "empty", "truncated", "no-directory", "no-table", "garbage", "xls"],
)
def test_unreadable(data: bytes, error: type[Exception], tmp_path: Path) -> None:
    with pytest.raises(error):
        extract(tmp_path, "a.doc", data)


def test_damage_anywhere_ends_with_a_documents_error(tmp_path: Path) -> None:
    """Every sector in turn is overwritten: text or a `DocumentError`, never another error or an endless loop."""
    for start in range(0, len(SAMPLE), 512):
        for fill in (b"\0", b"\xff", b"\x07"):
            damaged = SAMPLE[:start] + fill * 512 + SAMPLE[start + 512 :]
            try:
                parse("doc", tmp_path, damaged)
            except DocumentError:
                continue
