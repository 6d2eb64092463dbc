"""The child process as the parent sees it: started, read, watched and ended.

Ended in every case: at its end, at a limit, when the reader stops early, when `on_progress` raises. A thread
reads the pipe, for Windows cannot wait for a pipe with a timeout; its queue is short, so a slow consumer slows
the child down instead of filling memory.
"""

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

from chatsphere.errors import CorruptDocumentError, DocumentError, ExtractionLimitError
from chatsphere.knowledge.extraction.limits import ExtractionLimits
from chatsphere.knowledge.extraction.protocol import MAX_IMAGE_BYTES, MAX_LINE_BYTES, Task

PROGRESS_SECONDS = 1.0
_READ_BYTES = 64 * 1024
_LIMIT_SIGNALS = {getattr(signal, name, None) for name in ("SIGKILL", "SIGXCPU", "SIGXFSZ")} - {None}
# Where the interpreter and its libraries are; the child needs nothing else of the parent's environment.
_LOADER_VARIABLES = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")


class Sandbox:
    """One child process working on one task. Not to be shared between threads."""

    def __init__(self, task: Task, on_progress: Callable[[], None]) -> None:
        self._limits = task.limits
        self._on_progress = on_progress
        self._last_progress = time.monotonic()
        self._waited = 0.0
        self._peak_bytes = 0
        self._overrun = False
        self._parts: queue.Queue[bytes | None] = queue.Queue(maxsize=4)
        self._process = _spawn(task)
        self._reader = threading.Thread(target=self._pump, daemon=True)
        self._reader.start()

    def lines(self) -> Iterator[bytes]:
        """Yield the child's lines as they come.

        Raises:
            ExtractionLimitError: it was stopped for its time, output or memory.
            CorruptDocumentError: it died.
        """
        rest, total = b"", 0
        while (part := self._next_part()) is not None:
            total += len(part)
            *lines, rest = (rest + part).split(b"\n")
            # The child counts its text; this stops one that does not, with room for the protocol's own bytes.
            if total > _most_bytes(self._limits) or len(rest) > MAX_LINE_BYTES:
                self._overrun = True
                break
            for line in lines:
                yield line
                if line.startswith(b'{"end":'):
                    return
        self.close()
        raise self.failure()

    def failure(self) -> DocumentError:
        """Say why a child that was closed has not finished."""
        code = self._process.returncode
        # A refused allocation crashes a C library, too: a crash near the memory limit is taken for that.
        starved = self._peak_bytes > self._limits.memory_bytes // 2
        if self._overrun or starved or -code in _LIMIT_SIGNALS:
            return ExtractionLimitError()
        return CorruptDocumentError()

    def close(self) -> None:
        """Kill the child and what it may have started, and reap it; safe to call again."""
        if self._process.returncode is not None:
            return
        _kill(self._process)
        self._peak_bytes = _reap(self._process)
        while self._reader.is_alive():
            with contextlib.suppress(queue.Empty):
                self._parts.get(timeout=0.05)
        if self._process.stdout:
            self._process.stdout.close()

    def __del__(self) -> None:
        if hasattr(self, "_reader"):
            self.close()

    def _next_part(self) -> bytes | None:
        while True:
            started = time.monotonic()
            if started - self._last_progress >= PROGRESS_SECONDS:
                self._last_progress = started
                self._on_progress()
            left = self._limits.wall_seconds - self._waited
            if left <= 0:
                self._overrun = True
                return None
            try:
                return self._parts.get(timeout=min(left, PROGRESS_SECONDS))
            except queue.Empty:
                continue
            finally:
                self._waited += time.monotonic() - started

    def _pump(self) -> None:
        stream = self._process.stdout
        with contextlib.suppress(OSError, ValueError):
            while stream and (part := os.read(stream.fileno(), _READ_BYTES)):
                self._parts.put(part)
        self._parts.put(None)


def _most_bytes(limits: ExtractionLimits) -> int:
    return limits.max_output_bytes * 2 + limits.ocr_pages * MAX_IMAGE_BYTES * 2 + MAX_LINE_BYTES


def _spawn(task: Task) -> subprocess.Popen[bytes]:
    environment = {name: os.environ[name] for name in _LOADER_VARIABLES if name in os.environ}
    environment["PYTHONPATH"] = os.pathsep.join(entry for entry in sys.path if entry)
    command = [sys.executable, "-P", "-s", "-X", "utf8", "-m", "chatsphere.knowledge.extraction.child"]
    return subprocess.Popen(  # noqa: S603 - no shell; the arguments are ours
        [*command, task.to_argument(os.getpid())],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=task.path.anchor,
        env=environment,
        start_new_session=True,
        bufsize=0,
    )


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill the child's whole group; it is not reaped yet, so its id cannot be another's."""
    if sys.platform == "win32":
        process.kill()
    else:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


def _reap(process: subprocess.Popen[bytes]) -> int:
    """Wait for the killed child and return its peak memory in bytes (0 where it is not known)."""
    if sys.platform == "win32":
        process.wait()
        return 0
    try:
        _, status, usage = os.wait4(process.pid, 0)
    except ChildProcessError:
        process.wait()
        return 0
    process.returncode = os.waitstatus_to_exitcode(status)
    return _own_peak(usage.ru_maxrss) * (1 if sys.platform == "darwin" else 1024)


def _own_peak(reported: int) -> int:
    """The child's peak, if it is the child's: Linux begins to count with the memory of the process that forked."""
    import resource

    return reported if reported > resource.getrusage(resource.RUSAGE_SELF).ru_maxrss else 0
