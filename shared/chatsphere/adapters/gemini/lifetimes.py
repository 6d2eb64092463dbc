"""Until when Google serves a model: one that is shut down is refused before anybody waits for it.

From Google's page "Gemini deprecations" (ai.google.dev/gemini-api/docs/deprecations), as a transcription of November
2026 has it. A model that is not named here has no announced end.
"""

from datetime import date, timedelta
from typing import Final

from chatsphere.errors import ConfigurationError
from chatsphere.observability import logger

SHUT_DOWN: Final[dict[str, date]] = {
    "gemini-2.0-flash": date(2026, 6, 1),
    "gemini-2.0-flash-lite": date(2026, 6, 1),
    "gemini-2.5-flash": date(2026, 12, 1),
    "gemini-2.5-pro": date(2026, 12, 1),
    "gemini-3.1-flash-lite": date(2027, 5, 7),
    "text-embedding-004": date(2026, 1, 14),
}
"""The day from which on requests for the model fail, or are answered by another one at its price."""

WARNED_BEFORE: Final = timedelta(days=60)


def check_served(name: str, today: date) -> None:
    """Warn of a model whose end is near.

    Raises:
        ConfigurationError: it is shut down.
    """
    end = SHUT_DOWN.get(name)
    if end is None or today < end - WARNED_BEFORE:
        return
    if today >= end:
        raise ConfigurationError(f"Google shut the model {name!r} down on {end}: choose another one.")
    logger.warning("the model will be shut down", model=name, on=str(end))
