"""A client's list of messages, as a question with what was said and laid down before it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from chatsphere.chat.openai.errors import RefusedParameterError
from chatsphere.ports.answers import Turn

MAX_QUESTION_CHARS: Final = 8000
MAX_HISTORY_CHARS: Final = 32_000
"""Of the turns before the question as many are taken as hold so much, the latest first."""

MAX_SYSTEM_CHARS: Final = 20_000
SYSTEM_ROLES: Final = ("system", "developer")
TEXT_PARTS: Final = ("text", "input_text", "output_text", "refusal")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question. `system` is what system and developer messages say, `history` the turns before, the oldest first."""

    question: str
    history: Sequence[Turn] = ()
    system: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """One message of the client's: `content` is a text or a list of parts, `pointer` names it in the body."""

    role: str
    content: str | Sequence[Mapping[str, Any]] | None
    pointer: str


def asked_in(messages: Sequence[Said], pointer: str) -> Asked:
    """Return the question that the last message asks; `pointer` names the list in the body.

    Raises:
        RefusedParameterError: no user's message is last, it is too long, or one holds something else than text.
    """
    texts = [(message.role, _text(message)) for message in messages]
    spoken = [Turn(role, text) for role, text in texts if role not in SYSTEM_ROLES and text.strip()]
    if not spoken or spoken[-1].role != "user":
        raise RefusedParameterError(pointer, "invalid_value", "The last message must be a user's, and hold a text.")
    question = spoken.pop().content
    system = "\n\n".join(text.strip() for role, text in texts if role in SYSTEM_ROLES and text.strip())
    for what, text, most in (("question", question, MAX_QUESTION_CHARS), ("system messages", system, MAX_SYSTEM_CHARS)):
        if len(text) > most:
            raise RefusedParameterError(pointer, "invalid_value", f"The {what} may hold {most} characters.")
    return Asked(question, _latest(spoken), system)


def _text(message: Said) -> str:
    if message.content is None or isinstance(message.content, str):
        return message.content or ""
    return "".join(_part(part, f"{message.pointer}/content/{place}") for place, part in enumerate(message.content))


def _part(part: Mapping[str, Any], pointer: str) -> str:
    kind = part.get("type")
    if kind not in TEXT_PARTS:
        raise RefusedParameterError(
            f"{pointer}/type", "unsupported_value", f"Parts of type '{str(kind)[:40]}' are not read: only text is."
        )
    text = part.get("refusal" if kind == "refusal" else "text")
    if not isinstance(text, str):
        raise RefusedParameterError(f"{pointer}/text", "missing", "A part of text needs a `text`.")
    return text


def _latest(turns: Sequence[Turn]) -> tuple[Turn, ...]:
    kept: list[Turn] = []
    room = MAX_HISTORY_CHARS
    for turn in reversed(turns):
        room -= len(turn.content)
        if room < 0:
            break
        kept.append(turn)
    return tuple(reversed(kept))


def joined(earlier: Iterable[Turn], later: Sequence[Turn]) -> tuple[Turn, ...]:
    """Return what was said before and then what the client adds, as much of it as is taken."""
    return _latest([*earlier, *later])
