"""The cell styles of a workbook, as far as they say how a number is shown."""

from chatsphere.knowledge.extraction.xlsx_formats import Show, general, show_by
from chatsphere.knowledge.extraction.xml import Element, attribute

# Those that every workbook has without naming them (ECMA-376 part 1, 18.8.30); what depends on the reader's country
# is given as the format of the United States.
_BUILT_IN = {
    1: "0",
    2: "0.00",
    3: "#,##0",
    4: "#,##0.00",
    **dict.fromkeys((5, 6), '"$"#,##0'),
    **dict.fromkeys((7, 8), '"$"#,##0.00'),
    9: "0%",
    10: "0.00%",
    11: "0.00E+00",
    12: "# ?/?",
    13: "# ??/??",
    14: "yyyy-mm-dd",
    15: "d-mmm-yy",
    16: "d-mmm",
    17: "mmm-yy",
    18: "h:mm AM/PM",
    19: "h:mm:ss AM/PM",
    20: "h:mm",
    21: "h:mm:ss",
    22: "m/d/yy h:mm",
    **dict.fromkeys((27, 28, 29, 30, 31, 36, 50, 51, 52, 53, 54, 57, 58), "yyyy-mm-dd"),
    **dict.fromkeys((32, 33, 34, 35, 55, 56), "h:mm:ss"),
    **dict.fromkeys((37, 38), "#,##0_);(#,##0)"),
    **dict.fromkeys((39, 40), "#,##0.00_);(#,##0.00)"),
    41: '_(* #,##0_);_(* (#,##0);_(* "-"_);_(@_)',
    42: '_("$"* #,##0_);_("$"* (#,##0);_("$"* "-"_);_(@_)',
    43: '_(* #,##0.00_);_(* (#,##0.00);_(* "-"??_);_(@_)',
    44: '_("$"* #,##0.00_);_("$"* (#,##0.00);_("$"* "-"??_);_(@_)',
    45: "mm:ss",
    46: "[h]:mm:ss",
    47: "mm:ss.0",
    48: "##0.0E+0",
}


def read_styles(root: Element | None, epoch_1904: bool) -> list[Show]:
    """Return what shows a number in each cell style, by the style's position."""
    if root is None:
        return []
    codes = dict(_BUILT_IN)
    for element in root.iterfind("{*}numFmts/{*}numFmt"):
        code = attribute(element, "formatCode")
        if code is not None:
            codes[_number(attribute(element, "numFmtId"))] = code
    formats = (_number(attribute(style, "numFmtId")) for style in root.iterfind("{*}cellXfs/{*}xf"))
    return [show_by(codes[number], epoch_1904) if number in codes else general for number in formats]


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 6 else 0
