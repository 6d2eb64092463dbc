"""Insights as pictures. Matplotlib is imported late, and by whoever plots only."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from chatsphere.cli.errors import CliError
from chatsphere.cli.insight_tables import Row, group

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_BARS: Final = 20
"""Groups that are told apart in one picture: the largest."""

GREY: Final = "#6b7280"


@dataclass(frozen=True)
class Series:
    """One of the numbers of a picture: its label, colour, and how it is read of a row; None where there is none."""

    label: str
    colour: str
    value: Callable[[Row], float | None]


@dataclass(frozen=True)
class Panel:
    """One part of a picture. `stacked`: the series add up to something; else each is a line."""

    title: str
    unit: str
    series: Sequence[Series]
    stacked: bool = True
    whole: bool = False


def plot(report: Mapping[str, Any], panels: Sequence[Panel], title: str, path: Path) -> None:
    """Write the report's groups as a PNG.

    Raises:
        CliError: matplotlib is not installed, or the file cannot be written.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        raise CliError(
            "Pictures need matplotlib.", hint="Install it: pip install matplotlib", code="no_matplotlib"
        ) from None
    by_day = report["group_by"] == "day"
    rows = _days(report) if by_day else _largest(report["data"], panels[0])
    height = 3.6 * len(panels) if by_day else max(2.4, 0.42 * len(rows) + 1.6) * len(panels)
    figure = Figure(figsize=(10, height), facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(f"{title}, {report['since']} to {report['until']}", x=0.01, ha="left", fontsize=14, weight="bold")
    for axes, panel in zip(_axes(figure, len(panels)), panels, strict=True):
        (_draw_days if by_day else _draw_groups)(axes, rows, panel)
        _finish(axes, panel, along="y" if by_day else "x")
    try:
        figure.savefig(path, format="png", dpi=150)
    except OSError as error:
        raise CliError(f"{path} cannot be written: {error.strerror}.", code="not_written") from error


def _axes(figure: "Figure", count: int) -> "Sequence[Axes]":
    return [row[0] for row in figure.subplots(count, 1, squeeze=False)]


def _days(report: Mapping[str, Any]) -> Sequence[Row]:
    """Return a row for every day of the period: one without events is a gap, and not left out."""
    there = {row["group"]: row for row in report["data"]}
    first, last = date.fromisoformat(report["since"]), date.fromisoformat(report["until"])
    days = (str(first + timedelta(days=n)) for n in range((last - first).days + 1))
    return [there.get(day, {"group": day}) for day in days]


def _largest(rows: Sequence[Row], panel: Panel) -> Sequence[Row]:
    ranked = sorted(rows, key=lambda row: sum(series.value(row) or 0 for series in panel.series), reverse=True)
    return ranked[:MOST_BARS]


def _values(rows: Sequence[Row], series: Series) -> list[float]:
    values = [series.value(row) if len(row) > 1 else None for row in rows]
    return [float("nan") if value is None else value for value in values]


def _draw_days(axes: "Axes", rows: Sequence[Row], panel: Panel) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    days = [date.fromisoformat(row["group"]) for row in rows]
    below = [0.0] * len(rows)
    for series in panel.series:
        values = _values(rows, series)
        if panel.stacked:
            heights = [0.0 if value != value else value for value in values]
            axes.bar(days, heights, 0.85, below, label=series.label, color=series.colour)  # type: ignore[arg-type]
            below = [low + height for low, height in zip(below, heights, strict=True)]
        else:
            axes.plot(days, values, label=series.label, color=series.colour, marker="o", markersize=3.5, linewidth=1.8)  # type: ignore[arg-type]
    axes.set_xlim(days[0] - timedelta(days=1), days[-1] + timedelta(days=1))  # type: ignore[arg-type]
    locator = AutoDateLocator(minticks=3, maxticks=10)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    axes.set_xlabel("day (UTC)", color=GREY)
    axes.set_ylabel(panel.unit, color=GREY)


def _draw_groups(axes: "Axes", rows: Sequence[Row], panel: Panel) -> None:
    places = range(len(rows))
    left = [0.0] * len(rows)
    thickness = 0.75 if panel.stacked else 0.75 / len(panel.series)
    for number, series in enumerate(panel.series):
        widths = [0.0 if value != value else value for value in _values(rows, series)]
        offset = 0.0 if panel.stacked else (number - (len(panel.series) - 1) / 2) * thickness
        begin = left if panel.stacked else [0.0] * len(rows)
        axes.barh(
            [place + offset for place in places], widths, thickness, begin, label=series.label, color=series.colour
        )
        left = [low + width for low, width in zip(left, widths, strict=True)]
    # A name is no formula, although it may hold dollars.
    axes.set_yticks(list(places), [group(row) for row in rows], parse_math=False)
    axes.invert_yaxis()
    axes.set_xlabel(panel.unit, color=GREY)


def _finish(axes: "Axes", panel: Panel, *, along: str) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.set_title(panel.title, loc="left", fontsize=11)
    axes.grid(axis="y" if along == "y" else "x", color="#e5e7eb", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    numbers = axes.yaxis if along == "y" else axes.xaxis
    numbers.set_major_locator(MaxNLocator(6, integer=panel.whole))
    (axes.set_ylim if along == "y" else axes.set_xlim)(0, None)
    if len(panel.series) > 1:
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, fontsize=9)
