"""The table of the vendors' settings in docs/operations.md has every one of them."""

import re

from infra.local.providers import GROUPS
from tests.unit.docs.test_links import REPOSITORY


def test_every_setting_has_its_row() -> None:
    page = (REPOSITORY / "docs" / "operations.md").read_text()
    section = page.partition("## Vendors")[2].partition("\n## ")[0]
    first_cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]

    assert set(re.findall(r"`([A-Z_]+)`", "".join(first_cells))) == {n for group in GROUPS for n in group.variables()}
