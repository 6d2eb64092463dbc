"""The `endpoints.json` that a one-machine run leaves in its home folder."""

import json
from dataclasses import dataclass
from pathlib import Path

from chatsphere.cli.errors import UsageError

HOME_NAME = ".chatsphere"
FILE_NAME = "endpoints.json"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where a one-machine run listens, and its demo account."""

    path: Path
    api: str
    demo_api_key: str | None = None
    demo_bot_id: str | None = None


def candidates(working_directory: Path, home: Path | None) -> list[Path]:
    """Return where `endpoints.json` may be, nearest first. A home that is named is the only one."""
    if home is not None:
        return [home / FILE_NAME]
    return [folder / HOME_NAME / FILE_NAME for folder in (working_directory, *working_directory.parents)]


def find(working_directory: Path, home: Path | None) -> Endpoints | None:
    """Return the nearest one-machine run's endpoints, or None where there is none.

    Raises:
        UsageError: the file is there and is not what the one-machine run writes.
    """
    for path in candidates(working_directory, home):
        if path.is_file():
            return _read(path)
    return None


def _read(path: Path) -> Endpoints:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        demo = content.get("demo") or {}
        return Endpoints(path, str(content["api"]), demo.get("api_key"), demo.get("bot_id"))
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        raise UsageError(
            f"{path} cannot be read as the endpoints of a one-machine run.",
            hint="Start it again with `make up`, or name the API with --api.",
        ) from None
