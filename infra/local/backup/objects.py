"""The mirrors of the buckets as they belong to one snapshot of the database, held by hard links while they are read.

Versions never change, but they come and go while the product runs. So they are linked before the snapshot and after
it: whatever the snapshot refers to was there at one of the two moments, or the snapshot is taken anew. What is gone at
the second one, and not referred to, goes again: it was deleted, and must not come back with a restore.
"""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import psycopg

from infra.local.home import Home
from infra.local.object_mirror import ObjectMirror, StoredVersion

REFERENCED: Final = {
    "objects": """
        SELECT s3_key AS key, s3_version_id AS version FROM documents
        WHERE s3_key IS NOT NULL AND s3_version_id IS NOT NULL AND etag IS NOT NULL AND status <> 'deleting'
    """,
    "archive": "SELECT key, version_id AS version FROM archive_files WHERE status = 'complete'",
}
"""The versions that the database takes to be there, by bucket."""

IS_REFERENCED: Final = {
    "objects": """
        SELECT 1 FROM documents WHERE s3_key = %(key)s AND status <> 'deleting'
          AND (s3_version_id = %(version)s OR live_etag = %(etag)s)
    """,
    "archive": "SELECT 1 FROM archive_files WHERE key = %(key)s AND version_id = %(version)s AND status = 'complete'",
}


class LinkedObjects:
    """Links of both mirrors in `folder`, which is on the same file system as the home."""

    def __init__(self, home: Home, folder: Path) -> None:
        self._mirrors = {"objects": home.objects, "archive": home.archived}
        self._folder = folder

    def link(self) -> None:
        """Link every version that is there and was not linked before."""
        for name, mirror in self._mirrors.items():
            for description in mirror.glob("*/*/*.json"):
                target = self._folder / name / description.relative_to(mirror)
                if not target.exists():
                    _link_version(description, target)

    def prune(self, snapshot: psycopg.Connection) -> None:
        """Drop what is gone from the mirrors by now, unless the snapshot refers to it."""
        for name, mirror in self._mirrors.items():
            for linked in list((self._folder / name).glob("*/*/*.json")):
                if (mirror / linked.relative_to(self._folder / name)).exists():
                    continue
                version = StoredVersion(**json.loads(linked.read_bytes()))
                values = {"key": version.key, "version": version.version_id, "etag": version.etag}
                if snapshot.execute(IS_REFERENCED[name], values).fetchone() is None:
                    linked.unlink()
                    linked.with_suffix(".data").unlink(missing_ok=True)

    def missing(self, snapshot: psycopg.Connection) -> list[str]:
        """Return the keys of versions that the snapshot refers to, and that were not linked."""
        return [
            str(key)
            for name, query in REFERENCED.items()
            for key, version in snapshot.execute(query)
            if not self._path(name, key, version).exists()
        ]

    def files(self) -> Iterator[tuple[str, Path]]:
        """Yield each linked file, and its name in the backup."""
        for name in self._mirrors:
            for path in sorted((self._folder / name).glob("*/*/*")):
                yield path.relative_to(self._folder).as_posix(), path

    def count(self) -> dict[str, int]:
        """Return how many versions of each bucket there are, delete markers included."""
        return {name: sum(1 for _ in (self._folder / name).glob("*/*/*.json")) for name in self._mirrors}

    def _path(self, name: str, key: str, version_id: str) -> Path:
        described = StoredVersion(key=key, version_id=version_id, sequence=0, last_modified="")
        return ObjectMirror(self._folder / name).data_path(described).with_suffix(".json")


def _link_version(description: Path, target: Path) -> None:
    """Link a version whole, or not at all: its description is written last and removed first."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    data = description.with_suffix(".data")
    with suppress(FileNotFoundError):
        held = json.loads(description.read_bytes())
        if not held["delete_marker"]:
            _link(data, target.with_suffix(".data"))
        try:
            _link(description, target)
        except FileNotFoundError:
            target.with_suffix(".data").unlink(missing_ok=True)
            raise


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except FileExistsError:
        pass
    except FileNotFoundError:
        raise
    except OSError:
        # A file system without hard links.
        shutil.copyfile(source, target)
