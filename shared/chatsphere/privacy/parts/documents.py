"""Where a document may be, in the order in which it is erased."""

from typing import Final

from chatsphere.privacy.parts import document_queries as queries
from chatsphere.privacy.parts import kept_queries
from chatsphere.privacy.parts.archived_answers import ArchivedAnswers
from chatsphere.privacy.parts.archived_audit import archived_entries
from chatsphere.privacy.parts.archives import ExportedFiles
from chatsphere.privacy.parts.caches import CachedEntries
from chatsphere.privacy.parts.deleted import Deleted
from chatsphere.privacy.parts.means import Means
from chatsphere.privacy.parts.rewriting import RestingAnswers
from chatsphere.privacy.parts.stores import Place, Rows

# Name, how many, what takes some away, whether rows stay.
TABLES: Final = (
    ("webhook_events", queries.COUNT_EVENTS, queries.DELETE_EVENTS, False),
    ("error_logs", queries.COUNT_FAILURES, queries.DELETE_FAILURES, False),
    ("reconciliations", queries.COUNT_EXAMPLES, queries.FORGET_EXAMPLES, True),
    ("evaluation_cases", queries.COUNT_CASES, queries.DELETE_CASES, False),
    ("bot_exports", kept_queries.COUNT_EXPORTS, kept_queries.END_EXPORTS, True),
    ("idempotency_keys", kept_queries.COUNT_ANSWERS, kept_queries.FORGET_ANSWERS, True),
)


def places_of_document(means: Means) -> list[Place]:
    """Return all places that a document may be in."""
    database = means.database
    return [
        Deleted(database, means.purger.purge),
        RestingAnswers(database, means.messages, means.clock),
        *(Rows(name, database, count, step, is_kept) for name, count, step, is_kept in TABLES),
        Rows("audit_log", means.eraser_database, queries.COUNT_TOLD, queries.FORGET_TOLD, True, as_eraser=True),
        CachedEntries(database, means.cache),
        ArchivedAnswers(database, means.archives),
        archived_entries(database, means.archives),
        ExportedFiles(means.archive_store),
    ]
