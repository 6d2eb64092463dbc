"""Pages that show their text as pictures, read by the OCR port while the caller's lease is kept alive."""

import re
import struct
import threading
from collections.abc import Callable
from typing import Final

from chatsphere.errors import CorruptDocumentError, DocumentError, ExtractionLimitError
from chatsphere.knowledge.extraction.parsed import clean
from chatsphere.knowledge.extraction.protocol import MAX_IMAGE_BYTES, MAX_IMAGE_PIXELS, ImagePiece, ScannedPage
from chatsphere.knowledge.text import Block
from chatsphere.ports.ocr import Ocr

_PROGRESS_SECONDS: Final = 1.0
_MAX_CHARS: Final = 100_000
_MAX_OVERDUE: Final = 2
"""After so many pages that were not read in time the rest is not tried: the extraction's own time would run out."""
_PNG_START: Final = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
_GREY: Final = b"\x08\x00\x00\x00\x00"
_HYPHENATED: Final = re.compile(r"(?<=[^\W\d_])[-\u00ad\u2010]\n(?=[^\W\d_A-Z])")
_GAPS: Final = re.compile(r"\n\s*\n\s*")


class Recognizer:
    """Reads the pictures that the child sends, of so many `pages` at most. `unread` counts the pages whose text nobody
    could read.
    """

    def __init__(self, ocr: Ocr | None, on_progress: Callable[[], None], pages: int) -> None:
        self._ocr = ocr
        self._on_progress = on_progress
        self._left = pages
        self._pieces: list[bytes] = []
        self._size = 0
        self._overdue = 0
        self.unread = 0

    def add(self, piece: ImagePiece) -> None:
        """Take a part of the next page's picture.

        Raises:
            CorruptDocumentError: nobody asked for it, or it is larger than a picture may be.
        """
        self._size += len(piece.data)
        if self._ocr is None or self._size > MAX_IMAGE_BYTES:
            raise CorruptDocumentError
        self._pieces.append(piece.data)

    def page(self, scanned: ScannedPage) -> Block | None:
        """Return the page's text as one block; None if it has none, or cannot be read.

        Raises:
            CorruptDocumentError: the picture is none as the child draws them, or one too many.
            UnavailableError: the OCR engine does not answer.
        """
        image, self._pieces, self._size = b"".join(self._pieces), [], 0
        self._left -= bool(image)
        if self._left < 0 or (image and not _is_page_picture(image)):
            raise CorruptDocumentError
        text = ""
        if image and self._ocr is not None and self._overdue < _MAX_OVERDUE:
            try:
                text = _tidy(_in_background(self._ocr, image, self._on_progress))
            except DocumentError as error:  # this page only
                self.unread += 1
                self._overdue += isinstance(error, ExtractionLimitError)
        else:
            self.unread += 1
        return Block(text, page=scanned.page, heading_path=scanned.heading_path) if text else None


def _is_page_picture(image: bytes) -> bool:
    """Whether this is a grey PNG of a page's size.

    Engines read far more, and a child that was taken over may send it: Tesseract takes text for a list of files.
    """
    if not image.startswith(_PNG_START) or image[24:29] != _GREY:
        return False
    width, height = struct.unpack(">II", image[16:24])
    return bool(0 < width * height <= MAX_IMAGE_PIXELS)


def _in_background(ocr: Ocr, image: bytes, on_progress: Callable[[], None]) -> str:
    """Read in a thread and report progress meanwhile; what that raises leaves the thread to its time limit."""
    answers: list[str] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            answers.append(ocr.read(image))
        except BaseException as error:  # raised again in the caller's thread
            errors.append(error)

    thread = threading.Thread(target=work, name="ocr", daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(_PROGRESS_SECONDS)
        on_progress()
    if errors:
        raise errors[0]
    return answers[0]


def _tidy(raw: str) -> str:
    """Join words that were broken at a line's end, and part paragraphs by one blank line."""
    joined = _HYPHENATED.sub("", clean(raw[:_MAX_CHARS]))
    return _GAPS.sub("\n\n", "\n".join(line.rstrip() for line in joined.split("\n"))).strip()
