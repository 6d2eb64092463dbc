"""OCR at an organization's expense: each page within its budget, and counted as usage."""

from dataclasses import dataclass
from typing import Final

from chatsphere.billing.budgets import Spending
from chatsphere.billing.work import PaidWork
from chatsphere.db.database import Connection
from chatsphere.knowledge.ingestion.messages import ExtractMessage
from chatsphere.ports.ocr import Ocr

COUNT_PAGE: Final = """
    INSERT INTO usage_events
        (id, organization_id, bot_id, metric, value, model, cost_microdollars, metadata, created_at)
    VALUES (%(id)s, app.current_organization(), %(bot_id)s, 'ocr', 1, %(engine)s, %(microdollars)s,
        jsonb_build_object('document_id', %(document_id)s::text, 'generation', %(generation)s::integer), %(now)s)
"""
"""Count a page that was read; `value` is pages."""


@dataclass(frozen=True, slots=True)
class PaidOcr:
    """The port `Ocr`, each of whose pages costs so many micro-dollars of the message's organization."""

    ocr: Ocr
    page_microdollars: int
    paid: PaidWork
    message: ExtractMessage

    @property
    def engine(self) -> str:
        """See `Ocr.engine`."""
        return self.ocr.engine

    def read(self, image: bytes) -> str:
        """See `Ocr.read`.

        Raises:
            WorkOverBudgetError: the budget has no room for the page; it was not read.
        """
        price = Spending(0, self.page_microdollars)
        return self.paid.do(self.message.organization_id, price, lambda: self.ocr.read(image), self._count)

    def _count(self, connection: Connection) -> None:
        values = self.message.model_dump() | {
            "id": self.paid.ids.new(),
            "engine": self.engine,
            "microdollars": self.page_microdollars,
            "now": self.paid.clock.now(),
        }
        connection.execute(COUNT_PAGE, values)
