"""Whether, and by what, the text of scanned pages is read."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from chatsphere.settings.environment import Environment

Languages = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_]{3,20}(\+[A-Za-z_]{3,20}){0,9}$")]


class OcrSettings(Environment):
    """OCR of pages that have no text. Off by default: it takes seconds for a page, or costs money for it.

    `ocr_languages` are Tesseract's names, joined by `+`; Textract finds the language itself. Of one document at most
    `ocr_max_pages` are read. One page may take `ocr_page_seconds`.
    """

    ocr: Literal["off", "tesseract", "textract"] = "off"
    ocr_languages: Languages = "eng"
    ocr_max_pages: int = Field(default=200, ge=1, le=5_000)
    ocr_page_seconds: float = Field(default=60.0, gt=0, le=120)
    textract_endpoint: str | None = None
