"""Runs the matrix: each operation, by each caller, about each target, with what it must answer."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from tests.builders.rest_api import Answer
from tests.integration.matrix.document import Operation
from tests.integration.matrix.report import Report
from tests.integration.matrix.rows import ROWS
from tests.integration.matrix.rule import CALLERS, NOT_FOUND, Caller, Outcome, Target, refusal, targets
from tests.integration.matrix.world import NOBODYS, World


@dataclass(frozen=True)
class Cell:
    """One request of the matrix. `refused`: whoever asks may not have this done."""

    operation: Operation
    caller: Caller
    target: Target
    expected: Outcome
    refused: bool

    @property
    def by_stranger(self) -> bool:
        """Whether it must tell and change nothing of the victim's. Who is a member of both sees that of oneself."""
        permission = self.operation.permission or ""
        of_oneself = self.caller.in_both and permission.startswith("self.")
        return bool(permission) and self.caller.tenant == "other" and not of_oneself

    def __str__(self) -> str:
        return f"{self.operation.id} by {self.caller.name} ({self.target})"


def cells_of(operation: Operation, callers: Iterable[Caller] = CALLERS) -> list[Cell]:
    """Return the operation's cells."""
    return [_cell(operation, caller, target) for caller in callers for target in targets(operation, caller)]


def _cell(operation: Operation, caller: Caller, target: Target) -> Cell:
    row = ROWS[operation.id]
    refused = refusal(operation, caller, target)
    if refused is None and row.finer is not None:
        refused = row.finer(caller, target)
    return Cell(operation, caller, target, refused or row.outcome, refused is not None)


def run(world: World) -> Report:
    """Try every cell; each begins with the same state."""
    report = Report()
    for operation in world.operations:
        cells = cells_of(operation)
        for cell in cells:
            report.count(operation.id, cell.caller.name, cell.expected)
        _refused(world, [cell for cell in cells if cell.refused], report)
        _served(world, [cell for cell in cells if not cell.refused], report)
    return report


def _refused(world: World, cells: list[Cell], report: Report) -> None:
    """Try the cells that must change nothing at all."""
    for cell in cells:
        answer = ask(world, cell)
        report.expect(cell, answer, cell.expected)
        report.note(report.leaks, f"{cell} was told", world.told(answer, sent(world, cell)))
        if cell.expected == NOT_FOUND:
            report.expect_the_same(cell, answer, ask(world, cell, nobodys=True), _ids(world, cell))
        if answer.status < 400 or cell is cells[-1]:
            report.note(report.changes, f"{cell} was refused and changed", world.changed() + world.sent())
            world.put_back()


def _served(world: World, cells: list[Cell], report: Report) -> None:
    """Try the cells that may do what they are for, and undo it after each that writes."""
    for cell in cells:
        answer = ask(world, cell)
        report.expect(cell, answer, cell.expected)
        if cell.by_stranger:
            report.note(report.leaks, f"{cell} was told", world.told(answer, sent(world, cell)))
        if cell.operation.method != "GET" or cell is cells[-1]:
            harmed = world.changed(victims=True) if cell.by_stranger else []
            report.note(report.changes, f"{cell} changed", harmed)
            world.put_back()


def ask(world: World, cell: Cell, *, nobodys: bool = False) -> Answer:
    """Send the cell's request; `nobodys`: about objects that do not exist."""
    row = ROWS[cell.operation.id]
    return world.api.request(
        cell.operation.method,
        _path(world, cell, nobodys=nobodys),
        row.content(world),
        token=world.credential(cell.caller, cell.operation),
        query={name: [value] for name, value in row.query.items()},
        headers=row.headers,
    )


def sent(world: World, cell: Cell) -> str:
    """Return what the request itself names."""
    return _path(world, cell) + json.dumps(ROWS[cell.operation.id].content(world))


def _ids(world: World, cell: Cell) -> list[str]:
    """Return the ids that the request names, its own and nobody's."""
    parameters = world.parameters(cell.caller, cell.target)
    return [NOBODYS, *(value for name, value in parameters.items() if name.endswith("_id"))]


def _path(world: World, cell: Cell, *, nobodys: bool = False) -> str:
    parameters = world.parameters(cell.caller, cell.target)
    if nobodys:
        kept = world.own[cell.caller.name] if cell.target == "own" else {}
        parameters = {name: NOBODYS if name.endswith("_id") else value for name, value in parameters.items()} | kept
    return cell.operation.path.format(**parameters)
