"""A bucket on disk, for moto keeps it in memory only.

One folder per key, named by the key's hash, for keys are hostile: up to 1,024 bytes, `..`, any Unicode. In it
each version is `<version>.json` and, unless it is a delete marker, `<version>.data`. A version exists when its
.json does; that is written last and removed first.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from infra.local.files import sync_folder, write_durably, write_json


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """One version of an object, or a delete marker. `sequence` orders all of them; greater is later."""

    key: str
    version_id: str
    sequence: int
    last_modified: str
    delete_marker: bool = False
    size: int = 0
    etag: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    checksum: dict[str, str | int] = field(default_factory=dict)


class ObjectMirror:
    """Every acknowledged version of every key, durably."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def data_path(self, version: StoredVersion) -> Path:
        """Return where the version's bytes are."""
        return self._folder(version.key) / f"{version.version_id}.data"

    def put(self, version: StoredVersion, data: bytes) -> None:
        """Keep a version; when this returns it survives a crash."""
        folder = self._folder(version.key)
        if not folder.exists():
            folder.mkdir(parents=True)
            sync_folder(folder.parent)
            sync_folder(self._root)
        if not version.delete_marker:
            write_durably(self.data_path(version), data)
        write_json(folder / f"{version.version_id}.json", asdict(version))

    def remove(self, key: str, version_id: str) -> None:
        """Forget one version; one that is not kept is none of our business."""
        folder = self._folder(key)
        description = folder / f"{version_id}.json"
        if not description.exists():
            return
        description.unlink()
        sync_folder(folder)
        (folder / f"{version_id}.data").unlink(missing_ok=True)

    def versions(self) -> list[StoredVersion]:
        """Return everything kept, oldest first."""
        return sorted(self._read(), key=lambda version: version.sequence)

    def newest(self) -> list[StoredVersion]:
        """Return the newest version of each key; a delete marker where the key was deleted last."""
        return list({version.key: version for version in self.versions()}.values())

    def _read(self) -> Iterator[StoredVersion]:
        for description in self._root.glob("*/*/*.json"):
            yield StoredVersion(**json.loads(description.read_bytes()))

    def _folder(self, key: str) -> Path:
        name = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
        return self._root / name[:2] / name
