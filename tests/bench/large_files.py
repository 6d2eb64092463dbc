"""Synthetic documents of any size, written piece by piece: pages, megabytes, rows."""

import random
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from tests.builders.pdf import make_pdf

_PROSE: Final = """
    account address agreement amount annual approval balance bank benefit board budget building calendar capital
    certificate change charge claim client code committee company condition contract control cost council court
    credit customer damage data date decision delivery department deposit design director document duty employee
    energy engineer equipment estimate evidence exchange expense factory failure field finance floor fuel function
    garden goods government grant group guarantee harbour health heating hospital income industry inspection
    insurance interest invoice island journal journey judgement kitchen labour ladder landlord lease letter library
    licence limit list machine manager margin market material measure meeting member metal method minister model
    month motor network notice number object office officer operation order owner packet paper parish payment
    pension permit person plan plant police policy port post power premium price product profit project property
    public quality quarter question railway rate reason receipt record refund region register rent repair report
    reserve resident result return revenue review river road rule safety salary sale sample schedule school science
    season section security service session share ship signal site staff standard state station statute steel stock
    """
_WORDS: Final = tuple(_PROSE.split())


class Prose:
    """The same words for the same seed."""

    def __init__(self, seed: int = 7) -> None:
        self._random = random.Random(seed)

    def words(self, count: int) -> str:
        """Return some words."""
        return " ".join(self._random.choices(_WORDS, k=count))

    def sentences(self, count: int) -> str:
        """Return some sentences."""
        return " ".join(f"{self.words(self._random.randint(7, 16)).capitalize()}." for _ in range(count))

    def cells(self, row: int) -> tuple[str, ...]:
        """Return the cells of a row of a table."""
        return str(row), self.words(2), self.words(1), f"{self._random.random() * 1000:.2f}", self.words(4)


COLUMNS: Final = ("number", "name", "place", "amount", "remark")


def write_pdf(path: Path, pages: int) -> None:
    """Write a PDF whose pages have a heading and about 400 words each."""
    prose = Prose()
    path.write_bytes(make_pdf([_page(prose, number) for number in range(pages)]))


def write_text(path: Path, megabytes: float) -> None:
    """Write a text of paragraphs."""
    prose = Prose()
    _write_until(path, int(megabytes * 1e6), lambda _: prose.sentences(6) + "\n\n")


def write_csv(path: Path, rows: int) -> None:
    """Write a table with a header."""
    prose = Prose()
    with path.open("w") as file:
        file.write(",".join(COLUMNS) + "\n")
        file.writelines(",".join(prose.cells(row)) + "\n" for row in range(rows))


def write_json_lines(path: Path, rows: int) -> None:
    """Write one object a line."""
    prose = Prose()
    with path.open("w") as file:
        for row in range(rows):
            members = ", ".join(f'"{name}": "{cell}"' for name, cell in zip(COLUMNS, prose.cells(row), strict=True))
            file.write("{" + members + "}\n")


def write_xlsx(path: Path, rows: int) -> None:
    """Write a workbook of one sheet with inline strings."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in _XLSX_PARTS.items():
            archive.writestr(name, '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>' + content)
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            for part in _sheet(rows):
                sheet.write(part.encode())


def _page(prose: Prose, number: int) -> str:
    lines = [f"# Section {number + 1}: {prose.words(3)}"]
    lines += [prose.words(10) for _ in range(40)]
    return "\n".join(lines)


def _write_until(path: Path, size: int, piece: Callable[[int], str]) -> None:
    written = 0
    with path.open("w") as file:
        while written < size:
            written += file.write(piece(written))


def _sheet(rows: int) -> Iterator[str]:
    prose = Prose()
    yield f'<worksheet xmlns="{_MAIN}"><sheetData>'
    yield _row(1, COLUMNS)
    for row in range(rows):
        yield _row(row + 2, prose.cells(row))
    yield "</sheetData></worksheet>"


def _row(number: int, cells: tuple[str, ...]) -> str:
    inner = "".join(
        f'<c r="{"ABCDE"[column]}{number}" t="inlineStr"><is><t>{cell}</t></is></c>'
        for column, cell in enumerate(cells)
    )
    return f'<row r="{number}">{inner}</row>'


_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_XLSX_PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_KIND}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_KIND}.worksheet+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="r1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">'
    '<sheets><sheet name="Table" sheetId="1" r:id="r1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="r1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
}
