"""What came of the cells of a matrix."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.builders.rest_api import Answer
from tests.integration.matrix.rule import Outcome


@dataclass
class Report:
    """Nothing is wrong where `wrong`, `leaks` and `changes` are empty.

    `tried`: how many cells had to be answered with each outcome. `stripped`: statements that ran without their filter.
    """

    operations: set[str] = field(default_factory=set)
    callers: set[str] = field(default_factory=set)
    tried: Counter[Outcome] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    leaks: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    stripped: set[str] = field(default_factory=set)

    @property
    def faults(self) -> list[str]:
        """Everything that must not be."""
        return self.wrong + self.leaks + self.changes

    def count(self, operation: str, caller: str, expected: Outcome) -> None:
        """Note that a cell was tried."""
        self.operations.add(operation)
        self.callers.add(caller)
        self.tried[expected] += 1

    def expect(self, cell: object, answer: Answer, expected: Outcome) -> None:
        """Note an answer that is not the expected one."""
        given = Outcome(answer.status, answer.code)
        if given != expected:
            self.wrong.append(f"{cell}: {given}, not {expected}: {answer.text[:300]}")

    def expect_the_same(self, cell: object, theirs: Answer, nobodys: Answer, ids: Iterable[str] = ()) -> None:
        """Note an answer that tells what is another's from what does not exist."""
        if shape(theirs, ids) != shape(nobodys, ids):
            self.leaks.append(f"{cell}: {theirs.text} for what exists, {nobodys.text} for what does not")

    def note(self, kind: list[str], cell: object, found: list[str]) -> None:
        """Note what a cell told or changed, if anything."""
        if found:
            kind.append(f"{cell}: {found}")

    def __str__(self) -> str:
        stripped = f"{len(self.stripped)} statements without their filter, " if self.stripped else ""
        return (
            f"{len(self.operations)} operations × {len(self.callers)} callers = {self.tried.total()} cells tried, "
            f"{stripped}{len(self.leaks)} leaks, {len(self.changes)} changes of another's data, "
            f"{len(self.wrong)} wrong answers"
        )


def shape(answer: Answer, ids: Iterable[str] = ()) -> tuple[int, Any, list[str]]:
    """Return all of a problem but what names the request: its id, and the ids that it sent."""
    text = answer.text
    for sent in ids:
        text = text.replace(sent, "")
    body = json.loads(text)
    body.pop("request_id", None)
    return answer.status, body, sorted(answer.headers)
