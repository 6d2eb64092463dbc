"""Small workbooks, written by hand."""

from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

from tests.builders.office import RELATIONS, make_office, relations_xml

_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


def make_xlsx(
    sheets: Mapping[str, str],
    *,
    strings: Sequence[str] = (),
    formats: Sequence[str] = (),
    states: Mapping[str, str] | None = None,
    properties: str = "",
    parts: Mapping[str, str | bytes] | None = None,
) -> bytes:
    """Return a workbook of these sheets: name → the XML inside its `worksheet`.

    `strings` are the shared strings (XML inside their `si`), `formats` the number formats of the cell styles from 1
    on, `states` of sheets (`hidden`), `properties` the attributes of `workbookPr`.
    """
    places = {f"s{number}": ("worksheet", f"worksheets/sheet{number}.xml") for number in range(1, len(sheets) + 1)}
    states = states or {}
    entries = "".join(
        f'<sheet name="{escape(name)}" sheetId="{number}" r:id="s{number}" state="{states.get(name, "visible")}"/>'
        for number, name in enumerate(sheets, 1)
    )
    workbook = (
        f'<workbook {_MAIN} xmlns:r="{RELATIONS}"><workbookPr {properties}/><sheets>{entries}</sheets></workbook>'
    )
    files: dict[str, str | bytes] = {
        "xl/workbook.xml": workbook,
        "xl/_rels/workbook.xml.rels": relations_xml(
            {**places, "ss": ("sharedStrings", "sharedStrings.xml"), "st": ("styles", "/xl/styles.xml")}
        ),
        "xl/sharedStrings.xml": f"<sst {_MAIN}>{''.join(f'<si>{text}</si>' for text in strings)}</sst>",
        "xl/styles.xml": _styles(formats),
    }
    for number, content in enumerate(sheets.values(), 1):
        files[f"xl/worksheets/sheet{number}.xml"] = f"<worksheet {_MAIN}>{content}</worksheet>"
    return make_office("xl/workbook.xml", {**files, **(parts or {})})


def rows_xml(rows: Sequence[Sequence[str | int | float | None]], first: int = 1) -> str:
    """Return the XML of a sheet's rows: text is written into the cells, None is no cell."""
    return f"<sheetData>{''.join(_row(number, row) for number, row in enumerate(rows, first))}</sheetData>"


def cell_xml(reference: str, value: str, kind: str = "n", style: int = 0) -> str:
    """Return the XML of a cell that holds a value of this type in the style."""
    return f'<c r="{reference}" t="{kind}" s="{style}"><v>{escape(value)}</v></c>'


def row_xml(number: int, *cells: str, attributes: str = "") -> str:
    """Return the XML of a row of cells."""
    return f'<row r="{number}" {attributes}>{"".join(cells)}</row>'


def _row(number: int, row: Sequence[str | int | float | None]) -> str:
    cells = []
    for column, value in enumerate(row):
        reference = f"{chr(65 + column)}{number}"
        if isinstance(value, str):
            cells.append(f'<c r="{reference}" t="inlineStr"><is><t>{escape(value)}</t></is></c>')
        elif value is not None:
            cells.append(cell_xml(reference, str(value)))
    return row_xml(number, *cells)


def _styles(formats: Sequence[str]) -> str:
    codes = "".join(
        f'<numFmt numFmtId="{number}" formatCode="{escape(code, {chr(34): "&quot;"})}"/>'
        for number, code in enumerate(formats, 165)
    )
    styles = '<xf numFmtId="0"/>' + "".join(f'<xf numFmtId="{number}"/>' for number in range(165, 165 + len(formats)))
    return f"<styleSheet {_MAIN}><numFmts>{codes}</numFmts><cellXfs>{styles}</cellXfs></styleSheet>"
