"""Child processes: each in a session of its own, ended with all its descendants, its output in a log file."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from infra.local.log_file import LogFile

LAUNCHER = Path(__file__).with_name("launcher.py")
STOP_SECONDS = 2.0
MAX_LINE_BYTES = 1024 * 1024


class Child:
    """One running child process."""

    def __init__(self, process: asyncio.subprocess.Process, log: LogFile) -> None:
        self.log = log
        self._process = process
        self._copying = asyncio.create_task(self._copy_output())

    @property
    def pid(self) -> int:
        """The process id, which is also its session's and group's."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether the process has ended."""
        return self._process.returncode is not None

    async def wait(self) -> int:
        """Wait for the process's end and its last output; return its exit code (negative: the signal)."""
        code = await self._process.wait()
        # A descendant may still hold the pipe open; its output is not waited for.
        await asyncio.wait([self._copying], timeout=0.2)
        return code

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process and its descendants."""
        if not self.ended:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    async def stop(self, by: signal.Signals = signal.SIGTERM, within: float = STOP_SECONDS) -> None:
        """End the process: by the signal `by`, and by SIGKILL when `within` seconds have passed."""
        self.send(by)
        try:
            await asyncio.wait_for(self._process.wait(), within)
        except TimeoutError:
            self.send(signal.SIGKILL)
            await self._process.wait()
        self._copying.cancel()

    async def _copy_output(self) -> None:
        output = self._process.stdout
        if output is None:
            return
        while True:
            try:
                line = await output.readline()
            except ValueError:  # a line longer than the buffer: its first part is dropped by asyncio
                continue
            if not line:
                return
            self.log.write(line)


async def start_child(
    arguments: Sequence[str],
    *,
    environment: Mapping[str, str],
    folder: Path,
    log: LogFile,
    inherit: Sequence[int] = (),
) -> Child:
    """Start `launcher.py` with `arguments` in `folder`, with exactly `environment` and the descriptors `inherit`."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(LAUNCHER),
        str(os.getpid()),
        *arguments,
        cwd=folder,
        env=dict(environment),
        pass_fds=inherit,
        stdin=asyncio.subprocess.DEVNULL if sys.platform == "linux" else asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
        limit=MAX_LINE_BYTES,
    )
    return Child(process, log)
