"""What guards every Office file's container."""

import io
import struct
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from chatsphere.errors import CorruptDocumentError, DocumentTooLargeError, EncryptedDocumentError
from chatsphere.knowledge.extraction.limits import MIB
from chatsphere.knowledge.extraction.office_package import Package
from chatsphere.knowledge.extraction.source import MemoryFile
from tests.builders.docx import make_docx, make_zip
from tests.builders.office import make_office, relations_xml
from tests.unit.extraction.reading import LIMITS, extract


def package(data: bytes, fallback: str = "xl/workbook.xml") -> Package:
    return Package(MemoryFile(data), LIMITS, fallback)


def overlapping() -> bytes:
    """A document whose last directory entry stands for the bytes of its first."""
    data = bytearray(make_docx(["text"]))
    entries = [entry.header_offset for entry in zipfile.ZipFile(io.BytesIO(data)).infolist()]
    last = data.rindex(b"PK\x01\x02")
    struct.pack_into("<I", data, last + 42, entries[0])
    return bytes(data)


def test_entries_that_share_bytes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CorruptDocumentError):
        extract(tmp_path, "a.docx", overlapping())


def test_an_encrypted_entry(tmp_path: Path) -> None:
    data = bytearray(make_docx(["text"]))
    at = data.index(b"PK\x01\x02")
    while at >= 0:
        data[at + 8] |= 1
        at = data.find(b"PK\x01\x02", at + 4)

    with pytest.raises(EncryptedDocumentError):
        extract(tmp_path, "a.docx", bytes(data))


def test_a_part_that_is_parsed_whole_must_be_small() -> None:
    data = make_office("xl/workbook.xml", {"xl/workbook.xml": "<a/>", "big.xml": f"<a>{' ' * 33 * MIB}</a>"})
    with Package(MemoryFile(data), replace(LIMITS, max_unpack_ratio=10_000), "xl/workbook.xml") as opened:
        with pytest.raises(DocumentTooLargeError):
            opened.xml("big.xml")
        assert opened.open("big.xml") is not None


def test_relations_are_resolved_inside_the_package_only() -> None:
    relations = relations_xml(
        {
            "a": ("slide", "../slides/one%20two.xml"),
            "b": ("image", "/media/x.png"),
            "c": ("theme", "../../../../../etc/passwd"),
        }
    ).replace("</Relationships>", '<Relationship Id="d" TargetMode="External" Target="http://x"/></Relationships>')
    with package(
        make_office("ppt/x/main.xml", {"ppt/x/main.xml": "<a/>", "ppt/x/_rels/main.xml.rels": relations})
    ) as opened:
        targets = {key: each.target for key, each in opened.relations(opened.main).items()}

    assert targets == {"a": "ppt/slides/one two.xml", "b": "media/x.png", "c": "etc/passwd"}


def test_a_damaged_title_is_none() -> None:
    with package(make_zip({"xl/workbook.xml": "<a/>", "docProps/core.xml": "<a"})) as opened:
        assert opened.title() is None
