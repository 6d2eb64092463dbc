"""XLSX: an own reader of the workbook's XML, row by row.

A sheet is streamed, and its shared strings are packed, so that a million rows go through in a few dozen megabytes.
Values are those that a person sees; no formula is computed. Hidden sheets, rows and columns are left out, except
where a filter or a folded group hides them for the moment.
"""

from collections.abc import Iterator
from itertools import chain, islice

from chatsphere.errors import CorruptDocumentError
from chatsphere.knowledge.extraction.limits import ExtractionLimits
from chatsphere.knowledge.extraction.office_package import Package, relation_id
from chatsphere.knowledge.extraction.parsed import Parsed, Place
from chatsphere.knowledge.extraction.source import Source
from chatsphere.knowledge.extraction.table_rows import BEGINNING, Before, row_blocks
from chatsphere.knowledge.extraction.xlsx_bookmark import Bookmark, read_place
from chatsphere.knowledge.extraction.xlsx_formats import Show
from chatsphere.knowledge.extraction.xlsx_merges import Merges, read_merges
from chatsphere.knowledge.extraction.xlsx_sheet import SheetReader
from chatsphere.knowledge.extraction.xlsx_strings import SharedStrings
from chatsphere.knowledge.extraction.xlsx_styles import read_styles
from chatsphere.knowledge.extraction.xml import Element, attribute
from chatsphere.knowledge.extraction.zip_archive import damage_reported
from chatsphere.knowledge.text import Block, BlockKind

_MAIN = "xl/workbook.xml"


def parse(source: Source, limits: ExtractionLimits) -> Parsed:
    """Read a workbook."""
    return resume(source, limits, {})


def resume(source: Source, limits: ExtractionLimits, place: Place) -> Parsed:
    """Read a workbook from a place on: a row of a sheet."""
    with Package(source, limits, _MAIN) as package:
        title = package.title()
    bookmark = Bookmark()
    return Parsed(_blocks(source, limits, place, bookmark), title=title, place=lambda: bookmark.place)


def _blocks(source: Source, limits: ExtractionLimits, place: Place, bookmark: Bookmark) -> Iterator[Block]:
    known = place.get("sheet", 0)
    with Package(source, limits, _MAIN) as package, damage_reported():
        workbook = package.xml(package.main)
        if workbook is None:
            raise CorruptDocumentError
        reader = _WorkbookReader(package, workbook, bookmark)
        for number, (name, part) in enumerate(islice(reader.sheets(), known, None), known):
            before, head = read_place(place) if number == known else (BEGINNING, 0)
            blocks = reader.sheet(number, name, part, before, head)
            if before.begins:
                yield from blocks
                continue
            for first in blocks:
                yield from chain((Block(name, BlockKind.HEADING, heading_path=(name,)), first), blocks)


class _WorkbookReader:
    """What the sheets of one workbook share."""

    def __init__(self, package: Package, workbook: Element, bookmark: Bookmark) -> None:
        self._bookmark = bookmark
        self._package = package
        self._workbook = workbook
        self._relations = package.relations(package.main)
        self._strings = self._read_strings()
        self._styles = self._read_styles()

    def sheets(self) -> Iterator[tuple[str, str]]:
        """The name and the part of each worksheet that is shown, in their order."""
        for sheet in self._workbook.iterfind("{*}sheets/{*}sheet"):
            if attribute(sheet, "state") in (None, "visible"):
                relation = self._relations.get(relation_id(sheet))
                if relation is None or relation.target not in self._package:
                    raise CorruptDocumentError
                if relation.kind == "worksheet":
                    yield attribute(sheet, "name") or "", relation.target

    def sheet(self, number: int, name: str, part: str, before: Before, head: int) -> Iterator[Block]:
        """The blocks of a worksheet's rows, from a row on."""
        merging, reading = self._package.open(part), self._package.open(part)
        if merging is None or reading is None:
            raise CorruptDocumentError
        with merging:
            merges = Merges(read_merges(merging))
        with reading:
            sheet = SheetReader(reading, self._strings, self._styles, merges, head)
            yield from row_blocks(
                sheet.rows(before.begins, before.number),
                (name,),
                self._headers(part),
                before,
                lambda known: self._bookmark.reach(number, known, sheet.head),
            )

    def _headers(self, part: str) -> frozenset[int]:
        """The header rows of the tables that are marked as such on a sheet."""
        rows = set()
        for relation in self._package.relations(part).values():
            table = self._package.xml(relation.target) if relation.kind == "table" else None
            if table is not None and attribute(table, "headerRowCount") != "0":
                corner = (attribute(table, "ref") or "").partition(":")[0]
                row = corner.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
                rows.add(int(row) if row.isdecimal() and len(row) < 8 else 0)
        return frozenset(rows)

    def _read_strings(self) -> SharedStrings:
        strings = SharedStrings()
        part = next((each.target for each in self._relations.values() if each.kind == "sharedStrings"), "")
        stream = self._package.open(part)
        if stream:
            with stream:
                strings.read(stream)
        return strings

    def _read_styles(self) -> list[Show]:
        properties = self._workbook.find("{*}workbookPr")
        epoch_1904 = properties is not None and attribute(properties, "date1904") in ("1", "true")
        part = next((each.target for each in self._relations.values() if each.kind == "styles"), "")
        return read_styles(self._package.xml(part), epoch_1904)
