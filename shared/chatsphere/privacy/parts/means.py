"""With what parts are erased."""

from dataclasses import dataclass

from chatsphere.archive.erasing import ArchiveEraser
from chatsphere.db.database import Database
from chatsphere.knowledge.ingestion.purge import Purger
from chatsphere.ports.cache import Cache
from chatsphere.ports.message_vectors import MessageVectors
from chatsphere.ports.objects import ObjectStore
from chatsphere.ports.system import Clock, Ids


@dataclass(frozen=True, slots=True)
class Means:
    """Everything that holds something of an organization. `database` is the tenants', `cache` None where there is none.

    Documents' and bots' own stores are reached through `purger`.
    """

    database: Database
    eraser_database: Database
    messages: MessageVectors
    purger: Purger
    cache: Cache | None
    archives: ArchiveEraser
    archive_store: ObjectStore
    clock: Clock
    ids: Ids
