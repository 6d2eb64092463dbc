"""What may be used in a month: tokens and money, of the organization and of each API key, and the plan's messages.

Before the model is asked, an answer reserves the most that it can use; after it, what it did use takes the
reservation's place. So parallel answers cannot spend more together than there is. An answer that never ends, its
function killed, stops counting when its reservation expires. Other work does the same: see `chatsphere.billing.work`.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from chatsphere.billing import budget_queries as queries
from chatsphere.billing.quotas import Quota, refuse
from chatsphere.db.database import Connection
from chatsphere.errors import BudgetExhaustedError

RESERVED_FOR: Final = timedelta(minutes=5)
"""Longer than the function that answers may run (two minutes), so that no live answer's reservation expires."""

KEPT_FOR: Final = timedelta(days=1)
"""How long an expired reservation is kept, for an answer that is settled after all."""


@dataclass(frozen=True, slots=True)
class Spending:
    """Tokens, prompt and answer together, and micro-dollars."""

    tokens: int = 0
    cost_microdollars: int = 0


@dataclass(frozen=True, slots=True)
class MonthUsage:
    """What was used in the month that begins on the day `period`; with what is set aside for work under way."""

    period: date
    messages: int
    tokens: int
    cost_microdollars: int


def month_of(moment: datetime) -> date:
    """Return the first day of the calendar month (UTC), which names a period."""
    return moment.astimezone(UTC).date().replace(day=1)


def reserve(
    connection: Connection,
    reservation_id: UUID,
    most: Spending,
    *,
    organization_id: UUID,
    api_key_id: UUID | None,
    now: datetime,
    messages: int = 1,
) -> None:
    """Set aside the most that an answer, or other work of no `messages`, can use.

    Call it last in a transaction: it holds the organization's month.

    Raises:
        QuotaExceededError: the plan permits no further message this month.
        BudgetExhaustedError: the organization's or the key's budget does not hold that much any more.
    """
    values: dict[str, Any] = {"period": month_of(now), "now": now, "api_key_id": api_key_id}
    limits = connection.execute(queries.LIMITS, values).fetchone()
    assert limits is not None
    if any(limit is not None for name, limit in limits.items() if name != "plan"):
        connection.execute(queries.BEGIN_MONTH, values)
        connection.execute(queries.HOLD_MONTH, values)
        _check_organization(organization_usage(connection, organization_id, now), limits, most, messages)
        key_budget = limits["key_tokens"], limits["key_microdollars"]
        if api_key_id is not None and key_budget != (None, None):
            _check_budget("API key", key_usage(connection, api_key_id, now), *key_budget, most)
    connection.execute(
        queries.RESERVE,
        values
        | {
            "id": reservation_id,
            "messages": messages,
            "tokens": most.tokens,
            "microdollars": most.cost_microdollars,
            "expires_at": now + RESERVED_FOR,
            "forgotten": now - KEPT_FOR,
        },
    )


def settle(connection: Connection, reservation_id: UUID, used: Spending, *, messages: int = 1) -> None:
    """Count what an answer used instead of what it reserved; a second time it changes nothing.

    Call it last in a transaction: it holds the organization's month.
    """
    connection.execute(
        queries.SETTLE,
        {"id": reservation_id, "messages": messages, "tokens": used.tokens, "microdollars": used.cost_microdollars},
    )


def require_left(connection: Connection, most: Spending, *, organization_id: UUID, now: datetime) -> None:
    """Raise unless the organization's budget holds this much at the moment. Nothing is set aside.

    Raises:
        BudgetExhaustedError: it does not.
    """
    limits = connection.execute(queries.LIMITS, {"api_key_id": None}).fetchone()
    assert limits is not None
    if limits["tokens"] is not None or limits["microdollars"] is not None:
        _check_organization(organization_usage(connection, organization_id, now), limits, most, 0)


def left_of_budget(connection: Connection, organization_id: UUID, now: datetime) -> tuple[int | None, int | None]:
    """Return the tokens and the micro-dollars that are left of the organization's month; None: there is no limit."""
    limits = connection.execute(queries.LIMITS, {"api_key_id": None}).fetchone()
    assert limits is not None
    taken = organization_usage(connection, organization_id, now)
    tokens, microdollars = limits["tokens"], limits["microdollars"]
    return (
        None if tokens is None else tokens - taken.tokens,
        None if microdollars is None else microdollars - taken.cost_microdollars,
    )


def count_spending(connection: Connection, used: Spending, now: datetime) -> None:
    """Count what was used for the organization in the background, where nothing was set aside; no budget refuses it.

    Call it last in a transaction: it holds the organization's month.
    """
    values = {"period": month_of(now), "tokens": used.tokens, "microdollars": used.cost_microdollars}
    connection.execute(queries.COUNT, values)


def organization_usage(connection: Connection, organization_id: UUID, now: datetime) -> MonthUsage:
    """Return what the organization uses in the present month."""
    return _taken(connection, [organization_id], now)


def key_usage(connection: Connection, api_key_id: UUID, now: datetime) -> MonthUsage:
    """Return what a key uses in the present month, with the keys that it was rotated from or to."""
    kin = connection.execute(queries.KEY_AND_KIN, {"api_key_id": api_key_id}).fetchall()
    return _taken(connection, [row["id"] for row in kin], now)


def _taken(connection: Connection, subjects: list[UUID], now: datetime) -> MonthUsage:
    period = month_of(now)
    row = connection.execute(queries.TAKEN, {"subjects": subjects, "period": period, "now": now}).fetchone()
    assert row is not None
    return MonthUsage(period, **row)


def _check_organization(taken: MonthUsage, limits: dict[str, Any], most: Spending, messages: int) -> None:
    allowed = limits["messages"]
    if messages and allowed is not None and taken.messages + messages > allowed:
        refuse(Quota.MESSAGES, plan=limits["plan"], allowed=allowed, used=taken.messages)
    _check_budget("organization", taken, limits["tokens"], limits["microdollars"], most)


def _check_budget(owner: str, taken: MonthUsage, tokens: int | None, microdollars: int | None, most: Spending) -> None:
    for unit, budget, used, needed in (
        ("tokens", tokens, taken.tokens, most.tokens),
        ("micro-dollars", microdollars, taken.cost_microdollars, most.cost_microdollars),
    ):
        # What costs nothing is not stopped by a budget of money that is just used up.
        if budget is not None and needed > 0 and used + needed > budget:
            raise BudgetExhaustedError(
                f"The {owner}'s monthly budget is {budget} {unit}, of which {used} are used or set aside; "
                f"this may take {needed}."
            )
