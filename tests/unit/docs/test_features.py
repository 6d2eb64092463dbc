"""The page of features names routes and tests that there are, and forgets no route."""

import re
from pathlib import Path
from typing import Final

from infra.catalog import FUNCTIONS, HttpTrigger

REPOSITORY: Final = Path(__file__).parents[3]
PAGE: Final = (REPOSITORY / "docs" / "features.md").read_text(encoding="utf-8")
ROWS: Final = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("| ") and not line.startswith("| feature ")
]
ROUTE: Final = re.compile(r"`((?:GET|POST|PUT|PATCH|DELETE) /[^`]*)`")
TEST: Final = re.compile(r"`([\w/]+\.py)(?:::(\w+))?`")
ROUTES: Final = {
    f"{route.method} {route.path}"
    for function in FUNCTIONS
    if isinstance(function.trigger, HttpTrigger)
    for route in function.trigger.routes
}
STATES: Final = {"built", "left out", "not a feature"}


def test_every_row_has_its_cells() -> None:
    assert len(ROWS) > 60
    assert [row for row in ROWS if len(row) != 5 or row[2] not in STATES] == []
    assert [row for row in ROWS if not re.fullmatch(r"00[0-4](, 00[0-4])*", row[1])] == []


def test_what_is_built_is_shown_by_a_test() -> None:
    assert [row[0] for row in ROWS if (row[2] == "built") != bool(TEST.findall(row[4]))] == []
    assert [row[0] for row in ROWS if row[2] == "built" and not row[3]] == []


def test_every_route_that_is_named_exists_and_every_route_is_named() -> None:
    assert set(ROUTE.findall(PAGE)) == ROUTES


def test_every_test_that_is_named_exists() -> None:
    missing = []
    for file, name in TEST.findall("\n".join(row[4] for row in ROWS)):
        path = REPOSITORY / "tests" / file
        if not path.exists() or (name and f"def {name}(" not in path.read_text(encoding="utf-8")):
            missing.append(f"{file}::{name}")
    assert missing == []
