"""Who lives in the simulated year: organizations with policies of their own, their bots, conversations and messages.

Everything follows from a seed and is held in arrays, by index; an id is made of an index and says it again.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]
Seconds = NDArray[np.int64]
Flags = NDArray[np.bool_]

DAY: Final = 86_400
ROLES: Final = ("user", "assistant", "system")
NO_TIME: Final = np.iinfo(np.int64).max

POLICIES: Final[tuple[tuple[float, dict[str, Any]], ...]] = (
    (0.50, {}),
    (0.12, {"message_days": 30, "inactive_conversation_days": 45}),
    (0.10, {"message_days": None, "inactive_conversation_days": None, "system_message_days": None}),
    (0.10, {"message_action": "delete", "inactive_conversation_action": "delete"}),
    (0.08, {"message_days": 180, "inactive_conversation_days": 180, "system_message_days": 7}),
    (0.06, {"message_days": 14, "message_action": "delete", "inactive_conversation_days": 200}),
    (0.04, {"message_days": None}),
)
"""What share of the organizations decided what."""

OVERRIDES: Final[tuple[dict[str, Any], ...]] = (
    {"message_days": 60},
    {"inactive_conversation_days": 20, "inactive_conversation_action": "delete"},
    {"message_days": None, "inactive_conversation_days": 120},
)

OVERRIDDEN: Final = 0.1
LONG_LIVED: Final = 0.15
MESSAGES_EACH: Final = 8


@dataclass(frozen=True, slots=True)
class World:
    """`start` is the year's first moment; times are seconds after it."""

    start: datetime
    rules: list[dict[str, Any]]
    bot_organization: Indices
    bot_rules: dict[int, dict[str, Any]]
    conversation_bot: Indices
    conversation_end_user: Indices
    message_conversation: Indices
    message_at: Seconds
    message_role: Indices

    @property
    def organizations(self) -> int:
        """How many organizations there are."""
        return len(self.rules)

    def time(self, seconds: float) -> datetime:
        """Return a moment of the year."""
        return self.start + timedelta(seconds=float(seconds))


def make_world(seed: int, organizations: int, messages: int, *, days: int) -> World:
    """Return a world whose messages are spread over `days`."""
    random = np.random.default_rng(seed)
    shares = np.array([share for share, _ in POLICIES])
    chosen = random.choice(len(POLICIES), organizations, p=shares / shares.sum())
    bots = random.integers(1, 4, organizations)
    bot_organization = np.repeat(np.arange(organizations), bots)
    overridden = np.flatnonzero(random.random(len(bot_organization)) < OVERRIDDEN)
    # A few organizations have most of the messages.
    weights = random.pareto(1.2, len(bot_organization)) + 0.05
    count = max(1, messages // MESSAGES_EACH)
    conversation_bot = np.sort(random.choice(len(bot_organization), count, p=weights / weights.sum()))
    message_conversation = np.sort(np.concatenate([np.arange(count), random.integers(0, count, messages - count)]))
    begins = random.integers(0, days * DAY - 3600, count)
    lasts = np.where(random.random(count) < LONG_LIVED, random.integers(DAY, 200 * DAY, count), 3600)
    at = begins[message_conversation] + random.random(messages) * lasts[message_conversation]
    at = np.minimum(at.astype(np.int64), days * DAY - 1)
    role = np.where(random.random(messages) < 0.02, 2, np.arange(messages) % 2)
    return World(
        datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0),
        [POLICIES[number][1] for number in chosen],
        bot_organization,
        {int(bot): OVERRIDES[int(bot) % len(OVERRIDES)] for bot in overridden},
        conversation_bot,
        random.integers(0, 5000, count),
        message_conversation,
        at,
        role,
    )


def organization_id(index: int) -> UUID:
    """Return the id of an organization."""
    return _id(1, index)


def bot_id(index: int) -> UUID:
    """Return the id of a bot."""
    return _id(2, index)


def conversation_id(index: int) -> UUID:
    """Return the id of a conversation."""
    return _id(3, index)


def message_id(index: int) -> UUID:
    """Return the id of a message."""
    return _id(4, index)


def index_of(id_: UUID) -> int:
    """Return the index that an id was made of."""
    return id_.int & 0xFFFFFFFFFFFF


def end_user(index: int) -> str:
    """Return the name of an end user."""
    return f"user-{index}"


def text_of(index: int) -> str:
    """Return what a message says."""
    return f"message {index}: " + "what somebody said " * (index % 5)


def _id(kind: int, index: int) -> UUID:
    return UUID(int=(kind << 112) | (0x7 << 76) | (0x8 << 60) | index)
