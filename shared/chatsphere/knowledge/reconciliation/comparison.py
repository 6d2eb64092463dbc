"""What the comparisons of a bot's stores have in common."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from chatsphere.knowledge.reconciliation.findings import Findings
from chatsphere.ports.vectors import Namespace


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose stores are compared; `namespace` is where readers search. Without `repair`, nothing is changed."""

    namespace: Namespace
    repair: bool

    @property
    def organization_id(self) -> UUID:
        """The bot's organization."""
        return self.namespace.organization_id

    @property
    def bot_id(self) -> UUID:
        """The bot."""
        return self.namespace.bot_id


class Comparison(Protocol):
    """Compares one kind of thing, page by page."""

    def page(self, subject: Subject, after: str | None, findings: Findings) -> str | None:
        """Look at the page after this place, repair, and note what was found; return the next place, None at the end.

        To look at a page twice does no harm.

        Raises:
            UnavailableError: a store does not answer.
        """
        ...
