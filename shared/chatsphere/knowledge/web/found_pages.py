"""What a step has found to be fetched: put on the list, within the source's bounds."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from chatsphere.db.database import Connection
from chatsphere.knowledge.web import sources_queries, steps_queries
from chatsphere.knowledge.web.leases import Step
from chatsphere.knowledge.web.urls import WebUrl
from chatsphere.ports.system import Ids

MAX_SITEMAPS: Final = 500
MAX_SITEMAP_DEPTH: Final = 2
"""A list of lists of pages; the protocol knows no deeper ones, some sites do."""

ENTRIES_PER_PAGE: Final = 3
"""Pages that become no document count for nothing, but there is an end to them, too."""


def list_found(
    connection: Connection,
    step: Step,
    kind: str,
    urls: Sequence[WebUrl],
    depth: int,
    *,
    now: datetime,
    ids: Ids,
) -> bool:
    """Put what was found on the synchronisation's list, each once; return False where not all of it fits."""
    if not urls:
        return True
    texts = [str(url) for url in urls]
    counts = connection.execute(steps_queries.LISTED, step.values | {"urls": texts}).fetchone()
    assert counts is not None
    known = set(counts["known"])
    new = [text for text in texts if text not in known]
    room = step.max_pages - counts["pages"]
    if kind == "sitemap":
        room = MAX_SITEMAPS - counts["sitemaps"] if depth <= MAX_SITEMAP_DEPTH else 0
    room = max(0, min(room, ENTRIES_PER_PAGE * step.max_pages + MAX_SITEMAPS - counts["entries"]))
    common = step.values | {"page_kind": kind, "depth": depth, "document_id": None, "now": now}
    listed = [common | {"id": ids.new(), "url": text} for text in new[:room]]
    if listed:
        with connection.cursor() as cursor:
            cursor.executemany(sources_queries.LIST_PAGE, listed)
    return len(listed) == len(new)
