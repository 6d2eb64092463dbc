"""The evidence that docs/threat-model.md names is there."""

import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[3]
PAGE = (REPOSITORY / "docs" / "threat-model.md").read_text(encoding="utf-8")
EVIDENCE = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", PAGE)


def test_every_protection_names_tests_that_exist() -> None:
    missing = [
        f"{path}::{name}"
        for path, name in EVIDENCE
        if not (REPOSITORY / path).is_file()
        or (name and not re.search(rf"^ *def {name}\(", (REPOSITORY / path).read_text(encoding="utf-8"), re.MULTILINE))
    ]
    assert len(EVIDENCE) > 50
    assert missing == []
