"""How the child confines itself before it opens the file: what it may use, and with whom it dies."""

import contextlib
import os
import sys

from chatsphere.knowledge.extraction.limits import ExtractionLimits

_OPEN_FILES = 64
_PR_SET_PDEATHSIG = 1
_SIGKILL = 9


def confine(limits: ExtractionLimits) -> None:
    """Set the process's limits; a platform that lacks one of them (macOS, Windows) goes without it."""
    try:
        import resource
    except ImportError:
        return
    ceilings = {
        resource.RLIMIT_AS: (limits.memory_bytes, limits.memory_bytes),
        # The soft limit kills by SIGXCPU; the hard one kills what ignores that.
        resource.RLIMIT_CPU: (limits.cpu_seconds, limits.cpu_seconds + 2),
        resource.RLIMIT_FSIZE: (0, 0),
        resource.RLIMIT_NOFILE: (_OPEN_FILES, _OPEN_FILES),
        resource.RLIMIT_CORE: (0, 0),
    }
    for kind, ceiling in ceilings.items():
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(kind, ceiling)


def die_with(parent: int) -> None:
    """Have the kernel kill this process when its parent dies (Linux)."""
    if sys.platform != "linux":
        return
    import ctypes

    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)
    # The parent may have died before the call.
    if os.getppid() != parent:
        os._exit(1)
