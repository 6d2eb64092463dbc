"""A conversation's first title, made of the first question."""

import re
from typing import Final

MAX_CHARS: Final = 80
READ_CHARS: Final = 1000
"""How much of a question is looked at: markup that closes nowhere would cost more than it is worth."""

SENTENCE_CHARS: Final = 12
"""A shorter first sentence is a greeting, or too little to know a conversation by."""

# What Markdown draws and nobody reads: what stands between fences is code, and of links the text stays.
_FENCED: Final = re.compile(r"(```|~~~).*?(\1|\Z)", re.DOTALL)
_LINK: Final = re.compile(r"!?\[([^\]\n]*)\]\([^)\n]*\)")
_LINE_MARK: Final = re.compile(r"^[ \t]*(?:#{1,6}[ \t]+|>[ \t]?|[-*+][ \t]+|\d{1,3}[.)][ \t]+|[-=*_]{3,}[ \t]*$)", re.M)
_EMPHASIS: Final = re.compile(r"(\*{1,3}|_{2,3}|~~|`+)(?=\S)(.+?)(?<=\S)\1", re.DOTALL)
_SENTENCE_END: Final = re.compile(r"(?<=[.!?…])\s|(?<=[。！？])")


def title_of(question: str) -> str:
    """Return the question's first sentence, or its beginning in whole words, as plain text in one line.

    Up to 80 characters; one without a letter or digit stays as it is.
    """
    question = question[:READ_CHARS]
    plain = _plain(question) or " ".join(question.split())
    if len(plain) <= MAX_CHARS:
        return plain
    for end in _SENTENCE_END.finditer(plain, SENTENCE_CHARS):
        if end.start() <= MAX_CHARS:
            return plain[: end.start()]
        break
    return _whole_words(plain)


def _plain(markdown: str) -> str:
    text = _LINE_MARK.sub("", _LINK.sub(r"\1", _FENCED.sub(" ", markdown)))
    for _ in range(2):
        # Twice: emphasis within emphasis.
        text = _EMPHASIS.sub(r"\2", text)
    text = " ".join(text.split())
    return text if any(map(str.isalnum, text)) else ""


def _whole_words(text: str) -> str:
    room = text[: MAX_CHARS - 1]
    if not text[MAX_CHARS - 1].isspace():
        # A script without spaces, or one long word, is cut anywhere rather than away.
        cut = room.rfind(" ")
        room = room[:cut] if cut > MAX_CHARS // 2 else room
    return room.rstrip(" ,;:-–—(") + "…"
