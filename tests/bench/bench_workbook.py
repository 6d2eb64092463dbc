"""Speed and memory of reading a workbook of many rows, beside the libraries that could read it.

    python -m tests.bench.bench_workbook [ROWS]

Eight columns: three texts, two of them different in every row, and five numbers with a format. `python-calamine` and
`openpyxl` are measured where they are installed; the product needs neither.
"""

import importlib.util
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from tests.builders.office import RELATIONS, relations_xml

_NAMESPACE = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_OURS = """
from pathlib import Path
from chatsphere.knowledge.extraction import xlsx
from chatsphere.knowledge.extraction.limits import ExtractionLimits
from chatsphere.knowledge.extraction.parsed import finish
for block in finish(xlsx.parse(Path(sys.argv[1]), ExtractionLimits()).blocks): size += len(block.text)
"""
_CALAMINE = """
from python_calamine import CalamineWorkbook
for row in CalamineWorkbook.from_path(sys.argv[1]).get_sheet_by_index(0).iter_rows(): size += len(row)
"""
_OPENPYXL = """
import openpyxl
book = openpyxl.load_workbook(sys.argv[1], read_only=True, data_only=True)
for row in book.active.iter_rows(values_only=True): size += len(row)
"""
_BEFORE = "import sys, time, resource\nsize, start = 0, time.process_time()\n"
_AFTER = "\nprint(time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)"
_READERS = (
    ("the product", "chatsphere", _OURS),
    ("calamine", "python_calamine", _CALAMINE),
    ("openpyxl", "openpyxl", _OPENPYXL),
)


def main() -> None:
    """Print one row per reader."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as folder:
        book = Path(folder) / "book.xlsx"
        _write(book, rows)
        print(f"{rows:,} rows of 8 cells, {book.stat().st_size / 1e6:.0f} MB")
        for label, module, script in _READERS:
            if importlib.util.find_spec(module):
                _measure(label, script, book)


def _measure(label: str, script: str, book: Path) -> None:
    command = [sys.executable, "-c", _BEFORE + script + _AFTER, str(book)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds, peak = run.stdout.split()
    print(f"{label:<14}{float(seconds):>8.1f} s of CPU{peak:>8} MiB at its peak")


def _write(path: Path, rows: int) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("[Content_Types].xml", _content_types())
        archive.writestr("_rels/.rels", relations_xml({"m": ("officeDocument", "xl/workbook.xml")}))
        sheets = '<sheets><sheet name="Data" sheetId="1" r:id="s"/></sheets>'
        archive.writestr("xl/workbook.xml", f'<workbook {_NAMESPACE} xmlns:r="{RELATIONS}">{sheets}</workbook>')
        parts = {
            "s": ("worksheet", "worksheets/sheet1.xml"),
            "t": ("sharedStrings", "sharedStrings.xml"),
            "f": ("styles", "styles.xml"),
        }
        archive.writestr("xl/_rels/workbook.xml.rels", relations_xml(parts))
        styles = '<cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="4"/></cellXfs>'
        archive.writestr("xl/styles.xml", f"<styleSheet {_NAMESPACE}>{styles}</styleSheet>")
        for name, content in (("sharedStrings", _strings(rows)), ("worksheets/sheet1", _sheet(rows))):
            with archive.open(f"xl/{name}.xml", "w") as part:
                part.writelines(line.encode() for line in content)


def _content_types() -> str:
    kinds = {
        "workbook": "sheet.main",
        "sharedStrings": "sharedStrings",
        "styles": "styles",
        "worksheets/sheet1": "worksheet",
    }
    office = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    types = (f'<Override PartName="/xl/{name}.xml" ContentType="{office}.{kind}+xml"/>' for name, kind in kinds.items())
    return f'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">{"".join(types)}</Types>'


def _strings(rows: int) -> Iterator[str]:
    yield f"<sst {_NAMESPACE}>"
    yield from (f"<si><t>customer number {number * 7919 % 1_000_003}</t></si>" for number in range(2 * rows))
    yield "</sst>"


def _sheet(rows: int) -> Iterator[str]:
    yield f"<worksheet {_NAMESPACE}><sheetData>"
    for row in range(1, rows + 1):
        texts = (2 * row - 2, 2 * row - 1, row % 1000)
        cells = [f'<c r="{column}{row}" t="s"><v>{text}</v></c>' for column, text in zip("ABC", texts, strict=True)]
        cells += [f'<c r="{column}{row}" s="1"><v>{row * (ord(column) - 67)}.25</v></c>' for column in "DEFGH"]
        yield f'<row r="{row}">{"".join(cells)}</row>'
    yield "</sheetData></worksheet>"


if __name__ == "__main__":
    main()
