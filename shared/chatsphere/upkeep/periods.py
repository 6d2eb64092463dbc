"""Which ranges of time partitions are made for. Times are UTC; ranges include their begin and not their end."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

Granularity = Literal["month", "day"]

DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A range of whole days within one month."""

    starts_at: datetime
    ends_at: datetime

    def holds(self, moment: datetime) -> bool:
        """Return whether a moment is in it."""
        return self.starts_at <= moment < self.ends_at

    def is_of(self, granularity: Granularity) -> bool:
        """Return whether it is what that setting makes: a whole month or one day."""
        return self == period_of(self.starts_at, granularity)


def month_start(moment: datetime) -> datetime:
    """Return the begin of a moment's month."""
    return moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def next_month(moment: datetime) -> datetime:
    """Return the begin of the month after a moment's."""
    return month_start(month_start(moment) + timedelta(days=32))


def period_of(moment: datetime, granularity: Granularity) -> Period:
    """Return the month or the day that a moment is in."""
    if granularity == "month":
        return Period(month_start(moment), next_month(moment))
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return Period(midnight, midnight + DAY)


def missing_periods(
    existing: Sequence[Period], since: datetime, until: datetime, granularity: Granularity
) -> Iterator[Period]:
    """Yield what is to be made so that the time from `since`'s period to `until` is covered without overlap.

    Beside ranges that another setting made, what is left of a month is one range.
    """
    cursor = period_of(since, granularity).starts_at
    while cursor < until:
        covering = next((period for period in existing if period.holds(cursor)), None)
        if covering is None:
            ends = period_of(cursor, granularity).ends_at
            others = [period.starts_at for period in existing if cursor < period.starts_at < ends]
            covering = Period(cursor, min(others, default=ends))
            yield covering
        cursor = covering.ends_at


def replaceable(existing: Sequence[Period], now: datetime, granularity: Granularity) -> list[Period]:
    """Return the ranges of another setting that lie wholly in time to come: where they are empty, they give way."""
    return [
        period
        for period in existing
        if not period.is_of(granularity) and month_start(period.starts_at) >= next_month(now)
    ]
