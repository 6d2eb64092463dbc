"""What is due by one field of a policy, and what is done with it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, LiteralString

from chatsphere.retention.listing_queries import SAID_MESSAGES, SYSTEM_MESSAGES
from chatsphere.retention.policy import Action, Policy, cutoff

KINDS: Final = {
    "system_message_days": "messages",
    "message_days": "messages",
    "inactive_conversation_days": "conversation",
    "document_days": "document",
    "error_log_days": "error_logs",
}


@dataclass(frozen=True, slots=True)
class Due:
    """What is older than `before` is due; None: nothing ever is.

    `with_conversation`: messages of a conversation that was not used since `inactive_before` go with it, for the same
    is done with both. `system_before`, `said_before`: of an inactive conversation, messages that go by themselves.
    """

    kind: str
    reason: str
    action: Action
    before: datetime | None
    messages: LiteralString = ""
    with_conversation: bool = False
    inactive_before: datetime | None = None
    system_before: datetime | None = None
    said_before: datetime | None = None

    def values(self) -> dict[str, Any]:
        """Return the parameters of queries."""
        names = ("kind", "reason", "action", "before", "with_conversation", "inactive_before", "system_before",
                 "said_before")  # fmt: skip
        return {name: getattr(self, name) for name in names}


def due_of(policy: Policy, reason: str, now: datetime) -> Due:
    """Return what is due by a field of a policy."""
    inactive = cutoff(now, policy.inactive_conversation_days)
    system, said = cutoff(now, policy.system_message_days), cutoff(now, policy.message_days)
    conversations: Action = policy.inactive_conversation_action
    if reason == "system_message_days":
        together = inactive is not None and conversations == "delete"
        return Due("messages", reason, "delete", system, SYSTEM_MESSAGES, together, inactive)
    if reason == "message_days":
        together = inactive is not None and conversations == policy.message_action
        return Due("messages", reason, policy.message_action, said, SAID_MESSAGES, together, inactive)
    if reason == "inactive_conversation_days":
        return Due(
            "conversation",
            reason,
            conversations,
            inactive,
            system_before=None if conversations == "delete" else system,
            said_before=None if conversations == policy.message_action else said,
        )
    return Due(KINDS[reason], reason, "delete", cutoff(now, getattr(policy, reason)))
