"""Where time and identifiers come from."""

from datetime import datetime
from typing import Protocol
from uuid import UUID


class Clock(Protocol):
    """The only source of time."""

    def now(self) -> datetime:
        """Return the present time in UTC, with its zone."""
        ...


class Ids(Protocol):
    """The only source of identifiers."""

    def new(self) -> UUID:
        """Return a new UUIDv7: later calls sort after earlier ones."""
        ...
