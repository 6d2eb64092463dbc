"""Takes out of installed wheels what no function reads."""

import shutil
from pathlib import Path
from typing import Final

TEST_FOLDERS: Final = frozenset({"tests", "test"})
NOT_READ: Final = frozenset({".pyi", ".pyx", ".pxd", ".pxi", ".c", ".cpp", ".h", ".hpp", ".typed", ".pyc"})
FOR_PYTHON_2: Final = frozenset({"olefile/olefile2.py"})
"""Modules that a wheel carries along and Python 3 cannot compile."""

KEPT_METADATA: Final = frozenset({"METADATA", "WHEEL", "entry_points.txt"})
LICENCE_NAMES: Final = ("LICEN", "COPYING", "NOTICE", "AUTHORS")


def prune(folder: Path) -> None:
    """Remove commands, tests, type stubs, C sources, and of each wheel's metadata all but what is asked for.

    What stays: `METADATA` and entry points, which `importlib.metadata` reads, `WHEEL`, by which the package is
    checked, and every licence.
    """
    shutil.rmtree(folder / "bin", ignore_errors=True)
    for tests in [path for path in folder.rglob("*") if path.is_dir() and path.name in TEST_FOLDERS]:
        shutil.rmtree(tests, ignore_errors=True)
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        inside = path.relative_to(folder).parts
        unread = path.suffix in NOT_READ or "/".join(inside) in FOR_PYTHON_2
        if unread or (inside[0].endswith(".dist-info") and not _is_kept(inside)):
            path.unlink()
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def _is_kept(inside: tuple[str, ...]) -> bool:
    return inside[-1] in KEPT_METADATA or "licenses" in inside or inside[-1].upper().startswith(LICENCE_NAMES)
