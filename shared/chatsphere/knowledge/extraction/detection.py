"""Which format a file is in, from its bytes, its name and its declared type.

Reads a bounded part of the file and runs in the parent, so it parses nothing.
"""

from enum import Enum
from pathlib import PurePosixPath

from chatsphere.errors import (
    EmptyDocumentError,
    EncryptedDocumentError,
    TypeMismatchError,
    UnsupportedFormatError,
)
from chatsphere.knowledge.extraction import signatures
from chatsphere.knowledge.extraction.encodings import looks_like_text
from chatsphere.knowledge.extraction.source import Source, mapped, size_of

HEAD_BYTES = 64 * 1024
_LEAD_BYTES = 4096
_FIRST_ENTRY_BYTES = 128
_TAIL_BYTES = 4 * 1024 * 1024
_DIRECTORY_END = b"PK\x05\x06"


class Format(Enum):
    """A format that is read: its media type."""

    PDF = "application/pdf"
    DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
    XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    DOC = "application/msword"
    EPUB = "application/epub+zip"
    EML = "message/rfc822"
    HTML = "text/html"
    MARKDOWN = "text/markdown"
    JSON = "application/json"
    CSV = "text/csv"
    TEXT = "text/plain"


_ZIPPED = (Format.DOCX, Format.PPTX, Format.XLSX, Format.EPUB)
_BINARY = (Format.PDF, Format.DOC, *_ZIPPED)
_BY_EXTENSION = {
    **dict.fromkeys(("pdf",), Format.PDF),
    **dict.fromkeys(("docx", "docm", "dotx", "dotm"), Format.DOCX),
    **dict.fromkeys(("pptx", "pptm", "ppsx", "ppsm", "potx", "potm"), Format.PPTX),
    **dict.fromkeys(("xlsx", "xlsm", "xltx", "xltm"), Format.XLSX),
    **dict.fromkeys(("doc", "dot"), Format.DOC),
    "epub": Format.EPUB,
    "eml": Format.EML,
    **dict.fromkeys(("html", "htm", "xhtml"), Format.HTML),
    **dict.fromkeys(("md", "markdown", "mdown", "mkd", "mdx"), Format.MARKDOWN),
    **dict.fromkeys(("json", "jsonl", "ndjson", "geojson", "jsonld"), Format.JSON),
    **dict.fromkeys(("csv", "tsv", "tab"), Format.CSV),
    **dict.fromkeys(("txt", "text", "log", "rst", "adoc", "asciidoc", "org", "tex", "srt", "vtt"), Format.TEXT),
}
_BY_TYPE = {
    "application/xhtml+xml": Format.HTML,
    "text/x-markdown": Format.MARKDOWN,
    "text/tab-separated-values": Format.CSV,
    "application/csv": Format.CSV,
    "application/x-ndjson": Format.JSON,
    "application/jsonl": Format.JSON,
    "application/jsonlines": Format.JSON,
    "application/x-pdf": Format.PDF,
    "text/json": Format.JSON,
    "application/vnd.ms-word.document.macroenabled.12": Format.DOCX,
    "application/vnd.ms-excel.sheet.macroenabled.12": Format.XLSX,
    "application/vnd.ms-powerpoint.presentation.macroenabled.12": Format.PPTX,
    "application/vnd.openxmlformats-officedocument.presentationml.slideshow": Format.PPTX,
    **{kind.value: kind for kind in Format},
}

_ZIP_MARKS = (
    (b"word/document", Format.DOCX),
    (b"ppt/presentation", Format.PPTX),
    (b"ppt/slides/", Format.PPTX),
    (b"xl/workbook.xml", Format.XLSX),
    (b"xl/worksheets/", Format.XLSX),
    (b"mimetypeapplication/epub+zip", Format.EPUB),
    (b"META-INF/container.xml", Format.EPUB),
)


def detect(path: Source, *, name: str, declared_type: str | None) -> Format:
    """Return the file's format.

    Raises:
        EmptyDocumentError: the file has no bytes.
        TypeMismatchError: the bytes are not what the name or the declared type says.
        UnsupportedFormatError: the format is not read; the detail names it where it can be told.
        EncryptedDocumentError: an Office file behind a password.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if not head:
        raise EmptyDocumentError
    extension = PurePosixPath(name).suffix[1:].lower()
    claims = _claims(extension, declared_type)
    found = _from_bytes(path, head, claims)
    if found is None:
        return _text_format(head, extension, claims)
    for claim in claims:
        if claim != found:
            raise TypeMismatchError(f"The file is {_label(found)}, not {_label(claim)}.")
    return _supported(found)


def _claims(extension: str, declared_type: str | None) -> list[Format | str]:
    """What the name and the declared type say the file is: a format that is read, or a known one's label.

    A text format's declared type adds nothing to a known extension: browsers and `aws s3 cp` guess it.
    """
    declared = (declared_type or "").partition(";")[0].strip().lower()
    by_name: Format | str | None = _BY_EXTENSION.get(extension) or signatures.EXTENSIONS.get(extension)
    by_type: Format | str | None = _BY_TYPE.get(declared) or signatures.media_type_label(declared)
    if by_name and by_type and _is_text(by_name) and _is_text(by_type):
        by_type = None
    return [claim for claim in (by_name, by_type) if claim]


def _is_text(claim: Format | str) -> bool:
    return (isinstance(claim, Format) and claim not in _BINARY) or claim in signatures.TEXTUAL


def _from_bytes(path: Source, head: bytes, claims: list[Format | str]) -> Format | str | None:
    """The format that the bytes show beyond doubt; None for text and for what is unknown."""
    if head.startswith(b"%PDF-") or (Format.PDF in claims and b"%PDF-" in head[:1024]):
        return Format.PDF
    if head.startswith(b"PK\x03\x04"):
        return _zip_kind(path, claims)
    if head.startswith(signatures.OLE):
        return _ole_kind(path)
    return signatures.binary_label(head)


def _zip_kind(path: Source, claims: list[Format | str]) -> Format | str:
    """Which zip container it is, by the names in its directory; a broken one is what it claims to be."""
    names, whole = _zip_names(path)
    names = names.replace(b"\\", b"/")
    for mark, name in _ZIP_MARKS:
        if mark in names:
            return name
    for mark, label in signatures.ZIP_MARKS:
        if mark in names:
            return label
    for claim in claims:
        if not whole and (claim in _ZIPPED or claim in signatures.ZIPPED):
            return claim
    return "a ZIP archive"


def _zip_names(path: Source) -> tuple[bytes, bool]:
    """The first entry and the directory, which name no part of a document inside this one; whether it is whole."""
    with path.open("rb") as file:
        start = file.read(_LEAD_BYTES)
        file.seek(max(0, size_of(path) - _TAIL_BYTES))
        tail = file.read(_TAIL_BYTES)
    end = tail.rfind(_DIRECTORY_END)
    if end < 0:
        return start + tail, False
    size = int.from_bytes(tail[end + 12 : end + 16], "little")
    return start[:_FIRST_ENTRY_BYTES] + tail[max(0, end - size) : end], True


def _ole_kind(path: Source) -> Format | str:
    with mapped(path) as data:
        for stream, label in signatures.OLE_STREAMS:
            if data.find(f"{stream}\0".encode("utf-16-le")) >= 0:
                if stream == "EncryptedPackage":
                    raise EncryptedDocumentError
                return Format.DOC if stream == "WordDocument" else label
    return "an OLE compound file"


def _supported(found: Format | str) -> Format:
    if isinstance(found, Format):
        return found
    raise UnsupportedFormatError(f"The file is {found}; this format is not supported.")


def _text_format(head: bytes, extension: str, claims: list[Format | str]) -> Format:
    """The format of a file whose bytes carry no signature: text of the kind that it claims to be."""
    for claim in claims:
        if not _is_text(claim):
            raise TypeMismatchError(f"The file is not {_label(claim)}.")
    if not looks_like_text(head):
        if claims:
            raise TypeMismatchError(f"The file holds binary data, not {_label(claims[0])}.")
        raise UnsupportedFormatError("The file's format is unknown.")
    if claims:
        return _supported(claims[0])
    lead = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:512].lower()
    html = not extension and lead.startswith((b"<!doctype html", b"<html"))
    return Format.HTML if html else Format.TEXT


def _label(claim: Format | str) -> str:
    return signatures.LABELS[claim.name] if isinstance(claim, Format) else claim
