"""Progress bars on stderr, where a person looks at it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from chatsphere.cli.output import Output

if TYPE_CHECKING:
    from rich.progress import Progress

SetCount = Callable[[int], None]


class Bars:
    """Labelled bars; without a terminal they take the same calls and show nothing."""

    def __init__(self, progress: "Progress | None") -> None:
        self._progress = progress

    def add(self, label: str, total: int, unit: Callable[[int], str] = str) -> SetCount:
        """Show a bar and return what sets it to a count; `unit` writes a count in words."""
        if self._progress is None:
            return lambda _: None
        progress = self._progress
        task = progress.add_task(label, total=max(1, total), amount=f"{unit(0)} of {unit(total)}")
        return lambda count: progress.update(task, completed=count, amount=f"{unit(count)} of {unit(total)}")


@contextmanager
def bars(output: Output) -> Iterator[Bars]:
    """Show bars until the block ends; they vanish then, and the result takes their place."""
    if not output.interactive:
        yield Bars(None)
        return
    from rich import progress

    label = progress.TextColumn("{task.description}", markup=False)
    amount = progress.TextColumn("{task.fields[amount]}", markup=False)
    columns = (label, progress.BarColumn(), amount, progress.TimeElapsedColumn())
    with progress.Progress(*columns, console=output.console(stderr=True), transient=True) as shown:
        yield Bars(shown)
