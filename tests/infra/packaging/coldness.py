"""What a packaged function costs before and at its first event."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.infra.packaging.machine import Package
from tests.infra.packaging.running import environment, running, serving
from tests.infra.packaging.world import World


@dataclass(frozen=True)
class Usage:
    """CPU milliseconds spent so far, and the most memory held at once, in MiB."""

    cpu: float
    peak: float


@dataclass
class ColdStarts:
    """Cold starts of one function: `initial` when it asks for its first event, `answered` after that event.

    `started`: how much the last process had printed when it asked for its first event.
    """

    package: Package
    settings: Mapping[str, str]
    scratch: Path
    extra: Mapping[str, str] = field(default_factory=dict)
    initial: list[Usage] = field(default_factory=list)
    answered: list[Usage] = field(default_factory=list)
    started: int = 0

    @property
    def log(self) -> Path:
        """What the last process printed."""
        return self.scratch / "function.log"

    def answer(self, event: Any) -> Any:
        """Start a process, run it on the event and return its answer."""
        return asyncio.run(self._answer(event))

    def start(self) -> None:
        """Start a process and end it."""
        asyncio.run(self._start())

    async def _answer(self, event: Any) -> Any:
        self.log.unlink(missing_ok=True)
        async with running(self.package, self._variables(), self.log) as function:
            self.started = function.started
            self.initial.append(usage(function.pid))
            answer = await function.invoke(event)
            self.answered.append(usage(function.pid))
        return answer

    async def _start(self) -> None:
        self.log.unlink(missing_ok=True)
        async with running(self.package, self._variables(), self.log) as function:
            self.started = function.started
            self.initial.append(usage(function.pid))

    def _variables(self) -> dict[str, str]:
        return {**environment(self.package, self.settings, self.scratch), **self.extra}


@dataclass
class ServerStarts(ColdStarts):
    """Cold starts of the web server, which answers requests instead of events."""

    def ask(self, world: World) -> str:
        """Start the server, ask the tenant's bot, which knows nothing, and wait until the server ended at SIGTERM.

        Returns the whole event stream.
        """
        return asyncio.run(self._ask(world))

    async def _ask(self, world: World) -> str:
        self.log.unlink(missing_ok=True)
        async with serving(self.package, self._variables(), self.log) as server:
            self.started = server.started
            self.initial.append(usage(server.child.pid))
            async with httpx.AsyncClient(base_url=server.url, timeout=60, trust_env=False) as client:
                path, body = f"/v1/bots/{world.tenant.bot_id}/chat", {"message": "What is it?", "stream": True}
                answer = await client.post(path, json=body, headers=world.adapter_headers)
            self.answered.append(usage(server.child.pid))
            await server.end()
        assert answer.status_code == 200, answer.text
        return answer.text


def usage(pid: int) -> Usage:
    """Return what a process (not its children) used so far; the peak is known on Linux only."""
    times = psutil.Process(pid).cpu_times()
    return Usage((times.user + times.system) * 1000, _peak_kib(pid) / 1024)


def _peak_kib(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return float(line.split()[1])
    raise LookupError("this system does not tell a process's peak memory")
