"""Installs locked wheels for a target, and checks that they can run there."""

import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from uv import find_uv_bin

from infra.packaging.errors import PackagingError, WrongPlatformError
from infra.packaging.targets import Target

ELF_MAGIC: Final = b"\x7fELF"
E_MACHINE_OFFSET: Final = 18
INSTALL: Final = (
    *("pip", "install", "--quiet", "--no-config", "--no-python-downloads", "--require-hashes", "--no-deps"),
    # Never a link into uv's cache: what is linked there would be pruned and touched there, too.
    *("--only-binary=:all:", "--link-mode=copy"),
    # The certificates that pip and every other client of the machine go by, not uv's own list.
    "--system-certs",
)


def install(requirements: Path, folder: Path, target: Target) -> None:
    """Install the locked `requirements` into `folder`.

    Raises:
        PackagingError: a wheel cannot be had, or is not the locked one.
    """
    python = target.interpreter.path if target.platform is None and target.interpreter else Path(sys.executable)
    command: list[str | Path] = [find_uv_bin(), *INSTALL, "--target", folder, "--python", python, "-r", requirements]
    if target.platform is not None:
        command += ["--python-platform", target.platform, "--python-version", target.python]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - uv, from the lock file
    if done.returncode != 0:
        raise PackagingError(f"{requirements}: uv could not install it for {target}:\n{done.stderr[-4000:]}")


def check(folder: Path, target: Target) -> None:
    """Check every wheel's tags and every shared library below `folder`.

    Raises:
        WrongPlatformError: one of them is for another kind of machine, or a wheel tells no tag.
    """
    for wheel in folder.glob("*.dist-info"):
        tags = list(_platform_tags(wheel / "WHEEL"))
        if not tags or not all(tag == "any" or tag.endswith(target.machine) for tag in tags):
            raise WrongPlatformError(f"{wheel.name} is for {tags or 'nothing'}, not for {target}")
    for path in folder.rglob("*"):
        machine = elf_machine(path) if path.is_file() else None
        if machine is not None and machine != target.elf_machine:
            raise WrongPlatformError(f"{path.relative_to(folder)} is for ELF machine {machine}, not for {target}")


def elf_machine(path: Path) -> int | None:
    """Return `e_machine` of an ELF file, or None of any other file."""
    with path.open("rb") as file:
        head = file.read(E_MACHINE_OFFSET + 2)
    return struct.unpack_from("<H", head, E_MACHINE_OFFSET)[0] if head.startswith(ELF_MAGIC) else None


def _platform_tags(wheel: Path) -> Iterator[str]:
    """Yield the platform of each tag, such as `any` of `py3-none-any`."""
    if wheel.is_file():
        for line in wheel.read_text().splitlines():
            if line.startswith("Tag: "):
                yield line.rpartition("-")[2]
