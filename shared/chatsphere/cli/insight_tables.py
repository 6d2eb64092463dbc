"""Insights as tables of a terminal, with a bar for the number that matters."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from chatsphere.cli.formatting import moment, one_line
from chatsphere.cli.output import Rows

if TYPE_CHECKING:
    from rich.console import Console

Row = Mapping[str, Any]
Cell = Callable[[Row], str]

BAR: Final = 30
_EIGHTHS: Final = " ▏▎▍▌▋▊▉"


@dataclass(frozen=True)
class Column:
    """A column: its head, and how a cell is made. `wide`: text that may be broken."""

    head: str
    cell: Cell
    number: bool = True
    wide: bool = False


def bar(value: float, most: float, width: int = BAR) -> str:
    """Return a bar of up to `width` characters, exact to an eighth of one."""
    eighths = round(8 * width * value / most) if most > 0 else 0
    whole, rest = divmod(max(0, eighths), 8)
    return "█" * whole + (_EIGHTHS[rest] if rest else "")


def number(name: str) -> Cell:
    """Return a cell of a count."""
    return lambda row: f"{row[name]:,}"


def share(name: str) -> Cell:
    """Return a cell of a share, empty where there is none."""
    return lambda row: "" if row[name] is None else f"{row[name]:.1%}"


def dollars(name: str) -> Cell:
    """Return a cell of an amount that is kept in millionths."""
    return lambda row: "" if row[name] is None else f"${row[name] / 1_000_000:,.4f}"


def milliseconds(name: str) -> Cell:
    """Return a cell of a time."""
    return lambda row: f"{row[name]:,.0f}"


def text(name: str, width: int = 160) -> Cell:
    """Return a cell of text on one line."""
    return lambda row: one_line(row[name] or "", width)


def time(name: str) -> Cell:
    """Return a cell of a moment, empty where there is none."""
    return lambda row: moment(row[name])


def group(row: Row) -> str:
    """Return what a row is about."""
    name, value = row.get("name"), row.get("group")
    return one_line(name or value or "–", 40)


def show_groups(
    console: "Console", by: str, report: Mapping[str, Any], columns: Sequence[Column], charted: str, total: Row | None
) -> None:
    """Print a row of each group and one of all of them, with a bar of `charted` as long as there is room for."""
    if not report["data"]:
        console.print(f"Nothing from {report['since']} to {report['until']}.")
        return
    # The head of the bars is one cell longer than their column's name: no two columns have the same.
    chart, room = f"{charted.replace('_', ' ')} ", console.width
    numbers = _groups(by, report["data"], columns, total)
    left = min(BAR, room - numbers.table.least - 3)
    if left < len(chart):
        console.print(numbers.table)
        return
    most = max(row[charted] or 0 for row in report["data"])
    bars = Column(chart, lambda row: bar(row[charted] or 0, most, left), number=False)
    console.print(_groups(by, report["data"], [*columns, bars], total).table)


def _groups(by: str, data: Sequence[Row], columns: Sequence[Column], total: Row | None) -> Rows:
    heads = [by.replace("_", " "), *(column.head for column in columns)]
    rows = Rows(heads, right=[column.head for column in columns if column.number])
    for row in data:
        rows.add(group(row), *(column.cell(row) for column in columns))
    if total is not None:
        rows.add("all", *(column.cell(total) if column.number else "" for column in columns), style="bold")
    return rows


def show_list(console: "Console", rows: Sequence[Row], columns: Sequence[Column]) -> None:
    """Print a row of each, or that there is nothing."""
    if not rows:
        console.print("Nothing.")
        return
    table = Rows(
        [column.head for column in columns],
        right=[column.head for column in columns if column.number],
        wrap=[column.head for column in columns if column.wide],
    )
    for row in rows:
        table.add(*(column.cell(row) for column in columns))
    console.print(table.table)
