"""What a process imported, read from what `PYTHONPROFILEIMPORTTIME` makes Python print."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

PROFILED = {"PYTHONPROFILEIMPORTTIME": "1"}
LINE = re.compile(rb"import time: +(\d+) \| +\d+ \| +(\S+)\s*$")

LOOKED_FOR = "botocore"
"""Powertools asks whether there is botocore; that loads the empty package, and none of its modules."""


def import_milliseconds(printed: bytes) -> dict[str, float]:
    """Return the time that the modules of each top-level package took, what they imported themselves not counted."""
    taken: Counter[str] = Counter()
    for module, microseconds in _imports(printed):
        taken[module.partition(".")[0]] += microseconds
    return {package: microseconds / 1000 for package, microseconds in taken.items()}


def imported_packages(printed: bytes) -> set[str]:
    """Return the top-level packages that were imported, or tried in vain."""
    return {module.partition(".")[0] for module, _ in _imports(printed) if module != LOOKED_FOR}


def provided(packages: Path) -> set[str]:
    """Return the top-level names that a folder of packages brings."""
    names = {path.name.partition(".")[0] for path in packages.iterdir() if not path.name.endswith(".dist-info")}
    return names - {"__pycache__"}


def _imports(printed: bytes) -> Iterator[tuple[str, int]]:
    for line in printed.splitlines():
        if match := LINE.match(line):
            yield match[2].decode(), int(match[1])
