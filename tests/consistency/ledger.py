"""What readers may find at a moment, as whoever writes the documents knows it."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Final
from uuid import UUID

from chatsphere.knowledge.retrieval.models import Hit

TEXT: Final = re.compile(r"topic(\w+) edition(\d+) line(\d+)")
LINES: Final = 12


def text(topic: str, edition: int) -> str:
    """Return a document: each of its lines says of which edition it is."""
    return "\n".join(f"topic{topic} edition{edition} line{line} of the {topic} handbook." for line in range(LINES))


@dataclass
class Report:
    """What the readers found, in numbers."""

    queries: int = 0
    replaced: int = 0
    deleted: int = 0
    reembedded: int = 0
    mixtures: int = 0
    empty: int = 0
    outdated: int = 0
    deleted_seen: int = 0
    examples: list[str] = field(default_factory=list)

    @property
    def faults(self) -> int:
        """How many answers were wrong."""
        return self.mixtures + self.empty + self.outdated + self.deleted_seen

    def __str__(self) -> str:
        return (
            f"{self.queries} queries during {self.replaced} replacements, {self.deleted} deletions and"
            f" {self.reembedded} re-embeddings: {self.mixtures} mixtures, {self.empty} empty results,"
            f" {self.outdated} outdated ones, {self.deleted_seen} deleted passages seen after their deletion"
        )


@dataclass(frozen=True)
class Moment:
    """What held when a query began: which edition of each topic readers saw at least, and what was deleted."""

    live: dict[str, int]
    deleted: frozenset[UUID]


class Ledger:
    """Told by the writers what they have done, and by the readers what they have found."""

    def __init__(self) -> None:
        self.report = Report()
        self._lock = Lock()
        self._live: dict[str, int] = {}
        self._deleted: frozenset[UUID] = frozenset()

    def is_live(self, topic: str, edition: int) -> None:
        """Note that readers see this edition from now on, until there is another."""
        with self._lock:
            self.report.replaced += topic in self._live
            self._live[topic] = edition

    def is_deleted(self, document_id: UUID) -> None:
        """Note that the deletion was answered: nobody may see the document from now on."""
        with self._lock:
            self.report.deleted += 1
            self._deleted |= {document_id}

    def is_reembedded(self) -> None:
        """Note that the bot was embedded anew."""
        with self._lock:
            self.report.reembedded += 1

    def moment(self) -> Moment:
        """Return what holds now."""
        with self._lock:
            return Moment(dict(self._live), self._deleted)

    def judge(self, topic: str, began: Moment, hits: Sequence[Hit]) -> None:
        """Compare what a query for a topic found with what held when it began."""
        editions: dict[UUID, set[int]] = {}
        found: set[int] = set()
        for hit in hits:
            match = TEXT.match(hit.content)
            assert match is not None, hit.content
            editions.setdefault(hit.document_id, set()).add(int(match[2]))
            found |= {int(match[2])} if match[1] == topic else set()
        faults = Counter(
            mixtures=sum(len(each) > 1 for each in editions.values()),
            # What may be deleted at any moment need not be found.
            empty=int(topic in began.live and not found),
            outdated=int(bool(found) and min(found) < began.live.get(topic, 0)),
            deleted_seen=len(editions.keys() & began.deleted),
        )
        with self._lock:
            self.report.queries += 1
            for name, number in faults.items():
                setattr(self.report, name, getattr(self.report, name) + number)
            if faults.total():
                self.report.examples.append(f"{topic} from {began.live.get(topic)}: {dict(+faults)}, found {editions}")
