"""Many at once, each over a database connection of its own, as so many Lambda environments are."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Barrier
from typing import TypeVar

from chatsphere.db.database import Database
from chatsphere.errors import ChatSphereError

Result = TypeVar("Result")


def race(url: str, runners: int, work: Callable[[Database, int], Result]) -> list[Result | ChatSphereError]:
    """Let all begin at the same moment; return each one's result, or the error that it was refused with."""
    start = Barrier(runners)

    def run(number: int) -> Result | ChatSphereError:
        with closing(Database(url)) as database:
            with database.transaction(None):
                pass
            start.wait(30)
            try:
                return work(database, number)
            except ChatSphereError as error:
                return error

    with ThreadPoolExecutor(runners) as threads:
        return list(threads.map(run, range(runners)))
