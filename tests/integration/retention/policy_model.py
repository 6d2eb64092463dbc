"""What retention is to do, said once more and plainly: row by row, without SQL, and without the code that it judges.

Every row has a fate of its own, whatever runs came before: it is a function of policy, holds, history and time.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

KEEP, ARCHIVE, DELETE = "keep", "archive", "delete"

SEED_004: Mapping[str, Any] = {
    "inactive_conversation_days": 90,
    "inactive_conversation_action": ARCHIVE,
    "message_days": 90,
    "message_action": ARCHIVE,
    "system_message_days": 30,
    "document_days": None,
    "error_log_days": 90,
    "archive_days": 2555,
}


@dataclass
class Message:
    id: UUID
    role: str
    created_at: datetime


@dataclass
class Conversation:
    """`answered`: an answer is being written in it. `kept_until`: it came back from the archive, and stays so long."""

    id: UUID
    bot_id: UUID
    end_user_id: str | None
    created_at: datetime
    updated_at: datetime
    messages: list[Message] = field(default_factory=list)
    answered: bool = False
    kept_until: datetime | None = None


@dataclass
class Document:
    id: UUID
    bot_id: UUID
    created_at: datetime
    updated_at: datetime


@dataclass
class ErrorLog:
    id: UUID
    bot_id: UUID | None
    created_at: datetime


@dataclass
class Hold:
    subject: str
    bot_id: UUID | None = None
    conversation_id: UUID | None = None
    end_user_id: str | None = None


@dataclass
class History:
    """Everything of one organization that a policy is about. Holds are in the order in which they were made."""

    bots: list[UUID]
    rules: dict[str, Any] = field(default_factory=dict)
    overrides: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    conversations: list[Conversation] = field(default_factory=list)
    documents: list[Document] = field(default_factory=list)
    errors: list[ErrorLog] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)

    def policy(self, bot_id: UUID | None) -> dict[str, Any]:
        """The defaults, the organization's rules over them, the bot's over those."""
        own = self.overrides.get(bot_id, {}) if bot_id is not None else {}
        return {**SEED_004, **self.rules, **own}


@dataclass
class Fates:
    """What becomes of each row; what is in none of these stays."""

    messages: dict[UUID, str] = field(default_factory=dict)
    conversations: dict[UUID, str] = field(default_factory=dict)
    documents: set[UUID] = field(default_factory=set)
    errors: set[UUID] = field(default_factory=set)


Listed = tuple[str, UUID | None, UUID | date | None, str, str, int, int]
"""Kind, bot, conversation or document or day, action, reason, rows, messages."""


def fates(history: History, now: datetime) -> Fates:
    """What a run at this moment leaves behind."""
    decided = Fates()
    for conversation in history.conversations:
        if holding(history, conversation) is not None:
            continue
        for message, what, _ in message_fates(history, conversation, now):
            if what != KEEP:
                decided.messages[message.id] = what
        if (what := conversation_fate(history, conversation, now)) != KEEP:
            decided.conversations[conversation.id] = what
    for document in history.documents:
        if is_old_document(history, document, now) and bot_hold(history, document.bot_id) is None:
            decided.documents.add(document.id)
    for error in history.errors:
        if is_old_error(history, error, now) and bot_hold(history, error.bot_id) is None:
            decided.errors.add(error.id)
    return decided


def listed(history: History, now: datetime) -> Counter[Listed]:
    """The list of a run at this moment, in any order."""
    lines: Counter[Listed] = Counter()
    days: Counter[tuple[UUID, date, str, str]] = Counter()
    kept: Counter[tuple[str, UUID | None, int, str, str]] = Counter()
    for conversation in history.conversations:
        hold, gone = holding(history, conversation), conversation_fate(history, conversation, now)
        with_it = 0
        for message, what, reason in message_fates(history, conversation, now):
            if what == KEEP:
                continue
            if gone == what:
                with_it += 1
            elif hold is not None:
                kept["messages", conversation.bot_id, hold, reason, "rows"] += 1
                kept["messages", conversation.bot_id, hold, reason, "messages"] += 1
            else:
                days[conversation.bot_id, message.created_at.astimezone(UTC).date(), what, reason] += 1
        if gone != KEEP and hold is not None:
            kept["conversation", conversation.bot_id, hold, "inactive_conversation_days", "rows"] += 1
            kept["conversation", conversation.bot_id, hold, "inactive_conversation_days", "messages"] += with_it
        elif gone != KEEP:
            reason = "inactive_conversation_days"
            lines["conversation", conversation.bot_id, conversation.id, gone, reason, 1, with_it] += 1
    for document in history.documents:
        if not is_old_document(history, document, now):
            continue
        if (held := bot_hold(history, document.bot_id)) is not None:
            kept["document", document.bot_id, held, "document_days", "rows"] += 1
        else:
            lines["document", document.bot_id, document.id, DELETE, "document_days", 1, 0] += 1
    errors: Counter[UUID | None] = Counter()
    for error in history.errors:
        if not is_old_error(history, error, now):
            continue
        if (held := bot_hold(history, error.bot_id)) is not None:
            kept["error_logs", error.bot_id, held, "error_log_days", "rows"] += 1
        else:
            errors[error.bot_id] += 1
    for (bot_id, day, what, reason), number in days.items():
        lines["messages", bot_id, day, what, reason, number, number] += 1
    for bot, number in errors.items():
        lines["error_logs", bot, None, DELETE, "error_log_days", number, 0] += 1
    for kind, of_bot, held, reason, counted in kept:
        if counted == "rows":
            rows, messages = kept[kind, of_bot, held, reason, "rows"], kept[kind, of_bot, held, reason, "messages"]
            lines[kind, of_bot, None, KEEP, reason, rows, messages] += 1
    return lines


def message_fates(history: History, conversation: Conversation, now: datetime) -> Iterator[tuple[Message, str, str]]:
    """What is due of a conversation's messages, holds apart, and by which field of the policy."""
    policy = history.policy(conversation.bot_id)
    gone = conversation_fate(history, conversation, now)
    back = conversation.kept_until is not None and conversation.kept_until > now
    for message in conversation.messages:
        days = policy["system_message_days" if message.role == "system" else "message_days"]
        if back:
            yield message, KEEP, ""
        elif message.role == "system" and older(message.created_at, days, now):
            yield message, DELETE, "system_message_days"
        elif message.role != "system" and older(message.created_at, days, now):
            yield message, policy["message_action"], "message_days"
        else:
            yield message, gone, "inactive_conversation_days"


def conversation_fate(history: History, conversation: Conversation, now: datetime) -> str:
    """What is due of a conversation itself, holds apart."""
    policy = history.policy(conversation.bot_id)
    back = conversation.kept_until is not None and conversation.kept_until > now
    inactive = older(conversation.updated_at, policy["inactive_conversation_days"], now)
    if back or conversation.answered or not inactive:
        return KEEP
    action: str = policy["inactive_conversation_action"]
    return action


def is_old_document(history: History, document: Document, now: datetime) -> bool:
    days = history.policy(document.bot_id)["document_days"]
    return older(max(document.created_at, document.updated_at), days, now)


def is_old_error(history: History, error: ErrorLog, now: datetime) -> bool:
    return older(error.created_at, history.policy(error.bot_id)["error_log_days"], now)


def holding(history: History, conversation: Conversation) -> int | None:
    """Which hold keeps a conversation: the first that is about it."""
    return _first(history.holds, lambda hold: _is_about(hold, conversation))


def bot_hold(history: History, bot_id: UUID | None) -> int | None:
    """Which hold keeps what belongs to a bot and to no conversation."""
    return _first(
        history.holds,
        lambda hold: hold.subject == "organization" or (hold.subject == "bot" and hold.bot_id == bot_id),
    )


def older(moment: datetime, days: int | None, now: datetime) -> bool:
    return days is not None and moment < now - timedelta(days=days)


def _is_about(hold: Hold, conversation: Conversation) -> bool:
    if hold.subject == "organization":
        return True
    if hold.subject == "conversation":
        return hold.conversation_id == conversation.id
    if hold.bot_id != conversation.bot_id:
        return False
    return hold.subject == "bot" or hold.end_user_id == conversation.end_user_id


def _first(holds: Sequence[Hold], is_about: Any) -> int | None:
    return next((number for number, hold in enumerate(holds) if is_about(hold)), None)
