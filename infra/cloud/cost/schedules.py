"""When schedules run, and for how long they keep a database awake that pauses."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

DAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
MINUTE: Final = 60
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
WEEK: Final = 7 * DAY
CRON: Final = re.compile(r"cron\((\d+)(?:/(\d+))? (\*|\d+(?:/\d+)?) ([*?]) \* ([*?]|[A-Z]{3}) \*\)")


def starts(expression: str) -> list[int]:
    """Return when the runs of a week begin: seconds since its first midnight, in order.

    Raises:
        LookupError: the expression is none of those that this reads.
    """
    found = CRON.fullmatch(expression)
    if not found or found[5] not in ("*", "?", *DAYS):
        raise LookupError(f"the schedule {expression}")
    minutes = range(int(found[1]), 60, int(found[2])) if found[2] else (int(found[1]),)
    days = (DAYS.index(found[5]),) if found[5] in DAYS else range(7)
    return [
        day * DAY + hour * HOUR + minute * MINUTE for day in days for hour in _hours(found[3]) for minute in minutes
    ]


def _hours(field: str) -> Sequence[int]:
    if field == "*":
        return range(24)
    first, _, step = field.partition("/")
    return range(int(first), 24, int(step)) if step else (int(first),)


def awake_seconds(runs: Iterable[int], *, wake: float, run: float, pause: float) -> float:
    """Return for how many seconds of a week the database is awake, if each of these runs needs it.

    A run that finds it paused first wakes it; it pauses when nothing has run for `pause` seconds. Times that overlap
    count once.
    """
    total = asleep_at = 0.0
    # The second of two weeks: the first says how it begins.
    for start in sorted(second for begun in runs for second in (begun, begun + WEEK)):
        awake = start < asleep_at
        ends = max(asleep_at if awake else 0.0, start + (0 if awake else wake) + run + pause)
        if start >= WEEK:
            total += ends - max(start, asleep_at)
        asleep_at = ends
    return min(total, WEEK)
