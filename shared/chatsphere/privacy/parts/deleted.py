"""What the deletion of a document or of a bot removes, rows, objects and vectors, with a receipt of its own."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from chatsphere.db.database import Database
from chatsphere.errors import UnavailableError
from chatsphere.knowledge.ingestion.messages import PurgeMessage
from chatsphere.privacy.model import Part
from chatsphere.privacy.parts.stores import Steps

OPEN: Final = """
    SELECT (SELECT count(*) FROM deletions
            WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s
              AND document_id IS NOT DISTINCT FROM %(document_id)s AND status <> 'done')
        + CASE WHEN %(document_id)s::uuid IS NULL
            THEN (SELECT count(*) FROM bots
                  WHERE organization_id = app.current_organization() AND id = %(bot_id)s)
            ELSE (SELECT count(*) FROM documents
                  WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s
                    AND id = %(document_id)s) END AS rows
"""
"""Whether the deletion has not ended yet."""

REMOVED: Final = """
    SELECT removed FROM deletions
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s
      AND document_id IS NOT DISTINCT FROM %(document_id)s AND status = 'done'
    ORDER BY id DESC LIMIT 1
"""
"""What it removed."""


@dataclass(frozen=True, slots=True)
class Deleted:
    """The `Place` of what a deletion deletes. `purge` goes on with it, and returns when it has ended, or is not there.

    It counts as one until it has ended: what it removed stands in its own receipt, and from there in the erasure's.
    """

    database: Database
    purge: Callable[[PurgeMessage], object]
    name: str = "deletions_under_way"
    is_kept: bool = False

    def count(self, part: Part, steps: Steps) -> int:  # noqa: ARG002 - the port's
        """See `Place.count`."""
        with self.database.transaction(part.organization_id) as connection:
            row = connection.execute(OPEN, part.values).fetchone()
        return int(row["rows"]) if row else 0

    def erase(self, part: Part, steps: Steps) -> None:
        """See `Place.erase`."""
        steps.go_on()
        assert part.bot_id is not None
        message = PurgeMessage(organization_id=part.organization_id, bot_id=part.bot_id, document_id=part.document_id)
        self.purge(message)
        if self.count(part, steps):
            raise UnavailableError("The deletion has not ended.")

    def left(self, part: Part, steps: Steps) -> int:
        """See `Place.left`."""
        return self.count(part, steps)

    def removed(self, part: Part) -> dict[str, int]:
        """Return what the deletion removed, by kind."""
        with self.database.transaction(part.organization_id) as connection:
            row = connection.execute(REMOVED, part.values).fetchone()
        return dict(row["removed"]) if row else {}
