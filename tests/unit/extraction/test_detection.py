"""Which format a file is taken for, and which error a wrong one gets."""

from pathlib import Path

import pytest

from chatsphere.errors import (
    DocumentError,
    EmptyDocumentError,
    EncryptedDocumentError,
    TypeMismatchError,
    UnsupportedFormatError,
)
from chatsphere.knowledge.extraction.detection import Format, detect
from tests.builders.docx import make_docx, make_zip
from tests.builders.pdf import make_pdf

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
PPTX = make_zip({"ppt/presentation.xml": "<p/>"})
XLSX = make_zip({"xl/workbook.xml": "<p/>"})
WORD = OLE + "WordDocument\0".encode("utf-16-le")
EPUB = make_zip({"mimetype": "application/epub+zip"})


def find(folder: Path, data: bytes | str, name: str, declared: str | None = None) -> Format:
    file = folder / "upload"
    file.write_bytes(data.encode() if isinstance(data, str) else data)
    return detect(file, name=name, declared_type=declared)


@pytest.mark.parametrize(
    ("data", "name", "declared", "expected"),
    [
        (make_pdf(["x"]), "a.pdf", None, Format.PDF),
        (make_pdf(["x"]), "a", "application/octet-stream", Format.PDF),
        (b"\n\n" + make_pdf(["x"]), "A.PDF", "application/pdf", Format.PDF),
        (make_docx(["x"]), "a.docx", None, Format.DOCX),
        (make_docx(["x"]), "no-extension", None, Format.DOCX),
        (make_docx(["x"])[:200], "broken.docx", None, Format.DOCX),
        (PPTX, "a.pptx", None, Format.PPTX),
        (PPTX[:80], "broken.pptx", None, Format.PPTX),
        (XLSX, "a.xlsm", None, Format.XLSX),
        (XLSX, "a", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", Format.XLSX),
        (make_zip({"xl/workbook.xml": "<p/>", "mimetype": make_docx(["inside"])}), "a.xlsx", None, Format.XLSX),
        (WORD, "a.doc", None, Format.DOC),
        (WORD + "Workbook\0".encode("utf-16-le"), "a", "application/msword", Format.DOC),
        ("# x", "a.md", "text/plain", Format.MARKDOWN),
        ("<p>x", "a.html", "text/plain; charset=utf-8", Format.HTML),
        ("<!DOCTYPE html><p>x", "page", None, Format.HTML),
        ("a,b", "a.csv", "application/vnd.ms-excel", Format.CSV),
        ("{}", "a.json", "text/plain", Format.JSON),
        ("{}", "a", "application/json", Format.JSON),
        ("x", "README", None, Format.TEXT),
        ("x", "notes.unknown", None, Format.TEXT),
        ("const x = 1", "a.ts", "video/mp2t", Format.TEXT),
        ("text on %PDF- files", "a.txt", None, Format.TEXT),
        ("Grüße".encode("utf-16"), "a.txt", None, Format.TEXT),
        (EPUB, "a.epub", None, Format.EPUB),
        (EPUB[:60], "a.epub", None, Format.EPUB),
        ("From: a@b.c\n\nhi", "a.eml", "text/plain", Format.EML),
        ("From: a@b.c\n\nhi", "mail", "message/rfc822", Format.EML),
        ("plain text here".encode("utf-16-le"), "a.txt", None, Format.TEXT),
        ("plain text here".encode("utf-32"), "a.txt", None, Format.TEXT),
    ],
)
def test_supported(data: bytes | str, name: str, declared: str | None, expected: Format, tmp_path: Path) -> None:
    assert find(tmp_path, data, name, declared) is expected


@pytest.mark.parametrize(
    ("data", "name", "named"),
    [
        (OLE + "Workbook\0".encode("utf-16-le"), "a.xls", "legacy Excel"),
        (OLE + "PowerPoint Document\0".encode("utf-16-le"), "a.ppt", "PPT"),
        (make_zip({"xl/workbook.bin": "x"}), "a.xlsb", "XLSB"),
        (make_zip({"mimetype": "application/vnd.oasis.opendocument.text"}), "a.odt", "OpenDocument"),
        ("<svg/>", "a.svg", "SVG"),
        (r"{\rtf1 x}", "a.rtf", "RTF"),
        (PNG, "a.png", "image"),
        (make_zip({"a.txt": "x"}), "a.zip", "ZIP"),
        (b"\x00\x01\x02\x03" * 100, "a.bin", "unknown"),
    ],
)
def test_unsupported_formats_are_named(data: bytes | str, name: str, named: str, tmp_path: Path) -> None:
    declared = "message/rfc822" if name == "mail" else None
    with pytest.raises(UnsupportedFormatError, match=named):
        find(tmp_path, data, name, declared)


@pytest.mark.parametrize(
    ("data", "name", "declared"),
    [
        (make_pdf(["x"]), "a.txt", None),
        (make_pdf(["x"]), "a.pdf", "image/png"),
        (make_pdf(["x"]), "a.docx", None),
        (make_docx(["x"]), "a.pdf", None),
        (PPTX, "a.docx", None),
        (make_zip({"a.txt": "x"}), "a.docx", None),
        (PNG, "a.pdf", None),
        (PNG, "a.txt", "text/plain"),
        ("hello", "a.pdf", None),
        ("hello", "a.docx", None),
        ("hello", "a.png", None),
        ("hello", "a", "application/pdf"),
        (bytes(range(256)) * 20, "a.csv", None),
        (WORD, "a.docx", None),
        (make_zip({"a.txt": make_docx(["inside"])}), "a.docx", None),
    ],
)
def test_bytes_that_contradict_the_name_or_type(
    data: bytes | str, name: str, declared: str | None, tmp_path: Path
) -> None:
    with pytest.raises((TypeMismatchError, UnsupportedFormatError)) as caught:
        find(tmp_path, data, name, declared)
    assert caught.type is TypeMismatchError


@pytest.mark.parametrize("name", ["a.docx", "a.xlsx", "a"])
def test_office_file_behind_a_password(name: str, tmp_path: Path) -> None:
    with pytest.raises(EncryptedDocumentError):
        find(tmp_path, OLE + "EncryptedPackage\0".encode("utf-16-le"), name)


def test_no_bytes(tmp_path: Path) -> None:
    with pytest.raises(EmptyDocumentError):
        find(tmp_path, b"", "a.pdf")


def test_the_declared_type_is_not_shown_as_it_came(tmp_path: Path) -> None:
    with pytest.raises(DocumentError) as caught:
        find(tmp_path, make_pdf(["x"]), "a.pdf", "image/<script>")
    assert "script" not in caught.value.detail
