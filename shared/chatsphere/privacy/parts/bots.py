"""Where a bot may be, in the order in which it is erased."""

from typing import Final

from chatsphere.privacy.parts import bot_queries as queries
from chatsphere.privacy.parts import kept_queries
from chatsphere.privacy.parts.archived_audit import archived_entries
from chatsphere.privacy.parts.archives import ArchivedFiles, ExportedFiles
from chatsphere.privacy.parts.caches import CachedEntries
from chatsphere.privacy.parts.deleted import Deleted
from chatsphere.privacy.parts.means import Means
from chatsphere.privacy.parts.stores import Place, Rows

# Name, how many, what takes some away, whether rows stay: what does not go with the bot's row.
TABLES: Final = (
    ("webhook_events", queries.COUNT_EVENTS, queries.DELETE_EVENTS, False),
    ("error_logs", queries.COUNT_FAILURES, queries.DELETE_FAILURES, False),
    ("usage_events", queries.COUNT_USAGE, queries.FORGET_USAGE, True),
    ("usage_daily_end_users", queries.COUNT_DAYS, queries.DELETE_DAYS, False),
    ("web_hosts", queries.COUNT_HOSTS, queries.DELETE_HOSTS, False),
    ("legal_holds", queries.COUNT_HOLDS, queries.FORGET_HOLDS, True),
    ("idempotency_keys", kept_queries.COUNT_ANSWERS, kept_queries.FORGET_ANSWERS, True),
)


def places_of_bot(means: Means) -> list[Place]:
    """Return all places that a bot may be in."""
    database = means.database
    return [
        Deleted(database, means.purger.purge),
        *(Rows(name, database, count, step, is_kept) for name, count, step, is_kept in TABLES),
        Rows("audit_log", means.eraser_database, queries.COUNT_TOLD, queries.FORGET_TOLD, True, as_eraser=True),
        CachedEntries(database, means.cache),
        ArchivedFiles(means.archives),
        archived_entries(database, means.archives),
        ExportedFiles(means.archive_store),
    ]
