"""What a Pinecone index holds: a log of writes for each namespace, and two views of it that may lag behind."""

import math
import operator
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

View = Literal["search", "listing"]
VIEWS: tuple[View, ...] = ("search", "listing")
NEVER = 1_000_000_000
"""Reads that nobody makes."""

Records = dict[str, dict[str, Any]]
_ORDER = {"$gt": operator.gt, "$gte": operator.ge, "$lt": operator.lt, "$lte": operator.le}
Change = Callable[[Records], None]


@dataclass
class Staleness:
    """A write is seen by searches after `searches` further searches of its namespace and by listings (`list`,
    `fetch`, namespace descriptions, index statistics) after `listings` further ones, or by all after `seconds`.

    Without `positions` no answer says how far in the log it is, as of an emulator that keeps none.
    """

    searches: int = 0
    listings: int = 0
    seconds: float = math.inf
    positions: bool = True

    @classmethod
    def lasting(cls, seconds: float) -> "Staleness":
        """Return one in which every write stays unseen for so long, however often it is looked for."""
        return cls(searches=NEVER, listings=NEVER, seconds=seconds)

    def reads(self, view: View) -> int:
        """Return how many reads the view lags behind."""
        return self.searches if view == "search" else self.listings


@dataclass
class _Write:
    position: int
    change: Change | None  # None: the namespace was deleted
    at: float
    reads_left: dict[View, int]


@dataclass
class _Seen:
    """One view of a namespace. `position` is None until a write was seen, and again once it was deleted."""

    records: Records = field(default_factory=dict)
    position: int | None = None
    pending: list[_Write] = field(default_factory=list)


class NamespaceLog:
    """One namespace. `exists` is what writes see, at once; `written` is what reads will see in the end."""

    def __init__(self, staleness: Staleness) -> None:
        self._staleness = staleness
        self._views = {view: _Seen() for view in VIEWS}
        self._last = 0
        self.exists = False
        self.written: Records = {}

    def write(self, change: Change | None) -> int:
        """Append a change, or the namespace's deletion; return its log sequence number."""
        self._last += 1
        self.exists = change is not None
        if change is None:
            self.written.clear()
        else:
            change(self.written)
        write = _Write(self._last, change, time.monotonic(), {v: self._staleness.reads(v) for v in VIEWS})
        for view in self._views.values():
            view.pending.append(write)
        if change is None:
            # A namespace that is made again starts to count anew.
            self._last = 0
        return write.position

    def read(self, view: View) -> _Seen:
        """Return what a read sees now."""
        seen = self._views[view]
        while seen.pending and self._is_due(seen.pending[0], view):
            _apply(seen, seen.pending.pop(0))
        for write in seen.pending:
            write.reads_left[view] -= 1
        return seen

    def _is_due(self, write: _Write, view: View) -> bool:
        return write.reads_left[view] <= 0 or time.monotonic() >= write.at + self._staleness.seconds


def _apply(seen: _Seen, write: _Write) -> None:
    if write.change is None:
        seen.records.clear()
        seen.position = None
    else:
        write.change(seen.records)
        seen.position = write.position


def matches(metadata: Mapping[str, Any], condition: Mapping[str, Any]) -> bool:
    """Return whether the metadata fits the filter.

    Raises:
        ValueError: the filter is none that Pinecone takes.
    """
    # Each is looked at, so that a wrong one is refused wherever it stands.
    fits = [_matches_one(metadata, key, wanted) for key, wanted in condition.items()]
    return all(fits)


def _matches_one(metadata: Mapping[str, Any], key: str, wanted: Any) -> bool:
    if key in ("$and", "$or"):
        results = [matches(metadata, part) for part in wanted]
        return all(results) if key == "$and" else any(results)
    if key.startswith("$"):
        raise ValueError(f"illegal condition for {key}")
    operators = wanted if isinstance(wanted, Mapping) else {"$eq": wanted}
    fits = [_compare(name, metadata.get(key), operand) for name, operand in operators.items()]
    return all(fits)


def _compare(name: str, value: Any, operand: Any) -> bool:
    if name in ("$in", "$nin"):
        if not isinstance(operand, list) or len(operand) > 10_000:
            raise ValueError(f"{name} takes a list of at most 10000 values")
        return bool(value in operand) == (name == "$in")
    if name == "$exists":
        return (value is not None) == bool(operand)
    if not isinstance(operand, str | int | float):
        raise ValueError(f"{name} takes a string, a number or a boolean")  # noqa: TRY004
    if name in ("$eq", "$ne"):
        return bool(value == operand) == (name == "$eq")
    if name not in _ORDER:
        raise ValueError(f"{name} is not a valid operator")
    return isinstance(value, int | float) and bool(_ORDER[name](value, operand))


def unit(vector: Sequence[float]) -> Any:
    """Return the vector at length one, as an array."""
    array = np.asarray(vector, dtype=np.float32)
    return array / np.linalg.norm(array)
