"""Rows of conversations and messages as clients see them."""

from typing import Any, Final

from chatsphere.chat.schemas import ConversationResponse, MessageFeedback, MessageResponse

PREVIEW_CHARS: Final = 200


def conversation_body(row: dict[str, Any]) -> ConversationResponse:
    """Return a conversation's body."""
    return ConversationResponse.model_validate(
        {**row, "user": row["end_user_id"], "preview": preview_of(row["preview"])}
    )


def message_body(row: dict[str, Any]) -> MessageResponse:
    """Return a message's body, with what was said of it."""
    usage = None if row["prompt_tokens"] is None else row
    said = [
        MessageFeedback.model_validate({**each, "user": each["end_user_id"], "text": each["comment"]})
        for each in row["feedback"]
    ]
    cached = row["metadata"].get("cached", False)
    return MessageResponse.model_validate({**row, "usage": usage, "cached": cached, "feedback": said})


def preview_of(text: str | None) -> str | None:
    """Return how a text begins: one line of up to 200 characters, None where there is no text."""
    if text is None:
        return None
    line = " ".join(text.split())
    if len(line) <= PREVIEW_CHARS:
        return line
    cut = line.rfind(" ", 0, PREVIEW_CHARS)
    return line[: cut if cut > PREVIEW_CHARS // 2 else PREVIEW_CHARS - 1].rstrip() + "…"
