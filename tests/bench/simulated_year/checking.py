"""Comparing what is left in the database, and what is in the archive, with the model: each row by itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
import psycopg

from tests.bench.simulated_year.model import Model
from tests.bench.simulated_year.world import Flags, index_of

SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Difference:
    """Rows that are where they should not be, or are not where they should: some of them by their index."""

    what: str
    rows: int
    examples: Sequence[int]

    def __str__(self) -> str:
        return f"{self.what}: {self.rows} rows, such as {list(self.examples)}"


def differences(model: Model, admin_url: str, archive: Path) -> list[Difference]:
    """Compare messages and conversations, in the database and in the archive, with the model."""
    found: list[Difference] = []
    with psycopg.connect(admin_url) as connection:
        connection.execute("SET work_mem = '256MB'")
        for table, expected in (("messages", model.present), ("conversations", model.open)):
            with connection.cursor(f"all_{table}") as cursor:
                cursor.execute(f"SELECT id FROM {table}")
                seen = _seen((index_of(row[0]) for row in cursor), len(expected))
            found += _compare(f"{table} in the database", expected, seen)
    for dataset, expected in (("messages", model.archived), ("conversations", model.archived_conversations)):
        seen = _seen((index_of_text(id_) for id_ in archived_ids(archive, dataset)), len(expected))
        found += _compare(f"{dataset} in the archive", expected, seen)
    return found


def wrong_contents(archive: Path) -> int:
    """Return how many archived messages do not say, to the byte, what was said, when and by whom."""
    (row,) = _query(
        archive,
        "messages",
        """
        SELECT count(*) FROM (
            SELECT *, ('0x' || right(replace(id, '-', ''), 12))::BIGINT AS n FROM archived)
        WHERE content <> 'message ' || n || ': ' || repeat('what somebody said ', CAST(n % 5 AS INTEGER))
           OR strftime(created_at AT TIME ZONE 'UTC', '%Y-%m') <> CAST(month AS VARCHAR)
        """,
    )
    return int(row[0])


def archived_ids(archive: Path, dataset: str) -> list[str]:
    """Return the ids of a dataset's rows, a row that is there twice twice."""
    return [row[0] for row in _query(archive, dataset, "SELECT id FROM archived")]


def index_of_text(id_: str) -> int:
    """Return the index that an id was made of."""
    return int(id_.replace("-", "")[-12:], 16)


def _query(archive: Path, dataset: str, query: str) -> list[Any]:
    files = f"{archive}/archive/v1/{dataset}/**/*.parquet"
    if not next(archive.glob(f"archive/v1/{dataset}/**/*.parquet"), None):
        return []
    with duckdb.connect() as database:
        database.execute(
            "CREATE VIEW archived AS FROM "
            f"read_parquet('{files}', hive_partitioning = true, hive_types_autocast = false)"
        )
        return database.execute(query).fetchall()


def _seen(indices: Any, length: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.bincount(np.fromiter(indices, np.int64), minlength=length)


def _compare(what: str, expected: Flags, seen: np.ndarray[Any, np.dtype[np.int64]]) -> list[Difference]:
    kinds = {
        f"{what}, and should be gone": (seen > 0) & ~expected,
        f"{what}: missing": (seen == 0) & expected,
        f"{what}: more than once": seen > 1,
    }
    return [
        Difference(kind, int(wrong.sum()), np.flatnonzero(wrong)[:SHOWN].tolist())
        for kind, wrong in kinds.items()
        if wrong.any()
    ]
