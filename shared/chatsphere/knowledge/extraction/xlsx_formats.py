"""How a number is shown by its number format (ECMA-376 part 1, 18.8.31): percent, decimals, currency, date.

Dates are written the ISO way, whatever the order of the format's parts, with the parts that it shows: the same
file is shown differently in every country.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import lru_cache
from math import isfinite

from chatsphere.knowledge.extraction.xlsx_dates import DateFormat

Show = Callable[[str], str]
"""From a number as the file holds it to what a person sees."""

_SECTION = re.compile(r'(?:"[^"]*"|\\.|\[[^\]]*\]|[^;])*')
_TOKEN = re.compile(
    r'"(?P<text>[^"]*)"|[\\!](?P<escaped>.)|_(?P<space>.)|\*.|\[\$(?P<currency>[^\]-]*)[^\]]*\]'
    r"|\[(?P<elapsed>h+|m+|s+)\]|\[(?P<condition>[<>=]+-?[\d.]+)\]|\[[^\]]*\]|(?P<general>general)"
    r"|(?P<half>am/pm|a/p)|(?P<exponent>e[+-])|(?P<date>[ymdhsgbe]+)|(?P<digit>[0#?]+)|(?P<mark>[.,%/@])|(?P<other>.)",
    re.IGNORECASE | re.DOTALL,
)
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
}
_MAX_DECIMALS = 30
_EXACT = 1e15


@dataclass(slots=True)
class _Section:
    """One of a format's sections: the texts around its digits, and what they are to show."""

    prefix: str = ""
    suffix: str = ""
    whole: str = ""
    decimals: str = ""
    thousands: bool = False
    divisor: int = 1
    percent: int = 0
    exponent: bool = False
    fraction: int = 0
    general: bool = False
    template: list[str] = field(default_factory=list)
    condition: str | None = None
    date: DateFormat | None = None


@dataclass(frozen=True, slots=True)
class _Quick:
    form: str
    decimals: int


def general(text: str) -> str:
    """A number without a format: up to 15 digits, as a spreadsheet's formula bar shows it."""
    if text.isdecimal():
        return text
    try:
        value = float(text)
    except ValueError:
        return text
    return str(int(value)) if value.is_integer() and abs(value) < _EXACT else f"{value:.15g}"


@lru_cache(maxsize=4096)
def show_by(code: str, epoch_1904: bool) -> Show:
    """Return what shows a number by a format's code."""
    if code.lower() in ("general", "@", ""):
        return general
    sections = [_section(match[0], epoch_1904) for match in _SECTION.finditer(code) if match[0] or match.start() == 0]
    sections = sections[:4] or [_Section(general=True)]
    quick = _quick(sections)

    def show(text: str) -> str:
        try:
            value = float(text)
            if quick and 0 < value < _EXACT and len(text.partition(".")[2]) <= quick.decimals:
                return quick.form.format(value)
            if not isfinite(value):
                return text
            section, signed = _choose(sections, value)
            shown = _show(section, value)
        except (ValueError, ArithmeticError):
            return text
        minus = "-" if signed and value < 0 and not section.date and re.search("[1-9]", shown) else ""
        return f"{minus}{shown}".strip()

    return show


def _quick(sections: list[_Section]) -> "_Quick | None":
    """How an ordinary positive number is shown that needs no rounding, which is nearly every cell of a large sheet."""
    first = sections[0]
    plain = first.template and not (first.date or first.percent or first.exponent or first.fraction or first.general)
    digits = re.fullmatch(r"#?,?#*0(?:\.(0+))?", "".join(first.template))
    if not plain or not digits or first.divisor != 1 or any(section.condition for section in sections):
        return None
    prefix, suffix = (text.replace("{", "{{").replace("}", "}}") for text in (first.prefix, first.suffix))
    decimals = len(digits[1] or "")
    form = f"{prefix}{{:{',' if first.thousands else ''}.{decimals}f}}{suffix}"
    return _Quick(form.strip(), decimals)


def _choose(sections: list[_Section], value: float) -> tuple[_Section, bool]:
    """The section for a value, and whether a minus sign is still to be written."""
    if any(section.condition for section in sections):
        for section in sections:
            if section.condition is None or _holds(section.condition, value):
                return section, True
        return sections[-1], True
    if value < 0 and len(sections) > 1:
        return sections[1], False
    if value == 0 and len(sections) > 2:
        return sections[2], False
    return sections[0], len(sections) == 1


def _holds(condition: str, value: float) -> bool:
    operator = condition.rstrip("-.0123456789")
    return _COMPARISONS.get(operator, _COMPARISONS["="])(value, float(condition[len(operator) :]))


def _section(code: str, epoch_1904: bool) -> _Section:
    section = _Section()
    tokens = [(match.lastgroup or "", match[match.lastgroup or 0]) for match in _TOKEN.finditer(code)]
    if any(kind in ("date", "elapsed") for kind, _ in tokens):
        section.date = DateFormat.of(tokens, epoch_1904)
        return section
    for kind, text in tokens:
        _add(section, kind, text)
    for position in range(len(section.template) - 1, -1, -1):
        if section.template[position] != ",":
            break
        section.divisor *= 1000
        section.template.pop()
    digits = "".join(section.template)
    section.whole, _, section.decimals = digits.replace(",", "").partition(".")
    section.thousands = "," in digits
    return section


def _add(section: _Section, kind: str, text: str) -> None:
    """Add one token: digits and marks to the template, texts to what stands before or after it."""
    if kind == "digit" or (kind == "mark" and text in ".,"):
        if section.suffix.strip() and section.template and kind == "digit":
            section.template.append(f'"{section.suffix}')  # a text between digits: a phone number
            section.suffix = ""
        if not section.exponent and not section.fraction:
            section.template.append(text)
    elif kind == "general" or text == "@":
        section.general = True
    elif kind == "exponent":
        section.exponent = True
    elif kind == "mark" and text == "/":
        section.fraction = 2
    elif kind == "condition":
        section.condition = text
    elif kind in ("text", "escaped", "currency", "other", "space", "mark"):
        section.percent += kind == "mark" and text == "%"
        shown = " " if kind == "space" else text
        if section.template or section.general:
            section.suffix += shown
        else:
            section.prefix += shown


def _show(section: _Section, value: float) -> str:
    if section.date:
        return section.date.show(value)
    shown = _digits(section, abs(value) * 100**section.percent / section.divisor)
    return f"{section.prefix}{shown}{section.suffix}"


def _digits(section: _Section, value: float) -> str:
    if section.general:
        return general(repr(value))
    if not section.template:
        return ""
    if any(part.startswith('"') for part in section.template):
        return _fill(section.template, f"{value:.0f}")
    if section.fraction:
        return _fraction(value)
    longest = min(len(section.decimals), _MAX_DECIMALS)
    if section.exponent:
        return f"{value:.{longest}E}"
    rounded = Decimal(f"{value:.15g}").quantize(Decimal(1).scaleb(-longest), ROUND_HALF_UP)
    whole, _, decimals = f"{rounded:{',' if section.thousands else ''}f}".partition(".")
    needed = len(section.decimals.rstrip("#?"))
    while len(decimals) > needed and decimals.endswith("0"):
        decimals = decimals[:-1]
    width = section.whole.count("0")
    whole = "" if whole == "0" and not width else whole.zfill(width)
    return f"{whole}.{decimals}" if decimals else whole


def _fraction(value: float) -> str:
    nearest = Fraction(value).limit_denominator(99)
    whole, rest = divmod(nearest.numerator, nearest.denominator)
    part = f"{rest}/{nearest.denominator}" if rest else ""
    return " ".join(filter(None, (str(whole) if whole or not rest else "", part)))


def _fill(template: list[str], digits: str) -> str:
    """Put digits into a template with texts between them, from the right."""
    shown: list[str] = []
    for part in reversed(template):
        if part.startswith('"'):
            shown.append(part[1:])
            continue
        taken, digits = digits[-len(part) :], digits[: -len(part)]
        shown.append(taken.rjust(len(part), "0") if "0" in part else taken)
    return digits + "".join(reversed(shown))
