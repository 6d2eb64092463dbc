"""What a package is built for: AWS Lambda, or this machine to try it out."""

import platform
import sys
from dataclasses import dataclass
from functools import cache
from typing import Final

from infra.packaging.interpreters import Interpreter, find_interpreter

LAMBDA_PYTHON: Final = "3.13"
"""Version of the managed runtime (`python3.13`); decision 63 says why this one."""

EM_X86_64: Final = 62
EM_AARCH64: Final = 183
ELF_MACHINES: Final = {"x86_64": EM_X86_64, "aarch64": EM_AARCH64, "arm64": EM_AARCH64}


@dataclass(frozen=True, slots=True)
class Target:
    """One kind of machine.

    `platform`: uv's name of it, None for this machine. `machine`: how wheel tags call its processor.
    `elf_machine`: `e_machine` of its shared libraries, None where those are not ELF files.
    `interpreter`: a Python of the target's version on this machine, which compiles; None if there is none.
    """

    name: str
    python: str
    platform: str | None
    machine: str
    elf_machine: int | None
    interpreter: Interpreter | None

    @property
    def key(self) -> str:
        """What of the target a package's content depends on."""
        return f"{self.name} {self.python} {self.interpreter.version if self.interpreter else 'not compiled'}"

    def __str__(self) -> str:
        return f"{self.name}, Python {self.python}, {'compiled' if self.interpreter else 'not compiled'}"


@cache
def lambda_arm64() -> Target:
    """Return AWS Lambda on arm64 (Amazon Linux 2023: glibc 2.34)."""
    interpreter = find_interpreter(LAMBDA_PYTHON)
    return Target("lambda-arm64", LAMBDA_PYTHON, "aarch64-manylinux_2_28", "aarch64", EM_AARCH64, interpreter)


@cache
def this_machine() -> Target:
    """Return this machine, with Lambda's version of Python if it is installed, else with the one that runs now."""
    current = f"{sys.version_info.major}.{sys.version_info.minor}"
    interpreter = find_interpreter(LAMBDA_PYTHON) or find_interpreter(current)
    version = interpreter.minor if interpreter else current
    machine = platform.machine()
    elf = ELF_MACHINES.get(machine) if sys.platform == "linux" else None
    return Target("this-machine", version, None, machine, elf, interpreter)
