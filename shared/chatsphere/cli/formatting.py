"""Values as people read them. Text that comes from documents is made harmless to a terminal here."""

import re
from datetime import datetime

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters but for tab and line feed, and those that reverse the direction of what follows."""


def plain(text: object) -> str:
    """Return text without the characters that steer a terminal."""
    return _CONTROL.sub("", str(text))


def one_line(text: object, width: int = 160) -> str:
    """Return text on one line, elided past `width` characters."""
    flat = " ".join(plain(text).split())
    return flat if len(flat) <= width else flat[: width - 1].rstrip() + "…"


def size(count: int | None) -> str:
    """Return a number of bytes in the unit that fits."""
    if count is None:
        return ""
    amount = float(count)
    for unit in ("B", "KB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" or amount >= 10 else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"


def moment(value: object) -> str:
    """Return an RFC 3339 time as local date and minute."""
    try:
        return datetime.fromisoformat(str(value)).astimezone().strftime("%Y-%m-%d %H:%M")
    except ValueError:
        return ""


def pages(first: int | None, last: int | None = None) -> str:
    """Return a page, or a range of pages, as in `p. 3` and `pp. 3-4`; nothing for a text without pages."""
    if first is None:
        return ""
    return f"p. {first}" if last in (None, first) else f"pp. {first}-{last}"
