"""Becomes one child process of the one-machine run: `python launcher.py <parent's id> <module> <arguments…>`.

Run as a file, not with -m: a function's process must see its own folder and `shared/`, and not this package.
Imports little, for every worker pays for it.
"""

import ctypes
import importlib
import os
import runpy
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PROGRAM = "program"
PR_SET_PDEATHSIG = 1


def end_with_parent(parent: int, by: signal.Signals) -> None:
    """Arrange that this process gets the signal `by` when its parent ends, even by `kill -9` (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, by)
    if os.getppid() != parent:
        sys.exit("the supervisor ended while this process started")


def end_at_eof() -> None:
    """Elsewhere: end when standard input does. The supervisor holds its other end and never writes to it."""
    while os.read(0, 1):
        pass
    os.killpg(os.getpgrp(), signal.SIGKILL)


def run_program(parent: int, user: int, group: int, command: Sequence[str]) -> None:
    """Replace this process by `command`, as another user if this one is root; it is interrupted with its parent."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(group)
        os.setuid(user)
    # Changing the user clears the death signal, so it is set after that.
    end_with_parent(parent, signal.SIGINT)
    os.execv(command[0], list(command))  # noqa: S606 - the supervisor's own command


def run_module(parent: int, module: str, arguments: Sequence[str]) -> None:
    """Run `module` as `python -m` would; of this package, call its `main`."""
    end_with_parent(parent, signal.SIGKILL)
    if sys.platform != "linux":
        threading.Thread(target=end_at_eof, daemon=True).start()
    sys.argv = [module, *arguments]
    if not module.startswith("infra."):
        sys.path[0] = str(Path.cwd())
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        return
    sys.path[0] = str(REPOSITORY)
    entry = importlib.import_module(module)
    sys.path[0] = str(Path.cwd())
    entry.main(arguments)


def main(arguments: Sequence[str]) -> None:
    """Do what the arguments say."""
    parent = int(arguments[0])
    if arguments[1] == PROGRAM:
        run_program(parent, int(arguments[2]), int(arguments[3]), arguments[4:])
    else:
        run_module(parent, arguments[1], arguments[2:])


if __name__ == "__main__":
    main(sys.argv[1:])
