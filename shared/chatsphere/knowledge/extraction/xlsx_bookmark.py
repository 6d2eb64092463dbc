"""Where reading a workbook can go on: a row of a sheet, by its place in the sheet's part."""

from chatsphere.knowledge.extraction.parsed import Place
from chatsphere.knowledge.extraction.table_rows import BEGINNING, Before
from chatsphere.knowledge.extraction.xlsx_sheet import NOWHERE

_MAX_NAMES_CHARS = 8_000
"""A header that is longer would not fit into a place, where each of its characters may take six."""


class Bookmark:
    """The latest place."""

    def __init__(self) -> None:
        self.place: Place | None = None

    def reach(self, sheet: int, before: Before, head: int) -> None:
        """A row of the sheet with this number, counted from 0, comes next; `head` as of `SheetReader`."""
        names = [[column, name] for column, name in before.names.items()]
        fits = sum(len(name) for name in before.names.values()) + 8 * len(names) < _MAX_NAMES_CHARS
        if before.begins != NOWHERE and fits:
            row = [before.begins, before.number, before.last, before.in_table]
            self.place = {"sheet": sheet, "head": head, "row": row, "names": names}


def read_place(place: Place) -> tuple[Before, int]:
    """What is known at a place, and the length of what stands before the sheet's first row."""
    if not place:
        return BEGINNING, 0
    begins, number, last, in_table = place["row"]
    return Before(begins, number, last, dict(place["names"]), in_table), place["head"]
