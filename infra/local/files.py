"""Writing files so that a crash leaves either the old content or the new, never a part."""

import json
import os
from pathlib import Path
from typing import Any

PRIVATE = 0o600


def write_durably(path: Path, content: bytes) -> None:
    """Replace `path` (readable by its owner only); when this returns, the content survives a power cut."""
    partial = path.with_name(f"{path.name}.partial")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    sync_folder(path.parent)


def write_json(path: Path, value: Any) -> None:
    """Replace `path` durably with `value` as JSON."""
    write_durably(path, json.dumps(value, indent=2).encode() + b"\n")


def sync_folder(folder: Path) -> None:
    """Make created, renamed and removed names in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
