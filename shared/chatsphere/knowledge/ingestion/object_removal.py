"""Removing the object of a deleted document: the versions that were there when it was deleted, and no later one.

Whoever stores something under the key after that makes another document. Why so: decision 0085.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from chatsphere.db.database import Connection, Database
from chatsphere.knowledge.ingestion import receipt_queries as queries
from chatsphere.knowledge.ingestion.receipts import Deletion, note_found, versions_json
from chatsphere.ports.objects import ObjectStore, ObjectVersion, StoredObject
from chatsphere.queue_batches import NotNowError

CLOCK_SKEW: Final = timedelta(seconds=2)
"""How far the object store's clock may be from ours."""


def covers(versions: Sequence[ObjectVersion] | None, version_id: str | None, etag: str | None) -> bool:
    """Return whether a listing holds the version that its document was last registered with.

    One that does not was made before that version came, and says nothing of what has come since.
    """
    if versions is None:
        return False
    if version_id is not None:
        return version_id in {version.id for version in versions}
    return etag is None or etag in {version.etag for version in versions}


def leaving(connection: Connection, bot_id: UUID, key: str) -> list[Deletion]:
    """Return the deletions under way of what was stored under a key."""
    rows = connection.execute(queries.RUNNING_OF_OBJECT, {"bot_id": bot_id, "key": key}).fetchall()
    return [Deletion.of(row) for row in rows]


def is_leaving(stored: StoredObject, deletions: Sequence[Deletion]) -> bool:
    """Return whether an object that is still there belongs to one of the deletions under way.

    Raises:
        NotNowError: that can be told only when the deletion has gone on.
    """
    for deletion in deletions:
        if deletion.object_versions is None:
            raise NotNowError("it is not known yet which versions are being deleted")
        ids = {version.id for version in deletion.object_versions}
        if (stored.version_id or "null") in ids:
            if stored.version_id is None:
                raise NotNowError("the object under this key is being deleted")
            return True
    return False


@dataclass(frozen=True, slots=True)
class ObjectRemoval:
    """Removes a deletion's object versions."""

    database: Database
    objects: ObjectStore

    def run(self, organization_id: UUID, deletion: Deletion) -> Deletion:
        """Remove the versions, having laid down which; return the deletion as it then is."""
        if deletion.object_key is None:
            return deletion
        listed = self._listed(deletion)
        with self.database.transaction(organization_id) as connection:
            values = {"id": deletion.id, "object_versions": versions_json(listed)}
            row = connection.execute(queries.KEEP_VERSIONS, values).fetchone()
            assert row is not None
            deletion = Deletion.of(row)
            known = deletion.object_versions or ()
            note_found(connection, deletion, {"object_versions": len(known)})
        if deletion.object_key is not None and known:
            self.objects.delete_versions(deletion.object_key, known)
        return deletion

    def count_left(self, deletion: Deletion) -> int:
        """Return how many of the versions are left."""
        if not deletion.object_key or not deletion.object_versions:
            return 0
        return len({*self.objects.versions(deletion.object_key)} & {*deletion.object_versions})

    def _listed(self, deletion: Deletion) -> Sequence[ObjectVersion]:
        if deletion.object_versions is not None or deletion.object_key is None:
            return deletion.object_versions or ()
        latest = deletion.requested_at + CLOCK_SKEW
        return [version for version in self.objects.versions(deletion.object_key) if version.modified_at <= latest]
