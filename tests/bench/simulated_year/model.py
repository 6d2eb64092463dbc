"""What a year of retention must come to, written from the policy's words and nothing of the product's.

Day after day in arrays: which messages and conversations are there, in the archive, or gone.
"""

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from tests.bench.simulated_year.world import DAY, NO_TIME, Flags, Indices, Seconds, World

DEFAULTS: Final[dict[str, Any]] = {
    "inactive_conversation_days": 90,
    "inactive_conversation_action": "archive",
    "message_days": 90,
    "message_action": "archive",
    "system_message_days": 30,
}
SYSTEM: Final = 2


@dataclass
class Model:
    """`present` and `archived` of each message, `open` of each conversation; what is neither present nor archived, of
    what was there once, is gone.
    """

    world: World
    present: Flags = field(init=False)
    archived: Flags = field(init=False)
    open: Flags = field(init=False)
    archived_conversations: Flags = field(init=False)
    held: Flags = field(init=False)
    """Conversations under any hold."""
    _deleted: dict[int, int] = field(default_factory=dict)
    _last_use: Seconds = field(init=False)
    _bot: Indices = field(init=False)

    def __post_init__(self) -> None:
        messages, conversations = len(self.world.message_at), len(self.world.conversation_bot)
        self.present = np.zeros(messages, bool)
        self.archived = np.zeros(messages, bool)
        self.open = np.zeros(conversations, bool)
        self.archived_conversations = np.zeros(conversations, bool)
        self.held = np.zeros(conversations, bool)
        self._last_use = np.full(conversations, -1, np.int64)
        self._bot = self.world.conversation_bot[self.world.message_conversation]
        rules = [
            DEFAULTS | self.world.rules[organization] | self.world.bot_rules.get(bot, {})
            for bot, organization in enumerate(self.world.bot_organization)
        ]
        self._days = {
            name: np.array([NO_TIME if r[name] is None else r[name] * DAY for r in rules], np.int64)
            for name in ("inactive_conversation_days", "message_days", "system_message_days")
        }
        self._archives = {
            name: np.array([r[name] == "archive" for r in rules])
            for name in ("inactive_conversation_action", "message_action")
        }

    def arrive(self, messages: Indices) -> None:
        """These were said; a conversation that was deleted meanwhile is not said anything in."""
        self.present[messages] = True
        conversations = self.world.message_conversation[messages]
        self.open[conversations] = True
        np.maximum.at(self._last_use, conversations, self.world.message_at[messages])

    def delete(self, conversation: int, now: int) -> None:
        """Somebody deleted this one; what is in the archive goes by a run six hours later, or more."""
        self.present[self.world.message_conversation == conversation] = False
        self.open[conversation] = False
        self._deleted[conversation] = now

    def forget(self, conversations: Indices) -> None:
        """These were erased: in the archive as well."""
        of_them = np.isin(self.world.message_conversation, conversations)
        self.present[of_them] = False
        self.archived[of_them] = False
        self.open[conversations] = False
        self.archived_conversations[conversations] = False

    def run(self, now: int) -> None:
        """The daily job ran at this second of the year."""
        self._empty_archive(now)
        bot = self.world.conversation_bot
        inactive = self.open & ~self.held & self._older(self._last_use, "inactive_conversation_days", bot, now)
        archiving = inactive & self._archives["inactive_conversation_action"][bot]
        goes_along = self.present & inactive[self.world.message_conversation]
        at, free = self.world.message_at, ~self.held[self.world.message_conversation]
        system = self.world.message_role == SYSTEM
        old = self.present & free & ~system & self._older(at, "message_days", self._bot, now)
        old_system = self.present & free & system & self._older(at, "system_message_days", self._bot, now)
        # What is due by itself goes by its own rule, also where its conversation is due on the same day.
        self.archived |= old & self._archives["message_action"][self._bot]
        goes_along &= ~old & ~old_system
        self.archived |= goes_along & archiving[self.world.message_conversation]
        self.present &= ~(old | old_system | goes_along)
        self.open &= ~inactive
        self.archived_conversations |= archiving

    def _empty_archive(self, now: int) -> None:
        """Deleted conversations leave the archive; while anything of a bot is held, that waits."""
        held_bots = np.unique(self.world.conversation_bot[self.held])
        bots = self.world.conversation_bot
        due = [c for c, at in self._deleted.items() if at <= now - DAY // 4 and bots[c] not in held_bots]
        self.archived[np.isin(self.world.message_conversation, due)] = False
        for conversation in due:
            del self._deleted[conversation]

    def _older(self, at: Seconds, name: str, bot: Indices, now: int) -> Flags:
        days = self._days[name][bot]
        result: Flags = (days != NO_TIME) & (at < now - np.where(days == NO_TIME, 0, days))
        return result
