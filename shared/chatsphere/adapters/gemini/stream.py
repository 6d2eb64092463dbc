"""Gemini's streamed answers: from bytes to pieces of text, its own end, and nothing else."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from chatsphere.errors import AnswerBlockedError, ProviderOverloadedError, UnavailableError

_FINISHED: Final = {"STOP": "stop", "MAX_TOKENS": "length"}
_BLOCKED: Final = frozenset({
    "SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "LANGUAGE", "ESCALATION", "MODEL_ARMOR",
})  # fmt: skip
_UNSTORABLE: Final = re.compile(r"[\x00\ud800-\udfff]")
"""What JSON can carry and neither UTF-8 nor PostgreSQL takes: half of a pair that two messages were split at, too."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a call used; completion includes the model's thoughts, which cost the same."""

    prompt: int
    completion: int


@dataclass(frozen=True, slots=True)
class Piece:
    """One message of the stream: text, perhaps none; `finish` is `stop` or `length` where it ends the answer.

    `has_candidate` is False where the message holds no part of any answer, not even an empty one.
    """

    text: str
    finish: str | None = None
    tokens: Tokens | None = None
    has_candidate: bool = True


def messages(stream: Iterable[bytes]) -> Iterator[Any]:
    """Yield the JSON of each server-sent event.

    Raises:
        UnavailableError: the stream is not made of such events.
    """
    data: list[bytes] = []
    for line in _lines(stream):
        if not line:
            if data:
                yield _parsed(b"\n".join(data))
            data = []
        elif line.startswith(b"data:"):
            data.append(line.removeprefix(b"data:"))
        elif not line.startswith((b":", b"event:", b"id:", b"retry:")):
            raise UnavailableError("Gemini's answer cannot be read.")
    if data:
        yield _parsed(b"\n".join(data))


def piece_of(message: Any) -> Piece:
    """Return what a message (of a stream, or a whole answer) says.

    Raises:
        AnswerBlockedError: safety rules stopped the question or the answer.
        ProviderOverloadedError, UnavailableError: the message tells of an error, or the model stopped for another
            reason than that it was done, or it cannot be read.
    """
    try:
        if "error" in message:
            _raise_error(message["error"])
        if message.get("promptFeedback", {}).get("blockReason"):
            raise AnswerBlockedError
        tokens = _tokens(message.get("usageMetadata"))
        candidates = message.get("candidates")
        if not candidates:
            return Piece("", None, tokens, has_candidate=False)
        parts = candidates[0].get("content", {}).get("parts") or []
        text = _UNSTORABLE.sub("\ufffd", "".join(part.get("text", "") for part in parts if not part.get("thought")))
        return Piece(text, _finish(candidates[0].get("finishReason")), tokens)
    except (AttributeError, TypeError, KeyError, IndexError, ValueError):
        raise UnavailableError("Gemini's answer cannot be read.") from None


def _lines(stream: Iterable[bytes]) -> Iterator[bytes]:
    waiting = bytearray()
    for piece in stream:
        # Each byte is looked at once, however long a line is and in however many pieces it comes.
        start, *others = piece.split(b"\n")
        waiting += start
        for other in others:
            yield bytes(waiting).removesuffix(b"\r")
            waiting = bytearray(other)
    if waiting:
        yield bytes(waiting)


def _parsed(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise UnavailableError("Gemini's answer cannot be read.") from None


def _finish(reason: str | None) -> str | None:
    if reason is None or reason == "FINISH_REASON_UNSPECIFIED":
        return None
    if reason in _BLOCKED or reason.startswith("IMAGE_"):
        raise AnswerBlockedError
    if reason not in _FINISHED:
        raise UnavailableError("Gemini broke its answer off.")
    return _FINISHED[reason]


def _tokens(usage: Any) -> Tokens | None:
    if not usage:
        return None
    return Tokens(
        int(usage.get("promptTokenCount", 0)),
        int(usage.get("candidatesTokenCount", 0)) + int(usage.get("thoughtsTokenCount", 0)),
    )


def _raise_error(error: Any) -> None:
    if isinstance(error, dict) and error.get("code") == 429:
        raise ProviderOverloadedError("Gemini accepts no more calls at the moment.")
    raise UnavailableError("Gemini broke its answer off.")
