"""Pages of a PDF that show their text as a picture: which they are, and how they are drawn for OCR."""

import struct
import zlib
from typing import Final

import pypdfium2  # type: ignore[import-untyped]
import pypdfium2.raw as pdfium  # type: ignore[import-untyped]

from chatsphere.knowledge.extraction.protocol import MAX_IMAGE_BYTES

_MAX_PIXELS: Final = 20_000_000
_SMALLER: Final = 0.7
_FEW_CHARS: Final = 60
"""What a scanner's or an archive's stamp adds to a page, at most."""
_LARGE_SHARE: Final = 0.5
_MAX_NESTING: Final = 3


def is_scan(page: pypdfium2.PdfPage, chars: int) -> bool:
    """Whether a page with this many characters of text shows more as a picture."""
    if chars > _FEW_CHARS:
        return False
    if not chars:
        return bool(pdfium.FPDFPage_CountObjects(page))
    area = page.get_width() * page.get_height()
    return any(_covered(image) >= _LARGE_SHARE * area for image in _images(page))


def render_png(document: pypdfium2.PdfDocument, number: int, dpi: int) -> bytes:
    """Draw a page in shades of grey, so finely or as finely as the largest picture allows."""
    page = document[number]
    try:
        area = max(page.get_width() * page.get_height(), 1.0)
        scale = min(dpi / 72, (_MAX_PIXELS / area) ** 0.5)
        while len(image := _png(page, scale)) > MAX_IMAGE_BYTES:
            scale *= _SMALLER
        return image
    finally:
        page.close()


def _images(page: pypdfium2.PdfPage) -> list[pypdfium2.PdfObject]:
    return list(page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE], max_depth=_MAX_NESTING))


def _covered(image: pypdfium2.PdfObject) -> float:
    try:
        left, bottom, right, top = image.get_bounds()
    except pypdfium2.PdfiumError:
        return 0.0
    return float(abs((right - left) * (top - bottom)))


def _png(page: pypdfium2.PdfPage, scale: float) -> bytes:
    """Encode as an 8-bit greyscale PNG (RFC 2083), its lines unfiltered."""
    bitmap = page.render(scale=scale, grayscale=True, may_draw_forms=False)
    try:
        width, height, stride = bitmap.width, bitmap.height, bitmap.stride
        packer = zlib.compressobj(6)
        data = memoryview(bitmap.buffer).cast("B")
        packed = [packer.compress(b"\x00" + data[row * stride : row * stride + width]) for row in range(height)]
        body = b"".join([*packed, packer.flush()])
    finally:
        bitmap.close()
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
