"""Pages whose text is a picture: told, drawn, and read by the OCR port in their place among the others."""

import struct
import threading
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from chatsphere.billing.budgets import Spending
from chatsphere.billing.work import WorkOverBudgetError
from chatsphere.errors import (
    CorruptDocumentError,
    DocumentError,
    ExtractionLimitError,
    NoTextLayerError,
    UnavailableError,
)
from chatsphere.knowledge.extraction import Extraction, Position, extract_file, recognition
from chatsphere.knowledge.extraction.protocol import MAX_IMAGE_BYTES, ImagePiece, ScannedPage
from tests.builders.eml import make_mail
from tests.builders.pdf import make_drawing_pdf, make_pdf, make_raw_pdf, make_scan_pdf
from tests.unit.extraction.reading import LIMITS

TEXT_PAGE = (
    b"BT /F1 11 Tf 72 700 Td (This page has a text layer of its own, which is long enough to be its text.) Tj ET"
)
SCAN_PAGE = b"q 612 0 0 792 0 0 cm BI /W 2 /H 2 /CS /G /BPC 8 ID \x40\xff\xff\x40 EI Q"
MIXED = make_raw_pdf([TEXT_PAGE, SCAN_PAGE, TEXT_PAGE, SCAN_PAGE, SCAN_PAGE])


@dataclass
class SayNumbers:
    """An OCR engine that answers each picture with its number."""

    engine: str = "numbers"
    images: list[bytes] = field(default_factory=list)
    answer: Callable[[int], str] = "picture {}".format

    def read(self, image: bytes) -> str:
        self.images.append(image)
        return self.answer(len(self.images))


def open_pdf(
    folder: Path, data: bytes, ocr: SayNumbers | None, pages: int = 10, position: Position | None = None
) -> Extraction:
    file = folder / "upload"
    file.write_bytes(data)
    limits = replace(LIMITS, ocr_pages=pages, ocr_dpi=36)
    return extract_file(file, name="a.pdf", declared_type=None, limits=limits, ocr=ocr, position=position or Position())


def read(
    folder: Path, data: bytes, ocr: SayNumbers | None, pages: int = 10
) -> tuple[list[tuple[int | None, str]], int]:
    with open_pdf(folder, data, ocr, pages) as extraction:
        found = [(block.page, block.text[:12]) for block in extraction.blocks]
        return found, extraction.unread_pages


def test_scanned_pages_are_read_in_their_place(tmp_path: Path) -> None:
    assert read(tmp_path, MIXED, SayNumbers()) == (
        [(1, "This page ha"), (2, "picture 1"), (3, "This page ha"), (4, "picture 2"), (5, "picture 3")],
        0,
    )


def test_without_ocr_the_text_pages_are_read_and_the_others_counted(tmp_path: Path) -> None:
    assert read(tmp_path, MIXED, None) == ([(1, "This page ha"), (3, "This page ha")], 3)


def test_no_more_pages_are_sent_than_allowed(tmp_path: Path) -> None:
    found, unread = read(tmp_path, MIXED, SayNumbers(), pages=1)

    assert [page for page, _ in found] == [1, 2, 3]
    assert unread == 2


def test_a_stamp_on_a_scan_is_no_text_layer(tmp_path: Path) -> None:
    assert read(tmp_path, make_scan_pdf(["Page 1 of 2", "Page 2 of 2"]), SayNumbers())[0] == [
        (1, "picture 1"),
        (2, "picture 2"),
    ]


def test_a_page_of_few_words_without_a_picture_is_no_scan(tmp_path: Path) -> None:
    engine = SayNumbers()

    assert read(tmp_path, make_pdf(["Chapter 1", ""]), engine)[0] == [(1, "Chapter 1")]
    assert engine.images == []


@pytest.mark.parametrize("engine", [None, SayNumbers(answer=lambda _: " \n\x0c")], ids=["off", "finds nothing"])
def test_a_scan_without_text_says_so(engine: SayNumbers | None, tmp_path: Path) -> None:
    with open_pdf(tmp_path, make_drawing_pdf(2), engine) as extraction, pytest.raises(NoTextLayerError):
        list(extraction.blocks)


def test_reading_goes_on_after_pages_that_were_read_by_ocr(tmp_path: Path) -> None:
    with open_pdf(tmp_path, MIXED, SayNumbers()) as extraction:
        for block in extraction.blocks:
            if block.page == 4:
                break
        position = extraction.position
    engine = SayNumbers()

    with open_pdf(tmp_path, MIXED, engine, pages=2, position=position) as rest:
        assert [(block.page, block.text) for block in rest.blocks] == [(4, "picture 1")]
        assert rest.unread_pages == 1  # the first part's page counts, too


def test_reading_goes_on_at_the_page_that_costs_too_much(tmp_path: Path) -> None:
    def refuse_the_second(number: int) -> str:
        if number == 2:
            raise WorkOverBudgetError("There is no room.", Spending(0, 1))
        return f"picture {number}"

    with (
        open_pdf(tmp_path, MIXED, SayNumbers(answer=refuse_the_second)) as extraction,
        pytest.raises(WorkOverBudgetError),
    ):
        list(extraction.blocks)

    with open_pdf(tmp_path, MIXED, SayNumbers(), position=extraction.position) as rest:
        assert [block.page for block in rest.blocks] == [4, 5]


def test_the_picture_is_a_png_of_the_page(tmp_path: Path) -> None:
    engine = SayNumbers()
    read(tmp_path, make_drawing_pdf(), engine)

    (image,) = engine.images
    width, height, depth, colour = struct.unpack(">IIBB", image[16:26])
    start = image.index(b"IDAT") + 4
    pixels = zlib.decompress(image[start:])

    assert image.startswith(b"\x89PNG\r\n\x1a\n")
    assert (width, height, depth, colour) == (306, 396, 8, 0)
    assert len(pixels) == height * (width + 1)
    assert {128, 255} <= set(pixels[1 + (width + 1) * 300 : (width + 1) * 301])  # the grey rectangle on white


def _fail(kind: type[Exception]) -> Callable[[int], str]:
    def answer(number: int) -> str:
        if number == 1:
            raise kind
        return f"picture {number}"

    return answer


def test_a_page_that_cannot_be_read_costs_that_page_only(tmp_path: Path) -> None:
    found, unread = read(tmp_path, MIXED, SayNumbers(answer=_fail(CorruptDocumentError)))

    assert [page for page, _ in found] == [1, 3, 4, 5]
    assert unread == 1


def test_an_engine_that_does_not_answer_is_no_fault_of_the_document(tmp_path: Path) -> None:
    with (
        open_pdf(tmp_path, MIXED, SayNumbers(answer=_fail(UnavailableError))) as extraction,
        pytest.raises(UnavailableError),
    ):
        list(extraction.blocks)


def test_progress_is_reported_while_a_page_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recognition, "_PROGRESS_SECONDS", 0.001)
    enough = threading.Event()
    calls: list[int] = []

    def report() -> None:
        calls.append(1)
        if len(calls) == 3:
            enough.set()

    engine = SayNumbers(answer=lambda _: "read" if enough.wait(30) else "given up")

    assert recognition._in_background(engine, b"image", report) == "read"


def test_a_picture_that_nobody_asked_for_or_that_is_too_large_is_refused() -> None:
    piece = ImagePiece(b"x" * MAX_IMAGE_BYTES)
    with pytest.raises(DocumentError):
        recognition.Recognizer(None, lambda: None, 1).add(piece)
    reader = recognition.Recognizer(SayNumbers(), lambda: None, 1)
    reader.add(piece)
    with pytest.raises(DocumentError):
        reader.add(ImagePiece(b"x"))


@pytest.mark.parametrize(
    "image",
    [
        b"/etc/passwd\n",
        b"II*\x00",
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + struct.pack(">IIBBBBB", 10_000, 10_000, 8, 0, 0, 0, 0),
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + struct.pack(">IIBBBBB", 10, 10, 16, 6, 0, 0, 0),
    ],
    ids=["names of files", "another format", "too large", "in colours"],
)
def test_what_the_child_does_not_draw_reaches_no_engine(image: bytes) -> None:
    engine = SayNumbers()
    reader = recognition.Recognizer(engine, lambda: None, 1)
    reader.add(ImagePiece(image))

    with pytest.raises(CorruptDocumentError):
        reader.page(ScannedPage(1, ()))

    assert engine.images == []


def test_a_child_that_sends_more_pictures_than_asked_for_is_not_believed(tmp_path: Path) -> None:
    engine = SayNumbers()
    read(tmp_path, make_drawing_pdf(), engine)
    reader = recognition.Recognizer(engine, lambda: None, 1)
    reader.add(ImagePiece(engine.images[0]))
    assert reader.page(ScannedPage(1, ())) is not None
    reader.add(ImagePiece(engine.images[0]))

    with pytest.raises(CorruptDocumentError):
        reader.page(ScannedPage(2, ()))


def test_pages_of_all_attachments_of_a_mail_count_together(tmp_path: Path) -> None:
    mail = make_mail(attachments={f"{number}.pdf": make_scan_pdf(["", ""]) for number in range(3)})
    engine = SayNumbers()
    limits = replace(LIMITS, ocr_pages=3, ocr_dpi=36)
    file = tmp_path / "upload"
    file.write_bytes(mail.as_bytes())

    with extract_file(file, name="a.eml", declared_type=None, limits=limits, ocr=engine) as extraction:
        list(extraction.blocks)
        assert extraction.unread_pages == 3

    assert len(engine.images) == 3


def test_words_broken_at_a_lines_end_are_joined() -> None:
    assert recognition._tidy("An exam-\nple of\n\n \nNord-\nSüd \x0c") == "An example of\n\nNord-\nSüd"


def test_after_two_pages_that_take_too_long_the_rest_is_not_tried(tmp_path: Path) -> None:
    def too_long(_number: int) -> str:
        raise ExtractionLimitError

    engine = SayNumbers(answer=too_long)

    assert read(tmp_path, MIXED, engine)[1] == 3
    assert len(engine.images) == 2
