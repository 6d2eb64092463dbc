"""A folder of built packages, each named after what it was made from, so that nothing is built twice."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

REPOSITORY: Final = Path(__file__).resolve().parents[2]
BUILD: Final = REPOSITORY / ".build"
RECIPE: Final = tuple(
    Path(__file__).parent / f"{module}.py"
    for module in ("bytecode", "cache", "functions", "layers", "pruning", "reproducible", "wheels")
)
"""The modules that decide what is in a package: when one of them changes, everything is built anew."""

SKIPPED: Final = frozenset({"__pycache__", ".DS_Store"})


def source_files(folder: Path) -> Iterator[Path]:
    """Yield the files below `folder` in a fixed order, without what Python leaves there."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not SKIPPED & set(path.relative_to(folder).parts) and path.suffix != ".pyc":
            yield path


def digest(description: str, inputs: Iterable[Path]) -> str:
    """Return a name for what is made from `inputs` (files and folders) as described, by the recipe as it is."""
    made_from = hashlib.sha256(description.encode())
    for path in (*inputs, *RECIPE):
        for file in source_files(path) if path.is_dir() else [path]:
            content = hashlib.sha256(file.read_bytes()).hexdigest()
            made_from.update(f"\0{file.relative_to(REPOSITORY)}\0{content}".encode())
    return made_from.hexdigest()[:20]


def cached(name: str, key: str, build: Callable[[Path], None], folder: Path = BUILD) -> Path:
    """Return the folder of the package `name` made from `key`; `build` fills an empty folder where there is none.

    Processes may do this at once: each builds apart, the first to end gives the package its name, and the others
    take that one. A build that fails or is killed leaves no package.
    """
    package = folder / f"{name}-{key}"
    if package.is_dir():
        return package
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"building-{name}-", dir=folder) as temporary:
        made = Path(temporary) / "package"
        made.mkdir()
        build(made)
        try:
            made.rename(package)
        except OSError:
            if not package.is_dir():
                raise
    return package


def copy_sources(source: Path, destination: Path, *, without: Iterable[str] = ()) -> None:
    """Copy a source folder, without its top-level entries `without`."""
    left_out = frozenset(without)
    for path in source_files(source):
        relative = path.relative_to(source)
        if relative.parts[0] not in left_out:
            (destination / relative).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, destination / relative)
            if os.access(path, os.X_OK):
                (destination / relative).chmod(0o755)
