"""What the archive holds of each table."""

from typing import Final

import pytest

from chatsphere.archive.datasets import DATASETS, NAMESPACE_COLUMNS, DatasetName
from chatsphere.db.database import Database

LEFT_OUT: Final = {"conversations": {"kept_until"}}
"""Columns that say nothing of what was, with the reason at their table."""

COLUMNS: Final = """
    SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped
"""


@pytest.mark.parametrize("name", list(DatasetName))
def test_a_new_column_is_archived_or_left_out_on_purpose(database: Database, name: DatasetName) -> None:
    dataset = DATASETS[name]
    with database.transaction(None) as connection:
        present = {row["attname"] for row in connection.execute(COLUMNS, (dataset.table,))}
    archived = {column.name for column in dataset.columns}
    assert present - archived - set(NAMESPACE_COLUMNS) - LEFT_OUT.get(name, set()) == set()
    assert archived - present <= set(dataset.expressions)
