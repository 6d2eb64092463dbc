"""What memory sends through the queues, as JSON. `kind` tells it from what ingestion sends through the same ones."""

from collections.abc import Mapping
from typing import Any, Final, Literal

from chatsphere.knowledge.ingestion.messages import Message

KIND: Final = "memory"


class MemoryMessage(Message):
    """Embed the messages of this bot that are pending, and bring its memory to what the bot is set to."""

    kind: Literal["memory"] = KIND


class MemoryPurgeMessage(Message):
    """Delete from the bot's memory what is to be deleted: of deleted conversations, and of former models."""

    kind: Literal["memory"] = KIND


def is_about_memory(body: Mapping[str, Any]) -> bool:
    """Return whether a message of the embed or purge queue is one of these."""
    return body.get("kind") == KIND
