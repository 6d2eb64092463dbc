"""The reliability table: of the questions with such a confidence, how many were answerable."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from chatsphere.cli.output import Rows

if TYPE_CHECKING:
    from rich.console import Console


def show_reliability(console: "Console", title: str, bins: Sequence[dict[str, Any]], error: float) -> None:
    """Print the bins, and by how much the confidence misses what came true."""
    numbers = ["confidence", "questions", "mean confidence", "answerable"]
    rows = Rows(numbers, right=numbers)
    for each in bins:
        span = f"{each['low']:.1f} – {each['high']:.1f}"
        rows.add(span, str(each["count"]), f"{each['mean_score']:.3f}", f"{each['share_positive']:.3f}")
    console.print(f"{title}: expected calibration error {error:.3f}")
    console.print(rows.table)
