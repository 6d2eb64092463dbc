"""Measures a whole instance: seconds to ready, memory per process, idle CPU."""

import subprocess
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from infra.local.instance import start, stop, wait_until_ready

SETTLE_SECONDS = 5.0
IDLE_SECONDS = 10.0
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Usage:
    """One process at rest. `pss` shares out memory that several processes map; it is 0 where unknown."""

    name: str
    rss: int
    pss: int
    cpu_seconds: float


def measure() -> int:
    """Start an instance in a temporary home twice, the second time warm, and print what it takes."""
    with tempfile.TemporaryDirectory(prefix="chatsphere-measure-") as folder:
        home = Path(folder) / "home"
        cold, process = _timed_start(home)
        stop(process)
        warm, process = _timed_start(home)
        try:
            time.sleep(SETTLE_SECONDS)
            before = {usage.name: usage.cpu_seconds for usage in _usages(process.pid)}
            time.sleep(IDLE_SECONDS)
            usages = _usages(process.pid)
        finally:
            began = time.monotonic()
            stop(process)
            stopping = time.monotonic() - began
    _print(cold, warm, stopping, before, usages)
    return 0


def _timed_start(home: Path) -> tuple[float, subprocess.Popen[bytes]]:
    began = time.monotonic()
    process = start(home)
    try:
        wait_until_ready(process, home)
    except BaseException:
        stop(process)
        raise
    return time.monotonic() - began, process


def _usages(supervisor: int) -> list[Usage]:
    root = psutil.Process(supervisor)
    return [_usage(process) for process in (root, *root.children(recursive=True))]


def _usage(process: psutil.Process) -> Usage:
    with process.oneshot():
        times, memory = process.cpu_times(), process.memory_full_info()
        name = f"{process.pid} {_name(process)}"
        return Usage(name, memory.rss, getattr(memory, "pss", 0), times.user + times.system)


def _name(process: psutil.Process) -> str:
    """Name a worker by its function, a server by what it is."""
    command = process.cmdline()
    if process.name() == "postgres":
        return command[0] if command[0].startswith("postgres:") else "postgres"
    if not any(part.endswith("launcher.py") for part in command):
        return "supervisor"
    return "S3 and SQS" if "infra.local.moto_process" in command else Path(process.cwd()).name


def _print(cold: float, warm: float, stopping: float, before: dict[str, float], usages: list[Usage]) -> None:
    table = Table(title="One instance at rest")
    for heading in ("process", "RSS MiB", "PSS MiB", "CPU %"):
        table.add_column(heading, justify="left" if heading == "process" else "right")
    spent = [replace(usage, cpu_seconds=usage.cpu_seconds - before.get(usage.name, 0.0)) for usage in usages]
    total = Usage("total", sum(u.rss for u in spent), sum(u.pss for u in spent), sum(u.cpu_seconds for u in spent))
    for usage in (*spent, total):
        cpu = 100 * usage.cpu_seconds / IDLE_SECONDS
        table.add_row(usage.name, f"{usage.rss / MIB:.1f}", f"{usage.pss / MIB:.1f}", f"{cpu:.1f}")
    console = Console()
    console.print(table)
    console.print(f"ready after {cold:.1f} s cold, {warm:.1f} s warm; stopped after {stopping:.1f} s")
