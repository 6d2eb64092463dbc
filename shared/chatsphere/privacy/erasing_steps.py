"""What an erasure does between two of its steps."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chatsphere.ports.system import Clock
from chatsphere.queue_batches import NotNowError


@dataclass(frozen=True, slots=True)
class ErasureSteps:
    """The `Steps` of one try, which ends at `ends_at`. `found` is what the erasure remembers, `save` keeps it."""

    keep_lease: Callable[[], None]
    refuse_if_held: Callable[[], None]
    save: Callable[[], None]
    found: dict[str, Any]
    clock: Clock
    ends_at: datetime

    def go_on(self) -> None:
        """See `Steps.go_on`."""
        self.refuse_if_held()
        if self.clock.now() >= self.ends_at:
            raise NotNowError("the erasure takes longer")
        self.keep_lease()

    def bookmark(self, name: str) -> Mapping[str, Any]:
        """See `Steps.bookmark`."""
        marks: Mapping[str, Mapping[str, Any]] = self.found.get("bookmarks", {})
        return marks.get(name, {})

    def keep(self, name: str, content: Mapping[str, Any]) -> None:
        """See `Steps.keep`."""
        self.found.setdefault("bookmarks", {})[name] = dict(content)
        self.save()
