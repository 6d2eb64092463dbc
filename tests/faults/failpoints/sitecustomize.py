"""Loaded by every worker of a fault run at its start: kills it with SIGKILL before or after a call to the outside.

Leases and pauses of ingestion are shortened, as much for each other, so that a run meets many of their ends.

The folder of this file holds `settings.json` (how often each function is killed at most, how much shorter leases
are) and, while kills are wanted, the file `armed`. A place that was not hit yet is hit soon, another only rarely, so
that a run meets each of them. Nothing is imported before the worker itself imports it: a start must cost what it costs.
"""

import importlib.abc
import importlib.machinery
import json
import os
import random
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

FOLDER = Path(__file__).parent
FUNCTION = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "")
WANTED_HITS = 1
LIKELY, RARELY = 0.05, 0.002


def _place(kind: str) -> str | None:
    """Name the place in the product that makes the call: the innermost frame of its own code."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        path = frame.f_code.co_filename
        if "/chatsphere/" in path and "/db/database.py" not in path and "/adapters/" not in path:
            return f"{Path(path).stem}.{frame.f_code.co_name} {kind}"
        frame = frame.f_back
    return None


def _perhaps_die(place: str | None, when: str) -> None:
    if place is None or not (FOLDER / "armed").exists():
        return
    total = FOLDER / f"{FUNCTION}.total"
    if total.exists() and total.stat().st_size >= SETTINGS["most_kills"][FUNCTION]:
        return
    note = FOLDER / "kills" / f"{FUNCTION} {place} {when}".replace("/", "_")
    hits = note.stat().st_size if note.exists() else 0
    if DICE.random() < (LIKELY if hits < WANTED_HITS else RARELY):
        for counter in (note, total):
            with counter.open("ab") as file:
                file.write(b"x")
        os.kill(os.getpid(), signal.SIGKILL)


def _failing(call: Callable[..., Any], kind_of: Callable[[Sequence[Any]], str]) -> Callable[..., Any]:
    def wrapped(self: Any, *arguments: Any, **named: Any) -> Any:
        place = _place(kind_of(arguments))
        _perhaps_die(place, "before")
        result = call(self, *arguments, **named)
        _perhaps_die(place, "after")
        return result

    return wrapped


def _statement(arguments: Sequence[Any]) -> str:
    return "database " + str(arguments[0]).split(None, 1)[0].strip(";").upper() if arguments else "database"


def _hurry(times: Any) -> None:
    for name in HURRIED:
        setattr(times, name, getattr(times, name) / SETTINGS["hurry"])


def _patch(module: Any) -> None:
    if module.__name__ == TIMES:
        _hurry(module)
    elif FUNCTION not in SETTINGS["most_kills"]:
        return
    elif module.__name__ == "psycopg.connection":
        module.Connection.execute = _failing(module.Connection.execute, _statement)
    elif module.__name__ == "psycopg.cursor":
        module.Cursor.executemany = _failing(module.Cursor.executemany, lambda _: "database INSERT many")
    elif module.__name__ == "botocore.client":
        module.BaseClient._make_api_call = _failing(module.BaseClient._make_api_call, lambda a: f"AWS {a[0]}")
    elif module.__name__ == "chatsphere.adapters.upstream.client":
        module.Upstream.call = _failing(module.Upstream.call, lambda _: "vendor")


TIMES = "chatsphere.knowledge.ingestion.times"
HURRIED = (
    "PICKUP", "EXTRACT_LEASE", "RENEW_EVERY", "EMBED_LEASE", "DELETE_LEASE", "PURGE_LEASE", "CLEANUP_LEASE",
)  # fmt: skip
PATCHED = {TIMES, "psycopg.connection", "psycopg.cursor", "botocore.client", "chatsphere.adapters.upstream.client"}


class _Loader(importlib.abc.Loader):
    def __init__(self, loader: importlib.abc.Loader) -> None:
        self._loader = loader

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        _patch(module)


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname not in PATCHED:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader)
        return spec


if (FOLDER / "settings.json").exists():
    SETTINGS = json.loads((FOLDER / "settings.json").read_text())
    if FUNCTION:
        DICE = random.Random(f"{SETTINGS['seed']} {FUNCTION} {os.getpid()}")
        sys.meta_path.insert(0, _Finder())
