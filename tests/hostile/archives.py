"""Containers: ZIP, Office, e-books and mails that explode, nest, lie about their parts or point outside."""

import struct
from typing import Final

from tests.builders.docx import make_zip
from tests.hostile.hostile_file import READ, HostileFile, hostile

MIB: Final = 1024 * 1024
_WORD: Final = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_SHEET: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELS: Final = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_LAUGHS: Final = (
    '<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 20}">' for n in range(12))
    + "]>"
)
_OUTSIDE: Final = '<?xml version="1.0"?><!DOCTYPE d [<!ENTITY m SYSTEM "file:///etc/passwd">]>'


def _relations(target: str, kind: str = "officeDocument") -> str:
    return (
        f'<Relationships xmlns="{_RELS}"><Relationship Id="rId1" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        "</Relationships>"
    )


def docx(body: bytes | str, **more: bytes | str) -> bytes:
    """Return a Word document whose main part is `body`."""
    parts: dict[str, bytes | str] = {"_rels/.rels": _relations("word/document.xml"), "word/document.xml": body}
    return make_zip(parts | {name.replace("__", "/"): part for name, part in more.items()})


def paragraphs(text: str, before: str = "") -> str:
    """Return a main part of one paragraph."""
    return (
        f'{before}<w:document xmlns:w="{_WORD}"><w:body><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:body></w:document>'
    )


def xlsx(sheet: bytes | str, before: str = "") -> bytes:
    """Return a workbook whose one sheet is `sheet`."""
    workbook = (
        f'{before}<workbook xmlns="{_SHEET}" xmlns:r="{_OFFICE}"><sheets><sheet name="S" sheetId="1" r:id="rId1"/>'
        "</sheets></workbook>"
    )
    return make_zip(
        {
            "_rels/.rels": _relations("xl/workbook.xml"),
            "xl/workbook.xml": workbook,
            "xl/_rels/workbook.xml.rels": _relations("worksheets/sheet1.xml", "worksheet"),
            "xl/worksheets/sheet1.xml": sheet,
        }
    )


def rows(content: str) -> str:
    """Return a sheet with these rows."""
    return f'<worksheet xmlns="{_SHEET}"><dimension ref="A1:XFD1048576"/><sheetData>{content}</sheetData></worksheet>'


def _text_cell(place: str) -> str:
    return f'<row r="{place[-7:] if place != "A1" else 1}"><c r="{place}" t="inlineStr"><is><t>x</t></is></c></row>'


def pptx(slide: str) -> bytes:
    """Return a presentation of one slide."""
    main = "http://schemas.openxmlformats.org/presentationml/2006/main"
    presentation = (
        f'<p:presentation xmlns:p="{main}" xmlns:r="{_OFFICE}"><p:sldIdLst><p:sldId id="256" r:id="rId1"/></p:sldIdLst>'
        "</p:presentation>"
    )
    return make_zip(
        {
            "_rels/.rels": _relations("ppt/presentation.xml"),
            "ppt/presentation.xml": presentation,
            "ppt/_rels/presentation.xml.rels": _relations("slides/slide1.xml", "slide"),
            "ppt/slides/slide1.xml": slide,
        }
    )


def epub(chapter: str, href: str = "c.xhtml", **more: bytes | str) -> bytes:
    """Return an e-book of one chapter."""
    container = (
        '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
        '<rootfile full-path="b.opf" media-type="application/oebps-package+xml"/></rootfiles></container>'
    )
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf"><manifest>'
        f'<item id="c" href="{href}" media-type="application/xhtml+xml"/></manifest>'
        '<spine><itemref idref="c"/></spine></package>'
    )
    parts: dict[str, bytes | str] = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": container,
        "b.opf": package,
        "c.xhtml": chapter,
    }
    return make_zip(parts | {name.replace("__", "/"): part for name, part in more.items()})


def lying_sizes() -> bytes:
    """A document whose directory says that its parts are one byte each."""
    data = bytearray(docx(paragraphs("a" * 60 * MIB)))
    place = data.find(b"PK\x01\x02")
    while place >= 0:
        struct.pack_into("<I", data, place + 24, 1)
        place = data.find(b"PK\x01\x02", place + 4)
    return bytes(data)


def nested_mails(depth: int) -> bytes:
    """A mail in a mail in a mail."""
    head = b"Subject: %d\r\nMIME-Version: 1.0\r\nContent-Type: message/rfc822\r\n\r\n"
    return b"".join(head % n for n in range(depth)) + b"Subject: end\r\n\r\ntext\r\n"


def many_parts(count: int) -> bytes:
    """A mail of very many attachments."""
    part = b"--b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename=%d.txt\r\n\r\nx\r\n"
    head = b"Subject: many\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    return head + b"".join(part % n for n in range(count)) + b"--b--\r\n"


def bomb_attachment() -> bytes:
    """A mail with a Word document that explodes."""
    import base64

    body = base64.encodebytes(docx(paragraphs("a" * 700 * MIB)))
    return (
        b"Subject: bomb\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nHello.\r\n"
        b"--b\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=x.docx\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\n" + body + b"\r\n--b--\r\n"
    )


_XHTML: Final = '<html xmlns="http://www.w3.org/1999/xhtml"><body><p>{}</p></body></html>'
_SLIDE: Final = (
    '{}<p:sld xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"><p:cSld><p:spTree><p:sp><p:txBody><a:p><a:r><a:t>{}'
    "</a:t></a:r></a:p></p:txBody></p:sp></p:spTree></p:cSld></p:sld>"
)
_REFUSED: Final = ("corrupt", "extraction_limit", "too_large")

FILES: Final[tuple[HostileFile, ...]] = (
    hostile("bomb.docx", "a part of 700 MB", lambda: docx(paragraphs("a" * 700 * MIB)), *_REFUSED),
    hostile("laughs.docx", "billion laughs", lambda: docx(paragraphs("&m;", _LAUGHS)), *_REFUSED),
    hostile("outside.docx", "an entity that is a file of the machine", lambda: docx(paragraphs("&m;", _OUTSIDE)),
            *_REFUSED),
    hostile("deep.docx", "200,000 nested elements",
            lambda: docx(f'<w:document xmlns:w="{_WORD}"><w:body>' + "<w:p>" * 200_000), *_REFUSED),
    hostile("no-part.docx", "a document without its main part",
            lambda: make_zip({"_rels/.rels": _relations("word/document.xml"), "word/document2.xml": "x"}), *_REFUSED,
            "type_mismatch"),
    hostile("outside-part.docx", "a main part outside the archive",
            lambda: make_zip({"_rels/.rels": _relations("../../../etc/passwd"), "word/document.xml": "<x/>"}),
            *_REFUSED, "empty"),
    hostile("names.docx", "parts named to be written outside",
            lambda: docx(paragraphs("harmless"), **{"..__..__etc__passwd": b"x", "__root": b"x"}), READ),
    hostile("parts.docx", "60,000 parts",
            lambda: docx(paragraphs("a"), **{f"p__{n}": b"" for n in range(60_000)}), *_REFUSED),
    hostile("sizes.docx", "a directory that lies about sizes", lying_sizes, *_REFUSED),
    hostile("cut.docx", "the first half of a document", lambda: (d := docx(paragraphs("a" * 9999)))[: len(d) // 2],
            *_REFUSED),
    hostile("archive.zip", "an archive", lambda: make_zip({"a.txt": "text"}), "unsupported_format"),
    hostile("archive.docx", "an archive called DOCX", lambda: make_zip({"a.txt": "text"}), "type_mismatch"),
    hostile("sparse.xlsx", "one cell at the far end", lambda: xlsx(rows(_text_cell("XFD1048576"))), READ),
    hostile("wide.xlsx", "cells at both ends of 5,000 rows",
            lambda: xlsx(rows("".join(
                f'<row r="{n}"><c r="A{n}"><v>1</v></c><c r="XFD{n}"><v>2</v></c></row>' for n in range(1, 5001)))),
            READ, "extraction_limit"),
    hostile("rows.xlsx", "a million empty rows",
            lambda: xlsx(rows("".join(f'<row r="{n}"/>' for n in range(1, 1_000_001)))), "empty", READ),
    hostile("laughs.xlsx", "billion laughs", lambda: xlsx(rows(_text_cell("A1")), _LAUGHS), *_REFUSED),
    hostile("bomb.xlsx", "a sheet of 700 MB", lambda: xlsx(rows(" " * 700 * MIB)), *_REFUSED, "empty"),
    hostile("strings.xlsx", "shared strings that are not there",
            lambda: xlsx(rows('<row r="1"><c r="A1" t="s"><v>99999999999</v></c></row>')), *_REFUSED, "empty", READ),
    hostile("laughs.pptx", "billion laughs", lambda: pptx(_SLIDE.format(_LAUGHS, "&m;")), *_REFUSED),
    hostile("bomb.pptx", "a slide of 700 MB", lambda: pptx(_SLIDE.format("", "a" * 700 * MIB)), *_REFUSED),
    hostile("bomb.epub", "a chapter of 700 MB", lambda: epub(_XHTML.format("a" * 700 * MIB)), *_REFUSED),
    hostile("outside.epub", "a chapter outside the archive",
            lambda: epub(_XHTML.format("text"), "../../../etc/passwd"), *_REFUSED, "empty"),
    hostile("laughs.epub", "billion laughs", lambda: epub(_LAUGHS + _XHTML.format("&m;")), *_REFUSED, "empty", READ),
    hostile("protected.epub", "a chapter behind digital rights management",
            lambda: epub(_XHTML.format("x"), **{
                "META-INF__encryption.xml":
                    '<encryption xmlns="urn:oasis:names:tc:opendocument:xmlns:container" '
                    'xmlns:e="http://www.w3.org/2001/04/xmlenc#"><e:EncryptedData>'
                    '<e:EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#aes256-cbc"/>'
                    '<e:CipherData><e:CipherReference URI="c.xhtml"/></e:CipherData></e:EncryptedData></encryption>',
            }), "encrypted"),
    hostile("nested.eml", "2,000 mails in each other", lambda: nested_mails(2000), READ, *_REFUSED),
    hostile("parts.eml", "20,000 attachments", lambda: many_parts(20_000), READ, *_REFUSED),
    hostile("header.eml", "a header of 20 MB", lambda: b"Subject: " + b"a" * (20 * MIB) + b"\r\n\r\ntext", READ,
            *_REFUSED),
    hostile("bomb.eml", "an attachment that explodes", bomb_attachment, READ, *_REFUSED),
    hostile("cut.doc", "the beginning of an OLE file", lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
            "corrupt", "type_mismatch", "unsupported_format"),
    hostile("noise.doc", "an OLE header, then noise",
            lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(range(256)) * 200, "corrupt", "type_mismatch",
            "unsupported_format"),
)  # fmt: skip
