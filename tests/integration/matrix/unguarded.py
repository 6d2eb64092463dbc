"""The same requests with the application's own guards taken away: the database's policies are on their own."""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any, Final
from unittest.mock import patch

import psycopg
from psycopg import sql

from chatsphere.chat.asgi import services_from_environment
from chatsphere.db.database import Connection, Database
from chatsphere.http import gate
from chatsphere.http.gate import Visit
from tests.integration.matrix.cells import Cell, ask, cells_of, sent
from tests.integration.matrix.report import Report
from tests.integration.matrix.rule import CALLERS
from tests.integration.matrix.world import World

FILTER: Final = re.compile(
    r"\b(?:\w+\.)?(?:organization_id|id) = (?:app\.current_organization\(\)|%\(organization(?:_id)?\)s)"
)

STRANGERS: Final = [caller for caller in CALLERS if caller.tenant == "other"]


def run_unguarded(world: World, *, policies: bool = True) -> Report:
    """Try every cell of another tenant's without filters and gate; `policies`: whether the database's hold.

    What such a request is answered is not laid down: it must tell and change nothing of the victim's.
    """
    report = Report()
    with _unguarded(world, report.stripped, policies=policies):
        for operation in world.operations:
            _try_all(world, [cell for cell in cells_of(operation, STRANGERS) if cell.by_stranger], report)
    return report


def _try_all(world: World, cells: list[Cell], report: Report, *, exact: bool = False) -> None:
    """Try an operation's cells; `exact`: what each is answered counts, and each begins with the same state."""
    for cell in cells:
        answer = ask(world, cell)
        report.count(cell.operation.id, cell.caller.name, cell.expected)
        report.note(report.leaks, f"{cell} was told", world.told(answer, sent(world, cell)))
        if exact:
            report.expect(cell, answer, cell.expected)
        if cell is cells[-1] or (exact and cell.operation.method != "GET" and answer.status < 400):
            report.note(report.changes, f"{cell.operation.id} changed", world.changed(victims=True))
            world.put_back()


def run_without_policies(world: World) -> Report:
    """Try the same cells with filters and gate in place, and no policy: each must answer what it always does."""
    report = Report()
    database = Database(world.urls.admin)
    with _connected_by(world, database):
        for operation in world.operations:
            _try_all(world, [cell for cell in cells_of(operation, STRANGERS) if cell.by_stranger], report, exact=True)
    return report


@contextmanager
def _unguarded(world: World, stripped: set[str], *, policies: bool) -> Iterator[None]:
    """Run the application without its filters and its gate's look at path and bot."""
    database = UnfilteredDatabase(world.urls.app if policies else world.urls.admin, stripped)
    with _connected_by(world, database), ExitStack() as stack:
        stack.enter_context(patch.object(Visit, "check", lambda visit: visit.caller.require(visit.permission)))
        # Without policies the gate's own statements find everybody's rows, and fail.
        for statement in () if policies else ("taking", "looking_up"):
            stack.enter_context(patch.object(gate, statement, lambda *_: lambda: None))
        yield


@contextmanager
def _connected_by(world: World, database: Database) -> Iterator[None]:
    """Let the application use another connection."""
    container = world.api.container
    former = {name: vars(container).pop(name) for name in ("database", "vector_store")}
    vars(container).update(database=database)
    services_from_environment.cache_clear()
    try:
        yield
    finally:
        database.close()
        vars(container).update(former)
        services_from_environment.cache_clear()


class UnfilteredDatabase(Database):
    """A database to whose statements the tenant is all the same."""

    def __init__(self, url: str, stripped: set[str]) -> None:
        super().__init__(url)
        self._stripped = stripped

    def _open(self) -> Connection:
        connection = super()._open()
        connection.cursor_factory = partial(UnfilteredCursor, self._stripped)  # type: ignore[assignment]
        return connection


class UnfilteredCursor(psycopg.Cursor[Any]):
    """Runs each statement without its conditions on the tenant."""

    def __init__(self, stripped: set[str], connection: Connection, **named: Any) -> None:
        super().__init__(connection, **named)
        self._stripped = stripped

    def execute(self, query: Any, params: Any = None, **named: Any) -> Any:
        """See `psycopg.Cursor.execute`."""
        return super().execute(self._without_filter(query), params, **named)

    def executemany(self, query: Any, params_seq: Any, **named: Any) -> None:
        """See `psycopg.Cursor.executemany`."""
        super().executemany(self._without_filter(query), params_seq, **named)

    def _without_filter(self, query: Any) -> str:
        text = query.as_string(self) if isinstance(query, sql.Composable) else str(query)
        bare = FILTER.sub("true", text)
        if bare != text:
            self._stripped.add(text)
        return bare
