"""`docs/retention.md` says of each table when its rows end."""

import re
from pathlib import Path

from tests.integration.isolation.test_catalog import NO_TENANTS, TENANT_TABLES, WITHOUT_POLICIES

PAGE = Path(__file__).parents[3] / "docs" / "retention.md"


def test_every_table_has_an_end_or_a_reason() -> None:
    page = PAGE.read_text(encoding="utf-8")
    section = page.partition("## When the rows of each table end")[2].partition("\n## ")[0]
    told = [name for line in section.splitlines() for name in re.findall(r"`([a-z_]+)`", _first_cell(line))]
    # That they are all of the database's, `test_every_table_is_listed_once` shows.
    assert sorted(told) == sorted([*TENANT_TABLES, *NO_TENANTS, *WITHOUT_POLICIES])


def _first_cell(line: str) -> str:
    return line.split("|")[1] if line.startswith("| `") else ""
