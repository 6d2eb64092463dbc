"""Python interpreters of other versions on this machine: only a matching one writes byte code for Lambda."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from uv import find_uv_bin

PROBE: Final = "import sys; print(sys.version.split()[0], sys.implementation.name, sys.version_info.releaselevel)"
PROBE_SECONDS: Final = 20


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A CPython; `version` is complete, such as 3.13.0."""

    path: Path
    version: str

    @property
    def minor(self) -> str:
        """Major and minor version."""
        return ".".join(self.version.split(".")[:2])


@cache
def find_interpreter(minor: str) -> Interpreter | None:
    """Return a released CPython of the version `minor` (such as 3.13), or None; nothing is downloaded."""
    for path in _candidates(minor):
        version = _version(path)
        if version and Interpreter(path, version).minor == minor:
            return Interpreter(path, version)
    return None


def _candidates(minor: str) -> Iterator[Path]:
    # Outside any virtual environment: one's own packages must not be seen by what the interpreter runs.
    yield Path(sys.base_prefix) / "bin" / f"python{minor}"
    found = subprocess.run(  # noqa: S603 - uv
        [find_uv_bin(), "python", "find", "--no-config", "--no-python-downloads", "--system", minor],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )
    if found.returncode == 0:
        yield Path(found.stdout.strip())
    # pyenv's shims answer only for the versions that are switched on.
    pyenv = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
    yield from sorted(pyenv.glob(f"versions/{minor}.*/bin/python{minor}"), reverse=True)


def _version(path: Path) -> str | None:
    try:
        answer = subprocess.run(  # noqa: S603 - a Python that is installed here
            [path, "-I", "-S", "-c", PROBE], capture_output=True, text=True, check=True, timeout=PROBE_SECONDS
        ).stdout.split()
    except (OSError, subprocess.SubprocessError):
        return None
    return answer[0] if answer[1:] == ["cpython", "final"] else None
