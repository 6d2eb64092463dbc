"""From what is used to what is billed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from infra.cloud.cost.prices import PriceList


@dataclass(frozen=True, slots=True)
class Usage:
    """A quantity in a meter's unit, and what causes it."""

    meter: str
    quantity: float
    cause: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a bill, in dollars; `free` units of `quantity` are not charged."""

    meter: str
    quantity: float
    unit: str
    free: float
    unit_price: float
    dollars: float
    causes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bill:
    """Lines, the dearest first."""

    lines: tuple[Line, ...]

    @property
    def dollars(self) -> float:
        """The sum."""
        return sum(line.dollars for line in self.lines)


def make_bill(usages: Iterable[Usage], prices: PriceList, *, with_free_units: bool = True) -> Bill:
    """Add up the usages of each meter, take off what is free, and price the rest.

    Raises:
        KeyError: a usage names a meter that the price list lacks.
    """
    by_meter: dict[str, list[Usage]] = {}
    for usage in usages:
        by_meter.setdefault(usage.meter, []).append(usage)
    lines = [_line(meter, of_meter, prices, with_free_units) for meter, of_meter in by_meter.items()]
    return Bill(tuple(sorted(lines, key=lambda line: (-line.dollars, line.meter))))


def _line(name: str, usages: Sequence[Usage], prices: PriceList, with_free_units: bool) -> Line:
    meter = prices.meters[name]
    quantity = sum(usage.quantity for usage in usages)
    free = min(quantity, meter.free) if with_free_units else 0.0
    causes = tuple(dict.fromkeys(usage.cause for usage in usages))
    return Line(name, quantity, meter.unit, free, meter.dollars, (quantity - free) * meter.dollars, causes)
