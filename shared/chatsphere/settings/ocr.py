"""Whether, and by what, the text of scanned pages is read."""

from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from chatsphere.settings.environment import Environment

Languages = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_]{3,20}(\+[A-Za-z_]{3,20}){0,9}$")]

TEXTRACT_PAGE_MICRODOLLARS: Final = 1_500
"""Amazon's list price of DetectDocumentText in us-east-1: 0.0015 USD a page, of the first million a month."""


class OcrSettings(Environment):
    """OCR of pages that have no text. Off by default: it takes seconds for a page, or costs money for it.

    `ocr_languages` are Tesseract's names, joined by `+`; Textract finds the language itself. Of one document at most
    `ocr_max_pages` are read. One page may take `ocr_page_seconds`, and counts `ocr_microdollars_per_page` against the
    organization's budget: by default what Textract's list says, and nothing of Tesseract, which runs in the function.
    """

    ocr: Literal["off", "tesseract", "textract"] = "off"
    ocr_languages: Languages = "eng"
    ocr_max_pages: int = Field(default=200, ge=1, le=5_000)
    ocr_page_seconds: float = Field(default=60.0, gt=0, le=120)
    ocr_microdollars_per_page: int | None = Field(default=None, ge=0)
    textract_endpoint: str | None = None

    @property
    def page_microdollars(self) -> int:
        """What a page that is read counts."""
        if self.ocr_microdollars_per_page is not None:
            return self.ocr_microdollars_per_page
        return TEXTRACT_PAGE_MICRODOLLARS if self.ocr == "textract" else 0
