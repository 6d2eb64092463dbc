"""The headers of a mail as a reader sees them, whatever they are encoded in."""

import re
from collections.abc import Iterator
from contextlib import suppress
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from typing import Final

from chatsphere.knowledge.extraction.charsets import guess_charset

SHOWN: Final = ("From", "To", "Cc", "Date", "Subject")
_MAX_CHARS: Final = 20_000
_ENCODED: Final = "=?"
_FOLDS: Final = re.compile(r"[\r\n]+[ \t]*")


def header_lines(message: Message) -> str:
    """`Name: value` for each header that a reader is shown, in that order."""
    found = ((name, header_text(message, name)) for name in SHOWN)
    return "\n".join(f"{name}: {value}" for name, value in found if value)


def header_text(message: Message, name: str) -> str:
    """A header's value on one line, its encoded words (RFC 2047) decoded; empty if it is missing."""
    # Not `get`: it gives up bytes beyond ASCII.
    found = (str(value) for key, value in message.raw_items() if key.lower() == name.lower())
    return decoded(next(found, ""))


def attachment_name(message: Message) -> str | None:
    """The name that the sender gave a part; a name alone, whatever folders it claims to be in."""
    try:
        name = message.get_filename()
    except (LookupError, ValueError, TypeError):  # broken parameters (RFC 2231)
        name = None
    plain = re.split(r"[/\\]", decoded(name or ""))[-1].strip(" .")
    return plain[:200] or None


def decoded(raw: str) -> str:
    """Decode encoded words, and bytes beyond ASCII that a sender put in without saying how they are meant."""
    value = _FOLDS.sub(" ", raw[:_MAX_CHARS])
    if _ENCODED in value:
        with suppress(HeaderParseError, ValueError):
            value = "".join(_words(value))
    elif not value.isascii():
        value = _bare(value)
    return " ".join(value.split())


def _words(value: str) -> Iterator[str]:
    for part, charset in decode_header(value):
        if isinstance(part, str):
            yield part
            continue
        try:
            yield part.decode(charset or "ascii", "strict" if charset is None else "replace")
        except (LookupError, UnicodeDecodeError):
            yield _guessed(part)


def _bare(value: str) -> str:
    """The parser keeps a byte that is no ASCII as a surrogate."""
    data = value.encode("utf-8", "surrogateescape")
    return _guessed(data)


def _guessed(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode(guess_charset(data), "replace")
