"""What a command prints: its result on stdout, as text or as JSON; everything else on stderr."""

import json
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from chatsphere.cli.errors import ApiError, CliError

if TYPE_CHECKING:
    from rich.console import Console

PIPED_WIDTH = 160
"""Columns where there is no terminal to ask: tables in a file or a pipe are not squeezed into 80."""


NARROWEST = 16
"""What a column is left with whose text may be cut or broken."""


class Output:
    """The two streams. With `as_json`, stdout holds one JSON document and nothing else."""

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json

    @property
    def interactive(self) -> bool:
        """Whether progress can be shown: a person looks at stderr."""
        return not self.as_json and sys.stderr.isatty()

    def console(self, *, stderr: bool = False) -> "Console":
        """Return a rich console; it drops colours by itself when NO_COLOR is set or no terminal is there."""
        from rich.console import Console

        stream = sys.stderr if stderr else sys.stdout
        # Plain text only: names and passages may hold what looks like rich's markup.
        width = None if stream.isatty() else PIPED_WIDTH
        return Console(file=stream, width=width, markup=False, emoji=False, highlight=False, soft_wrap=False)

    def result(self, value: Any, show: Callable[["Console"], None]) -> None:
        """Print a command's result."""
        if self.as_json:
            self.json(value)
        else:
            show(self.console())

    def json(self, value: Any) -> None:
        """Print one JSON document."""
        ascii_only = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
        print(json.dumps(value, indent=2, ensure_ascii=ascii_only))

    def json_line(self, value: Any) -> None:
        """Print one JSON document of several on a line of its own, at once."""
        ascii_only = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
        print(json.dumps(value, ensure_ascii=ascii_only), flush=True)

    def note(self, text: str) -> None:
        """Say something that is not the result."""
        if not self.as_json:
            self.console(stderr=True).print(text, style="dim", soft_wrap=True)

    def error(self, error: CliError) -> None:
        """Print what went wrong and what to do about it; with `as_json` on stdout too."""
        if self.as_json:
            self.json({"error": error.as_json()})
        console = self.console(stderr=True)
        fields = error.fields if isinstance(error, ApiError) else []
        console.print(f"Error: {'This is not valid:' if fields else error.detail}", style="red", soft_wrap=True)
        for field in fields:
            # A person named an option or an argument, and no place in a request.
            name = str(field.get("pointer", "")).removeprefix("body/").removeprefix("query/")
            console.print(f"  {name}: {field.get('detail')}", soft_wrap=True)
        if isinstance(error, ApiError):
            request = f", request {error.request_id}" if error.request_id else ""
            console.print(f"  {error.code} (status {error.status}{request})", style="dim")
        if error.hint:
            console.print(f"  {error.hint}", soft_wrap=True)


class Rows:
    """A table without lines: columns of `right` hold numbers; to fit, those of `elide` are cut, of `wrap` broken."""

    def __init__(
        self, columns: Sequence[str], *, right: Sequence[str] = (), elide: Sequence[str] = (), wrap: Sequence[str] = ()
    ) -> None:
        from chatsphere.cli.whole_table import WholeTable

        self.table = WholeTable()
        self._elided = [column in elide for column in columns]
        self._kept = [column not in elide and column not in wrap for column in columns]
        self._widths = [0] * len(columns)
        for column, elided in zip(columns, self._elided, strict=True):
            # Only columns that may wrap give up width; an elided cell then refuses to wrap.
            justify: Literal["left", "right"] = "right" if column in right else "left"
            self.table.add_column(column, justify=justify, no_wrap=not elided and column not in wrap, overflow="fold")
        self._measure(columns)

    def add(self, *cells: str, style: str | None = None) -> None:
        """Add a row of plain texts."""
        from rich.text import Text

        texts = [
            Text(cell, no_wrap=True, overflow="ellipsis") if elided else Text(cell)
            for cell, elided in zip(cells, self._elided, strict=True)
        ]
        self.table.add_row(*texts, style=style)
        self._measure(cells)

    def _measure(self, cells: Sequence[str]) -> None:
        """Keep the width that the table takes at least, with these cells, too."""
        from rich.cells import cell_len

        from chatsphere.cli.whole_table import GAP

        for place, (cell, kept) in enumerate(zip(cells, self._kept, strict=True)):
            width = cell_len(cell) if kept else min(cell_len(cell), NARROWEST)
            self._widths[place] = max(self._widths[place], width)
        self.table.least = sum(self._widths) + GAP * (len(self._widths) - 1)
