"""A table for terminals of any width. Rich is imported with this module, and this module late."""

from typing import Final

from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table

GAP: Final = 3
"""Between two columns."""


class WholeTable(Table):
    """A table without lines that is rather wider than the terminal than without the end of a number or an id.

    Rich takes width away from all columns where it has to; a terminal breaks lines that are too long for it. `least` is
    the width that the columns' contents take, in cells.
    """

    def __init__(self) -> None:
        super().__init__(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
        self.least = 0

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Render at the width that it takes."""
        if self.least > options.max_width:
            # What is printed is cut at the console's width.
            console.width = self.least
            options = options.update_width(self.least)
        yield from super().__rich_console__(console, options)
