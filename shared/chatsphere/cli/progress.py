"""Progress bars on stderr, where a person looks at it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from chatsphere.cli.output import Output

if TYPE_CHECKING:
    from rich.progress import Progress


class SetCount(Protocol):
    """Sets a bar to a count; `detail` says what is being done, `total` what there is to do if that has changed."""

    def __call__(self, count: int, detail: str = "", total: int | None = None) -> None:
        """Show it."""


class Bars:
    """Labelled bars; without a terminal they take the same calls and show nothing."""

    def __init__(self, progress: "Progress | None", output: Output) -> None:
        self._progress = progress
        self._output = output

    def say(self, text: str, *, failed: bool = False) -> None:
        """Print a line of the result, above the bars where there are any."""
        console = self._output.console() if self._progress is None else self._progress.console
        console.print(text, style="red" if failed else None, soft_wrap=True)

    def add(self, label: str, total: int, unit: Callable[[int], str] = str) -> SetCount:
        """Show a bar and return what sets it to a count; `unit` writes a count in words."""
        progress = self._progress
        if progress is None:
            return nothing_to_show
        task, whole = (
            progress.add_task(label, total=max(1, total), amount=f"{unit(0)} of {unit(total)}", detail=""),
            total,
        )

        def show(count: int, detail: str = "", total: int | None = None) -> None:
            end = whole if total is None else total
            amount = f"{unit(count)} of {unit(end)}"
            progress.update(task, completed=count, total=max(1, end), amount=amount, detail=detail)

        return show


def nothing_to_show(count: int, detail: str = "", total: int | None = None) -> None:
    """Nobody is looking."""


@contextmanager
def bars(output: Output) -> Iterator[Bars]:
    """Show bars until the block ends; they vanish then, and the result takes their place."""
    if not output.interactive:
        yield Bars(None, output)
        return
    from rich import progress

    label = progress.TextColumn("{task.description}", markup=False)
    amount = progress.TextColumn("{task.fields[amount]}", markup=False)
    detail = progress.TextColumn("{task.fields[detail]}", markup=False)
    columns = (label, progress.BarColumn(), amount, progress.TimeElapsedColumn(), detail)
    with progress.Progress(*columns, console=output.console(stderr=True), transient=True) as shown:
        yield Bars(shown, output)
