"""XLSX."""

import json
import tracemalloc
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest

from chatsphere.errors import (
    CorruptDocumentError,
    DocumentTooLargeError,
    EmptyDocumentError,
    ExtractionLimitError,
    TypeMismatchError,
)
from chatsphere.knowledge.extraction import xlsx
from chatsphere.knowledge.extraction.limits import MIB
from chatsphere.knowledge.extraction.table_rows import Row
from chatsphere.knowledge.extraction.xlsx_merges import Merges
from chatsphere.knowledge.extraction.xlsx_sheet import SheetReader
from chatsphere.knowledge.extraction.xlsx_strings import SharedStrings
from chatsphere.knowledge.text import Block, BlockKind
from tests.builders.docx import make_zip
from tests.builders.office import relations_xml
from tests.builders.xlsx import cell_xml, make_xlsx, row_xml, rows_xml
from tests.unit.extraction.reading import LIMITS, extract, memory_limit, parse, texts

Rows = list[list[str | int | float | None]]
PEOPLE = rows_xml([["name", "age"], ["Anna", 30], ["Berta", 31]])


def numbered(count: int, text: str | None = None) -> Rows:
    """Rows of a number, from 2 on, and a long text."""
    return [[number, f"{text} {number} ".ljust(100, "x")] if text else [None, number] for number in range(2, count + 2)]


def table(folder: Path, content: str, **more: object) -> list[str]:
    """The lines of the only sheet's rows."""
    blocks = parse("xlsx", folder, make_xlsx({"S": content}, **more))  # type: ignore[arg-type]
    return [line for text in texts(blocks, BlockKind.TABLE) for line in text.split("\n")]


def test_rows_name_their_columns_under_their_sheet(tmp_path: Path) -> None:
    data = make_xlsx({"People": PEOPLE, "Empty": "<sheetData/>", "Prices": rows_xml([["item", "price"], ["tea", 2.5]])})

    assert extract(tmp_path, "a.xlsx", data) == [
        Block("People", BlockKind.HEADING, None, ("People",)),
        Block("name: Anna; age: 30\nname: Berta; age: 31", BlockKind.TABLE, None, ("People", "Rows 2-3")),
        Block("Prices", BlockKind.HEADING, None, ("Prices",)),
        Block("item: tea; price: 2.5", BlockKind.TABLE, None, ("Prices", "Row 2")),
    ]


def test_a_block_names_its_own_rows(tmp_path: Path) -> None:
    rows: Rows = [["id", "text"], *numbered(398, "row")]

    blocks = parse("xlsx", tmp_path, make_xlsx({"S": rows_xml(rows)}))[1:]

    assert len(blocks) > 20
    for block in blocks:
        first, _, last = block.heading_path[1].removeprefix("Rows ").partition("-")
        lines = block.text.split("\n")
        assert lines[0].startswith(f"id: {first};")
        assert lines[-1].startswith(f"id: {last};")


def test_values_are_those_that_a_person_sees(tmp_path: Path) -> None:
    formats = ["0.00%", "d.m.yyyy", "yyyy\\-mm\\-dd hh:mm", '#,##0.00 "€"', "[h]:mm", "00000", '0;-0;"none"']
    values = [("0.256", 1), ("45366", 2), ("45366.75", 3), ("-1234.5", 4), ("1.5", 5), ("501", 6), ("0", 7), ("0.1", 0)]
    cells = "".join(cell_xml(f"{chr(65 + at)}1", value, style=style) for at, (value, style) in enumerate(values))

    (line,) = table(tmp_path, f"<sheetData>{row_xml(1, cells)}</sheetData>", formats=formats)

    assert line == "25.60% | 2024-03-15 | 2024-03-15 18:00 | -1,234.50 € | 36:00 | 00501 | none | 0.1"


def test_types_of_cells(tmp_path: Path) -> None:
    strings = ["<t>shared</t>", '<r><t>rich </t></r><r><t xml:space="preserve">text</t></r><rPh><t>aid</t></rPh>']
    cells = [
        cell_xml("A1", "0", "s"),
        cell_xml("B1", "1", "s"),
        cell_xml("C1", "1", "b"),
        cell_xml("D1", "#DIV/0!", "e"),
        '<c r="E1" t="str"><f>CONCAT("no","body")</f><v>computed</v></c>',
        '<c r="F1"><f>1+1</f><v>2</v></c>',
        '<c r="G1" t="inlineStr"><is><t>in _x000D_line</t></is></c>',
        cell_xml("H1", "0.30000000000000004"),
        '<c r="I1"><f>NOW()</f></c>',
    ]

    (line,) = table(tmp_path, f"<sheetData>{row_xml(1, *cells)}</sheetData>", strings=strings)

    assert line == "shared | rich text | TRUE | #DIV/0! | computed | 2 | in line | 0.3"


def test_dates_since_1904(tmp_path: Path) -> None:
    cells = row_xml(1, cell_xml("A1", "43904", style=1))

    assert table(tmp_path, f"<sheetData>{cells}</sheetData>", formats=["m/d/yy"], properties='date1904="1"') == [
        "2024-03-15"
    ]


def test_what_is_hidden_is_left_out(tmp_path: Path) -> None:
    columns = '<cols><col min="2" max="2" hidden="1"/><col min="3" max="3" hidden="1" outlineLevel="1"/></cols>'
    rows = row_xml(1, cell_xml("A1", "1"), cell_xml("B1", "2"), cell_xml("C1", "3"))
    rows += row_xml(2, cell_xml("A2", "4"), attributes='hidden="1"')
    rows += row_xml(3, cell_xml("A3", "5"), attributes='hidden="1" outlineLevel="1"')
    sheet = f"{columns}<sheetData>{rows}</sheetData>"
    data = make_xlsx({"S": sheet, "Secret": PEOPLE, "Deep": PEOPLE}, states={"Secret": "hidden", "Deep": "veryHidden"})

    assert texts(parse("xlsx", tmp_path, data)) == ["S", "1 | 3\n5"]


def test_rows_hidden_by_a_filter_are_read(tmp_path: Path) -> None:
    rows = row_xml(1, cell_xml("A1", "1"), attributes='hidden="1"')

    assert table(tmp_path, f'<sheetPr filterMode="1"/><sheetData>{rows}</sheetData>') == ["1"]


def test_a_merged_cell_holds_for_each_of_its_rows(tmp_path: Path) -> None:
    rows = rows_xml([["city", "side"], ["Berlin", "east"], [None, "west"], ["Rome", "all"]])

    assert table(tmp_path, f'{rows}<mergeCells><mergeCell ref="A2:A3"/></mergeCells>') == [
        "city: Berlin; side: east",
        "city: Berlin; side: west",
        "city: Rome; side: all",
    ]


def test_remarks_around_a_table_and_a_second_table(tmp_path: Path) -> None:
    rows: Rows = [["Sales of 2024"], [], ["item", "price", "sold"], ["tea", 2, 30], [], ["All prices in euros"], []]
    rows += [["person", "age"], ["Anna", 30]]

    assert table(tmp_path, rows_xml(rows)) == [
        "Sales of 2024",
        "item: tea; price: 2; sold: 30",
        "All prices in euros",
        "person: Anna; age: 30",
    ]


def test_years_may_name_columns(tmp_path: Path) -> None:
    assert table(tmp_path, rows_xml([["Region", 2023, 2024], ["North", 10, 12]])) == [
        "Region: North; 2023: 10; 2024: 12"
    ]


def test_the_header_of_a_marked_table_is_known(tmp_path: Path) -> None:
    parts = {
        "xl/worksheets/_rels/sheet1.xml.rels": relations_xml({"t": ("table", "../tables/table1.xml")}),
        "xl/tables/table1.xml": '<table ref="A2:B3" headerRowCount="1"/>',
    }

    assert table(tmp_path, rows_xml([["x", "y", "z"], [1, 2], [3, 4]]), parts=parts)[-1] == "1: 3; 2: 4"


def test_cells_without_references_and_a_prefix(tmp_path: Path) -> None:
    data = make_xlsx({"S": ""})
    sheet = "<sheetData><row><c><v>1</v></c><c><v>2</v></c></row><row><c><v>3</v></c></row></sheetData>"
    prefixed = sheet.replace("</", "</x:").replace("<", "<x:").replace("<x:/x:", "</x:")
    part = f'<x:worksheet xmlns:x="http://purl.oclc.org/ooxml/spreadsheetml/main">{prefixed}</x:worksheet>'
    data = make_xlsx({"S": ""}, parts={"xl/worksheets/sheet1.xml": part})

    assert texts(parse("xlsx", tmp_path, data)) == ["S", "1 | 2\n3"]


def test_one_cell_at_the_far_corner_costs_nothing(tmp_path: Path) -> None:
    rows = row_xml(1, cell_xml("A1", "1")) + row_xml(1_048_576, cell_xml("XFD1048576", "2"))
    sheet = f'<dimension ref="A1:XFD1048576"/><sheetData>{rows}</sheetData>'

    blocks = extract(tmp_path, "a.xlsx", make_xlsx({"S": sheet}), limits=memory_limit(64))

    assert texts(blocks) == ["S", "1\n2"]
    assert blocks[-1].heading_path == ("S", "Rows 1-1048576")


class CountedReads(BytesIO):
    """A stream that counts the bytes that were read from it."""

    count = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.count += len(data)
        return data


def test_rows_come_while_the_sheet_is_read() -> None:
    rows = "".join(f"<row><c><v>{number}</v></c></row>" for number in range(20_000))
    stream = CountedReads(f"<worksheet><sheetData>{rows}</sheetData></worksheet>".encode())

    assert next(SheetReader(stream, SharedStrings(), [], Merges([])).rows()) == Row(1, {0: "0"}, 22)
    assert stream.count < 100_000


def test_shared_strings_take_little_more_memory_than_their_letters() -> None:
    strings, count, length = SharedStrings(), 20_000, 20
    tracemalloc.start()
    for number in range(count):
        strings.add(f"{number:0{length}}")
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert taken < count * (length + 8) * 1.3
    assert strings[count - 1] == f"{count - 1:0{length}}"


def workbook(sheet: str = PEOPLE, prolog: str = "", **parts: str) -> bytes:
    """A workbook with a raw part in place of its sheet."""
    raw = f"{prolog}<worksheet>{sheet}</worksheet>"
    return make_xlsx({"S": ""}, parts={"xl/worksheets/sheet1.xml": raw, **parts})


ENTITIES = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>'
EXTERNAL = '<!DOCTYPE x [<!ENTITY c SYSTEM "file:///etc/hostname">]>'
CELL = '<sheetData><row r="1"><c r="A1" t="str"><v>&c;</v></c></row></sheetData>'
BAD_STRING = f"<sheetData>{row_xml(1, cell_xml('A1', '7', 's'))}</sheetData>"


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (workbook(PEOPLE + " " * (64 * MIB)), DocumentTooLargeError),
        (workbook(CELL, ENTITIES), CorruptDocumentError),
        (workbook(CELL, EXTERNAL), CorruptDocumentError),
        (workbook("<sheetData>"), CorruptDocumentError),
        (workbook(f"<sheetData>{row_xml(1, cell_xml('XFE1', '1'))}</sheetData>"), CorruptDocumentError),
        (workbook(f"<sheetData>{row_xml(1_048_577, cell_xml('A1', '1'))}</sheetData>"), CorruptDocumentError),
        (workbook(BAD_STRING), CorruptDocumentError),
        (workbook("<sheetData>" + "<row/>" * 20_000 + "</sheetData>"), EmptyDocumentError),
        (make_xlsx({"S": PEOPLE}, parts={"xl/workbook.xml": "<workbook"}), CorruptDocumentError),
        (make_xlsx({"S": PEOPLE}, parts={"xl/_rels/workbook.xml.rels": relations_xml({})}), CorruptDocumentError),
        (make_xlsx({"S": PEOPLE})[:-300], CorruptDocumentError),
        (make_zip({"xl/worksheets/sheet1.xml": "<x/>"}), TypeMismatchError),
        (make_xlsx({}), EmptyDocumentError),
    ],
    ids=[
        "bomb",
        "entities",
        "external",
        "not-well-formed",
        "beyond-the-last-column",
        "beyond-the-last-row",
        "no-such-string",
        "empty-rows",
        "workbook-damaged",
        "sheet-missing",
        "truncated",
        "no-workbook",
        "no-sheets",
    ],
)
def test_unreadable(data: bytes, error: type[Exception], tmp_path: Path) -> None:
    with pytest.raises(error):
        extract(tmp_path, "a.xlsx", data)


def test_one_row_of_more_cells_than_memory_holds_is_stopped(tmp_path: Path) -> None:
    cells = '<c t="str"><v>' + "x" * 1_000_001 + "</v></c>"

    with pytest.raises(CorruptDocumentError):
        extract(tmp_path, "a.xlsx", workbook(f'<sheetData><row r="1">{cells}</row></sheetData>'))


def test_output_is_limited(tmp_path: Path) -> None:
    merged = '<mergeCells><mergeCell ref="A1:A300"/></mergeCells>'
    rows = rows_xml([["x" * 500], *numbered(300)])

    with pytest.raises(ExtractionLimitError):
        extract(tmp_path, "a.xlsx", make_xlsx({"S": rows + merged}), limits=replace(LIMITS, max_output_bytes=64 * 1024))


@pytest.mark.parametrize("prefix", ["", "\ufeff"])
def test_reading_goes_on_at_any_place_as_if_it_had_not_stopped(prefix: str, tmp_path: Path) -> None:
    rows: Rows = [["größe", "item"], *numbered(40, "tea"), []]
    rows += [["a remark"], [], ["age", "person"], *numbered(40, "Anna")]
    merged = '<cols><col min="3" max="3" hidden="1"/></cols>' + rows_xml(rows)
    merged += '<mergeCells><mergeCell ref="A10:A14"/><mergeCell ref="A41:A60"/></mergeCells>'
    head = f'{prefix}<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    file = tmp_path / "a.xlsx"
    parts = {"xl/worksheets/sheet2.xml": f"{head}{merged}</worksheet>"}
    file.write_bytes(make_xlsx({"First": PEOPLE, "Second": "", "Third": PEOPLE}, parts=parts))
    parsed = xlsx.parse(file, LIMITS)
    whole, places = [], []
    for block in parsed.blocks:
        whole.append(block)
        places.append(parsed.place())

    for number, place in enumerate(places):
        if place is not None and place is not places[number - 1]:
            assert list(xlsx.resume(file, LIMITS, json.loads(json.dumps(place))).blocks) == whole[number:]
    assert len({json.dumps(place) for place in places}) > 8
