"""Dates and times of a worksheet: days since an epoch, shown with the parts that their format has."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

_DAY_SECONDS = 86_400
_LAST_DAY = 2_958_465
"""The 31st of December 9999."""
_FALSE_LEAP_DAY = 60
"""Excel has a 29th of February 1900, as Lotus 1-2-3 had."""


@dataclass(frozen=True, slots=True)
class DateFormat:
    """Which parts of a date and time are shown; `elapsed` is the unit that counts on (`[h]`: 26:30)."""

    parts: frozenset[str]
    elapsed: str = ""
    epoch_1904: bool = False

    @classmethod
    def of(cls, tokens: Sequence[tuple[str, str]], epoch_1904: bool) -> "DateFormat":
        """Read the tokens of a format's section; an `m` beside hours or seconds is minutes."""
        units = "".join(re.sub(r"(.)\1*", r"\1", text.lower()) for kind, text in tokens if kind in ("date", "elapsed"))
        units = re.sub(r"h(?=m)m|m(?=s)", lambda match: match[0].replace("m", "n"), units)
        elapsed = next((text[0].lower() for kind, text in tokens if kind == "elapsed"), "")
        parts = {{"g": "y", "e": "y", "b": "y"}.get(unit, unit) for unit in units}
        return cls(frozenset(parts), elapsed, epoch_1904)

    def show(self, serial: float) -> str:
        """Show a number of days.

        Raises:
            ValueError: it is no date.
        """
        if self.elapsed:
            return self._show_elapsed(serial)
        if not 0 <= serial <= _LAST_DAY + 1:
            raise ValueError(serial)
        days, seconds = divmod(round(serial * _DAY_SECONDS), _DAY_SECONDS)
        has_time = bool(self.parts & {"h", "n", "s"})
        day = "" if days == 0 and has_time and not self.epoch_1904 else self._show_day(days)
        return f"{day} {self._show_time(seconds) if has_time else ''}".strip()

    def _show_day(self, days: int) -> str:
        if not self.parts & {"y", "m", "d"}:
            return ""
        if self.epoch_1904:
            shown = (date(1904, 1, 1) + timedelta(days)).isoformat()
        elif days == _FALSE_LEAP_DAY:
            shown = "1900-02-29"
        else:
            shown = (date(1899, 12, 31 if days < _FALSE_LEAP_DAY else 30) + timedelta(days)).isoformat()
        return shown if "d" in self.parts else shown[:7] if "m" in self.parts else shown[:4]

    def _show_time(self, seconds: int) -> str:
        clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}"
        return f"{clock}:{seconds % 60:02}" if "s" in self.parts else clock

    def _show_elapsed(self, serial: float) -> str:
        sign, seconds = "-" if serial < 0 else "", round(abs(serial) * _DAY_SECONDS)
        if self.elapsed == "s":
            return f"{sign}{seconds}"
        if self.elapsed == "m":
            return f"{sign}{seconds // 60}" + (f":{seconds % 60:02}" if "s" in self.parts else "")
        minutes = f":{seconds // 60 % 60:02}" if self.parts & {"n", "m", "s"} else ""
        return f"{sign}{seconds // 3600}{minutes}" + (f":{seconds % 60:02}" if "s" in self.parts else "")
