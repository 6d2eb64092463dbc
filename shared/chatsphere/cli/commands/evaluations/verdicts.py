"""Promises that a command holds its numbers against."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from chatsphere.cli.errors import ExitCode

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True, slots=True)
class Promise:
    """What was promised, in words, and whether the number keeps it."""

    name: str
    value: float
    least: float

    @property
    def kept(self) -> bool:
        """Whether the number is large enough."""
        return self.value >= self.least

    def as_json(self) -> dict[str, Any]:
        """Return it for `--json`."""
        return {**asdict(self), "value": round(self.value, 5), "least": round(self.least, 5), "kept": self.kept}


def show_promises(console: "Console", promises: Sequence[Promise]) -> None:
    """Print each promise and whether it is kept."""
    for promise in promises:
        word, style = ("kept", "green") if promise.kept else ("not kept", "red")
        console.print(f"{promise.name}: {promise.value:.4f} ≥ {promise.least:.4f}: {word}", style=style)


def exit_code(promises: Sequence[Promise], *, required: bool, failed: bool = False) -> ExitCode:
    """Return what the command exits with: passages that could not be loaded are a failure, required or not."""
    broken = required and not all(promise.kept for promise in promises)
    return ExitCode.FAILED if broken or failed else ExitCode.OK
