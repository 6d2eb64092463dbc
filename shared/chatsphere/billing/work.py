"""Work that costs money and that nobody waits for: documents embedded and read by OCR, bots embedded anew, memory.

It takes from the organization's budgets as answers do, and from no API key's: documents come without one. What costs
nothing, as everything does that runs in the functions, counts nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar
from uuid import UUID

from chatsphere.billing.budgets import Spending, reserve, settle
from chatsphere.db.database import Connection, Database
from chatsphere.errors import BudgetExhaustedError
from chatsphere.ports.system import Clock, Ids

Done = TypeVar("Done")


class WorkOverBudgetError(BudgetExhaustedError):
    """The organization's budget has no room for a step of its work; `needed` is what that takes."""

    def __init__(self, detail: str, needed: Spending) -> None:
        super().__init__(detail)
        self.needed = needed


class Priced(Protocol):
    """A model that tells its price: an embedder, or its description."""

    def cost(self, tokens: int) -> int:
        """Return what so many tokens cost in micro-dollars."""
        ...


def price_of(model: Priced, tokens: int) -> Spending:
    """Return what so many tokens of a model count: nothing, where they cost nothing."""
    microdollars = model.cost(tokens)
    return Spending(tokens, microdollars) if microdollars else Spending()


@dataclass(frozen=True, slots=True)
class PaidWork:
    """Does steps of work within the budget of whose they are."""

    database: Database
    clock: Clock
    ids: Ids

    def do(
        self,
        organization_id: UUID,
        price: Spending,
        step: Callable[[], Done],
        note: Callable[[Connection], object] | None = None,
    ) -> Done:
        """Return what `step` returns; its price is set aside before it, and counted if it succeeds.

        No transaction is open during the step. One that was killed counts nothing, and its reservation expires. `note`
        writes what belongs to the counting, in its transaction.

        Raises:
            WorkOverBudgetError: the budget has no room for the price; the step was not begun.
        """
        if price == Spending():
            return step()
        reservation = self.ids.new()
        self._reserve(organization_id, reservation, price)
        try:
            done = step()
        except Exception:
            self._settle(organization_id, reservation, Spending())
            raise
        self._settle(organization_id, reservation, price, note)
        return done

    def _reserve(self, organization_id: UUID, reservation: UUID, price: Spending) -> None:
        try:
            with self.database.transaction(organization_id) as connection:
                reserve(
                    connection,
                    reservation,
                    price,
                    organization_id=organization_id,
                    api_key_id=None,
                    now=self.clock.now(),
                    messages=0,
                )
        except BudgetExhaustedError as refusal:
            raise WorkOverBudgetError(refusal.detail, price) from None

    def _settle(
        self,
        organization_id: UUID,
        reservation: UUID,
        used: Spending,
        note: Callable[[Connection], object] | None = None,
    ) -> None:
        with self.database.transaction(organization_id) as connection:
            if note is not None:
                note(connection)
            settle(connection, reservation, used, messages=0)
