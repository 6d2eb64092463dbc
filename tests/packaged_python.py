"""Interpreters like the managed runtime's: a Python with some locked packages and nothing else."""

import subprocess
from functools import partial
from pathlib import Path

from infra.packaging.bytecode import compile_sources
from infra.packaging.cache import REPOSITORY, cached, digest
from infra.packaging.errors import PackagingError
from infra.packaging.targets import this_machine
from infra.packaging.wheels import install


def python_with(name: str) -> Path:
    """Return the interpreter of a virtual environment that holds `requirements/<name>.txt`.

    It is made when first needed, and of the version that the packages are built for on this machine.

    Raises:
        PackagingError: that Python, or a locked wheel, cannot be had.
    """
    target = this_machine()
    requirements = REPOSITORY / "requirements" / f"{name}.txt"
    folder = cached(f"python-{name}", digest(f"python {target.key}", [requirements]), partial(_fill, requirements))
    return folder / "bin" / "python"


def _fill(requirements: Path, folder: Path) -> None:
    target = this_machine()
    if target.interpreter is None:
        raise PackagingError(f"no Python {target.python} is on this machine")
    base = target.interpreter.path
    subprocess.run([base, "-I", "-m", "venv", "--without-pip", "--symlinks", folder], check=True, capture_output=True)
    site = folder / "lib" / f"python{target.python}" / "site-packages"
    install(requirements, site, target)
    compile_sources(site, str(site), target.interpreter)
