"""For how long what is kept. Days count from the last use of a conversation, from a message's or an error's making,
from a document's last upload or change, and from an archive's making; None: for ever.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal

Action = Literal["archive", "delete"]
"""`archive`: written to Parquet and verified first, then deleted."""

MOST_DAYS: Final = 36_500
"""A hundred years: more is null."""

Rules = Mapping[str, Any]
"""Some of a policy's fields: what an organization decided, or where a bot differs."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Every field with its value; the defaults are the table of seed 004.

    `message_days` is of what end users and the bot said, also in conversations that go on; with a conversation that is
    inactive for too long goes whatever is left of it. An archive lives for `archive_days`: seven years, for what is
    personal needs an end, and seven years are the longest that books are usually kept.
    """

    inactive_conversation_days: int | None = 90
    inactive_conversation_action: Action = "archive"
    message_days: int | None = 90
    message_action: Action = "archive"
    system_message_days: int | None = 30
    document_days: int | None = None
    error_log_days: int | None = 90
    archive_days: int | None = 2555

    def to_json(self) -> dict[str, Any]:
        """Return every field."""
        return asdict(self)


DEFAULT: Final = Policy()
"""Of organizations that never decided anything."""

FIELDS: Final = tuple(field.name for field in fields(Policy))


def effective(*rules: Rules) -> Policy:
    """Return the default with these rules one after the other: the organization's, then the bot's."""
    policy = DEFAULT
    for each in rules:
        policy = replace(policy, **{name: value for name, value in each.items() if name in FIELDS})
    return policy


def cutoff(now: datetime, days: int | None) -> datetime | None:
    """Return the moment before which something has to be made to be due; None: nothing ever is."""
    return None if days is None else now - timedelta(days=days)
