"""The Python that runs MiniStack and, as its children, the functions."""

import subprocess
from pathlib import Path
from typing import Final

from infra.packaging.bytecode import compile_sources
from infra.packaging.cache import REPOSITORY, cached, digest
from infra.packaging.errors import PackagingError
from infra.packaging.targets import this_machine
from infra.packaging.wheels import install

REQUIREMENTS: Final = REPOSITORY / "requirements" / "emulator.txt"


def interpreter() -> Path:
    """Return the interpreter of a virtual environment of its own, which is made when first needed.

    It is of the version that the packages are built for, and has what Lambda's runtime would have: boto3.

    Raises:
        PackagingError: a locked wheel cannot be had.
    """
    target = this_machine()
    folder = cached("emulator", digest(f"emulator {target.key}", [REQUIREMENTS]), _fill)
    return folder / "bin" / "python"


def _fill(folder: Path) -> None:
    target = this_machine()
    if target.interpreter is None:
        raise PackagingError(f"no Python {target.python} is on this machine")
    base = target.interpreter.path
    subprocess.run([base, "-I", "-m", "venv", "--without-pip", "--symlinks", folder], check=True, capture_output=True)
    site = folder / "lib" / f"python{target.python}" / "site-packages"
    install(REQUIREMENTS, site, target)
    compile_sources(site, str(site), target.interpreter)
