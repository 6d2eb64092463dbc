"""What a comparison looked at, and where stores do not correspond."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

MAX_EXAMPLES: Final = 20


class Difference(StrEnum):
    """Ways in which stores do not correspond."""

    OBJECT_UNREGISTERED = "object_unregistered"
    """An object has no document: its notification was lost."""

    OBJECT_CHANGED = "object_changed"
    """An object is not the one that its document was made from: likewise."""

    OBJECT_UNUSABLE = "object_unusable"
    """An object's key cannot be a document's. It stays where it is, and is noted as quarantined."""

    OBJECT_GONE = "object_gone"
    """A document's object is not there any more: the notification of its removal was lost."""

    DOCUMENT_STUCK = "document_stuck"
    """A document is unfinished, and nobody is to look at it again."""

    CHUNKS_MISSING = "chunks_missing"
    """A document has fewer, or more, passages than were counted when it became ready."""

    INDEX_INCOMPLETE = "index_incomplete"
    """The lexical index lacks passages of a document, or has some of its former generations."""

    INDEX_ORPHANED = "index_orphaned"
    """A segment of the lexical index has entries of passages that do not exist."""

    VECTORS_MISSING = "vectors_missing"
    """A document has fewer vectors than passages."""

    VECTORS_SURPLUS = "vectors_surplus"
    """A document has vectors of former generations, and nobody is to delete them."""

    VECTORS_ORPHANED = "vectors_orphaned"
    """There are vectors of a document that does not exist."""


@dataclass
class Findings:
    """Counts of one or more pages of a comparison."""

    looked_at: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    repaired: Counter[str] = field(default_factory=Counter)
    examples: list[dict[str, Any]] = field(default_factory=list)

    def differ(self, difference: Difference, subject: object, *, repaired: bool) -> None:
        """Note one difference; `subject` says of what: a key, or the id of a document."""
        self.found[difference] += 1
        if repaired:
            self.repaired[difference] += 1
        if len(self.examples) < MAX_EXAMPLES:
            self.examples.append({"difference": difference, "subject": str(subject), "repaired": repaired})
