"""The bills as tables and as JSON."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Final

from infra.cloud.cost import assumptions
from infra.cloud.cost.assumptions import PerMessage, PerPage
from infra.cloud.cost.bill import Bill, make_bill
from infra.cloud.cost.idle import idle_usage
from infra.cloud.cost.prices import PriceList
from infra.cloud.cost.templates import Deployment
from infra.cloud.cost.units import gemini_meters, message_usage, page_usage

if TYPE_CHECKING:
    from rich.console import Console

IDLE_ASSUMPTIONS: Final = (
    "IDLE_DATABASE_GB", "IDLE_OBJECTS_GB", "AWAKE_ACU", "WAKE_SECONDS", "IDLE_CONNECTION_SECONDS",
    "SCHEDULED_RUN_SECONDS", "POLLERS", "POLL_SECONDS", "RUN_LOG_KB",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Costs:
    """What one deployment costs: a month in which nothing happens, a thousand messages, a thousand pages."""

    deployment: str
    idle_month: Bill
    thousand_messages: Bill
    thousand_pages: Bill


def costs_of(deployment: Deployment, prices: PriceList) -> Costs:
    """Compute the three bills; free monthly units count for the idle month only.

    Raises:
        UnpricedError: a resource has no price.
    """
    known = prices.model_copy(update={"meters": {**prices.meters, **gemini_meters()}})
    store = deployment.vector_store
    return Costs(
        deployment.name,
        make_bill(idle_usage(deployment), known),
        make_bill(message_usage(store, PerMessage()), known, with_free_units=False),
        make_bill(page_usage(store, PerPage()), known, with_free_units=False),
    )


def as_json(costs: Iterable[Costs], prices: PriceList) -> dict[str, Any]:
    """Return everything as JSON values."""
    return {
        "region": prices.region,
        "prices_as_of": prices.as_of,
        "assumptions": _assumptions(),
        "deployments": {
            cost.deployment: {
                f.name: {"dollars": bill.dollars, "lines": [asdict(line) for line in bill.lines]}
                for f in fields(cost)
                if isinstance(bill := getattr(cost, f.name), Bill)
            }
            for cost in costs
        },
    }


def show(console: "Console", costs: Iterable[Costs], prices: PriceList) -> None:
    """Print everything as tables."""
    for cost in costs:
        _table(console, f"{cost.deployment}: a month in which nobody asks", cost.idle_month)
        _table(console, f"{cost.deployment}: 1,000 messages more", cost.thousand_messages)
        _table(console, f"{cost.deployment}: 1,000 pages more", cost.thousand_pages)
    console.print("Assumed:", style="bold")
    for group, values in _assumptions().items():
        console.print(f"  {group}: " + ", ".join(f"{name} {value:g}" for name, value in values.items()), soft_wrap=True)
    console.print(
        f"List prices of {prices.region} as of {prices.as_of}, written down by hand: check them. No taxes, no credits.",
        soft_wrap=True,
    )


def _table(console: "Console", title: str, bill: Bill) -> None:
    from chatsphere.cli.output import Rows

    rows = Rows(
        ["what", "quantity", "free", "$ each", "$", "unit", "for"],
        right=["quantity", "free", "$ each", "$"],
        wrap=["for"],
    )
    for line in bill.lines:
        rows.add(
            line.meter.replace("_", " "), _number(line.quantity), _number(line.free), f"{line.unit_price:.10g}",
            f"{line.dollars:.4f}", line.unit, "; ".join(line.causes),
        )  # fmt: skip
    console.print(f"{title}: ${bill.dollars:.2f}", style="bold")
    console.print(rows.table)
    console.print()


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) or value >= 1_000 else f"{value:,.4f}"


def _assumptions() -> dict[str, dict[str, float]]:
    return {
        "idle month": {name.lower(): float(getattr(assumptions, name)) for name in IDLE_ASSUMPTIONS},
        "message": asdict(PerMessage()),
        "page": asdict(PerPage()),
    }
