"""Byte code beside the sources: Lambda's file system is read-only, so else each cold start compiles anew.

The `.pyc` files are of the unchecked kind. The usual kind notes the source's time, which the package's zip does not
keep, and would be thrown away.
"""

import subprocess
import sys
from pathlib import Path
from typing import Final

from infra.packaging.errors import PackagingError
from infra.packaging.interpreters import Interpreter

# One process, in a fixed order: what a file's byte code shares with that of the files before it stays the same.
COMPILE: Final = (
    *("-I", "-S", "-m", "compileall", "-q", "-j", "1", "-o", "0"),
    *("--invalidation-mode", "unchecked-hash"),
)


def compile_sources(folder: Path, installed_at: str, interpreter: Interpreter | None) -> None:
    """Compile every source below `folder`, which will stand at `installed_at`; say so where nothing here can.

    Raises:
        PackagingError: a source is not valid Python of that version.
    """
    if interpreter is None:
        print(f"warning: no byte code for {installed_at}: no Python of its version is on this machine", file=sys.stderr)
        return
    done = subprocess.run(  # noqa: S603 - a Python that is installed here
        [interpreter.path, *COMPILE, "-s", folder, "-p", installed_at, folder],
        env={"PYTHONHASHSEED": "0", "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise PackagingError(
            f"Python {interpreter.version} cannot compile what goes to {installed_at}: {done.stdout[-2000:]}"
        )
