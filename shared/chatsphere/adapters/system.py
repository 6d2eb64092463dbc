"""Time and identifiers from the operating system."""

import secrets
from datetime import UTC, datetime
from threading import Lock
from uuid import UUID


class SystemClock:
    """`Clock` of the machine."""

    def now(self) -> datetime:
        """See `Clock.now`."""
        return datetime.now(UTC)


class UuidV7Ids:
    """`Ids` as of RFC 9562 section 5.7, monotonic within a process by counting in the 12 bits of rand_a."""

    def __init__(self, clock: SystemClock) -> None:
        self._clock = clock
        self._last = 0
        self._lock = Lock()

    def new(self) -> UUID:
        """See `Ids.new`."""
        with self._lock:
            # 48 bits of milliseconds and 12 of the fraction below: one growing number.
            ticks = int(self._clock.now().timestamp() * 1000 * 4096)
            self._last = max(ticks, self._last + 1)
            ticks = self._last
        milliseconds, fraction = ticks >> 12, ticks & 0xFFF
        value = (milliseconds << 80) | (0x7 << 76) | (fraction << 64) | (0b10 << 62) | secrets.randbits(62)
        return UUID(int=value)
