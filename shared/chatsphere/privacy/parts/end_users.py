"""Where an end user may be, in the order in which it is erased."""

from typing import Final

from chatsphere.privacy.parts import end_user_queries as queries
from chatsphere.privacy.parts import kept_queries
from chatsphere.privacy.parts.archived_audit import archived_entries
from chatsphere.privacy.parts.archives import ExportedFiles, archived_rows
from chatsphere.privacy.parts.caches import CachedEntries
from chatsphere.privacy.parts.conversations import Conversations, MemoryVectors
from chatsphere.privacy.parts.means import Means
from chatsphere.privacy.parts.stores import Place, Rows

# Name, how many, what takes some away, whether rows stay. First the answers that are being written: whoever keeps one
# is waited for, and then nobody can. What goes with the conversations is counted before.
TABLES: Final = (
    ("answers_under_way", queries.COUNT_UNDER_WAY, queries.END_UNDER_WAY, False),
    ("webhook_events", queries.COUNT_EVENTS, queries.DELETE_EVENTS, False),
    ("error_logs", queries.COUNT_FAILURES, queries.FORGET_FAILURES, True),
    ("legal_holds", queries.COUNT_HOLDS, queries.FORGET_HOLDS, True),
    ("messages", queries.COUNT_MESSAGES, "", False),
    ("conversation_feedback", queries.COUNT_FEEDBACK, queries.DELETE_FEEDBACK, False),
    *((name, query, "", False) for name, query in queries.OF_CONVERSATIONS.items()),
)

AFTERWARDS: Final = (
    ("usage_events", queries.COUNT_USAGE, queries.FORGET_USAGE, True),
    ("usage_daily_end_users", queries.COUNT_DAYS, queries.DELETE_DAYS, False),
    ("bot_exports", kept_queries.COUNT_EXPORTS, kept_queries.END_EXPORTS, True),
    ("idempotency_keys", kept_queries.COUNT_ANSWERS, kept_queries.FORGET_ANSWERS, True),
)


def places_of_end_user(means: Means) -> list[Place]:
    """Return all places that an end user may be in."""
    database = means.database
    return [
        *(Rows(name, database, count, step, is_kept) for name, count, step, is_kept in TABLES),
        MemoryVectors(database, means.messages),
        Conversations(database, means.clock, means.ids),
        *(Rows(name, database, count, step, is_kept) for name, count, step, is_kept in AFTERWARDS),
        Rows("audit_log", means.eraser_database, queries.COUNT_NAMED, queries.FORGET_NAMED, True, as_eraser=True),
        CachedEntries(database, means.cache),
        archived_rows(means.archives),
        archived_entries(database, means.archives),
        ExportedFiles(means.archive_store),
    ]
