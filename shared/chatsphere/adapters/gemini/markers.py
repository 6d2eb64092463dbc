"""From a model's text with `[n]` in it to clean text and claims that hold.

The marks are taken out of the text: one that stays would vouch for a statement before anyone has checked it. What is
right about a mark comes back as an `AnswerCitation` with the span of the statement before it and the passage's own
words; what is not, a number that no passage has or a statement that the passage does not support, is only taken out.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from chatsphere.adapters.extractive.sentences import split_sentences
from chatsphere.adapters.gemini.support import read, supporting_quote
from chatsphere.ports.answers import AnswerCitation, AnswerDelta, SourcePassage

_INSIDE: Final = r"[\d \t,;–-]{1,40}"
# A long run of white space is looked at from its start only: from each of its places it would take minutes.
_SPACE: Final = r"(?<![ \t])[ \t]*"
# `[1](` is a link. White space before a mark goes with it.
_MARK: Final = re.compile(rf"{_SPACE}\[(?=[ \t]*\d)({_INSIDE})\](?!\()")
_UNDECIDED: Final = re.compile(rf"{_SPACE}(?:\[(?:[\d \t,;–-]{{0,40}}\]?)?)?\Z")
_RANGE: Final = re.compile(r"(\d+)[ \t]*[–-][ \t]*(\d+)|(\d+)")
_MAX_RANGE: Final = 10


class MarkedText:
    """Reads one answer in pieces of any length; the pieces' borders change nothing about what comes of it."""

    def __init__(self, passages: Sequence[SourcePassage]) -> None:
        self._passages = {
            passage.number: read(passage.content, f"{passage.document_name}\n{passage.heading or ''}")
            for passage in passages
        }
        self._text = ""
        self._held = ""
        self._in_code = False
        self._stated = 0
        self._statement = (0, 0)
        self._claimed: set[int] = set()

    @property
    def text(self) -> str:
        """The answer as given out so far."""
        return self._text

    def add(self, piece: str) -> Iterator[AnswerDelta | AnswerCitation]:
        """Take the next piece; yield what is certain. What may yet become a mark waits."""
        waiting = self._held + piece
        undecided = _UNDECIDED.search(waiting)
        certain = undecided.start() if undecided else len(waiting)
        self._held = waiting[certain:]
        yield from self._give(waiting[:certain])

    def end(self) -> Iterator[AnswerDelta | AnswerCitation]:
        """Yield what was waiting: nothing more comes."""
        rest, self._held = self._held, ""
        yield from self._give(rest)

    def _give(self, certain: str) -> Iterator[AnswerDelta | AnswerCitation]:
        position = 0
        for mark in _MARK.finditer(certain):
            yield from self._say(certain[position : mark.start()])
            position = mark.end()
            if self._in_code:
                yield from self._say(mark[0])
            else:
                yield from self._claims(_numbers(mark[1]))
        yield from self._say(certain[position:])

    def _say(self, text: str) -> Iterator[AnswerDelta]:
        if text:
            self._in_code ^= text.count("`") % 2 == 1
            self._text += text
            yield AnswerDelta(text)

    def _claims(self, numbers: Sequence[int]) -> Iterator[AnswerCitation]:
        start, end = self._marked_statement()
        statement = self._text[start:end]
        for number in numbers:
            if number not in self._passages or number in self._claimed or not statement:
                continue
            self._claimed.add(number)
            support = supporting_quote(statement, self._passages[number])
            if support is not None:
                yield AnswerCitation(number, support.quote, start, end, support.start)

    def _marked_statement(self) -> tuple[int, int]:
        """Return the span of the last sentence since the last mark, or that mark's own if nothing was said since."""
        since = self._text[self._stated :]
        said = [part for part in split_sentences(since) if any(map(str.isalnum, since[part.start : part.end]))]
        if said:
            self._statement = self._stated + said[-1].start, self._stated + said[-1].end
            self._claimed = set()
        self._stated = len(self._text)
        return self._statement


def _numbers(inside: str) -> list[int]:
    """Return the numbers of a mark in order: `1, 3–5` names four passages."""
    found: list[int] = []
    for first, last, single in _RANGE.findall(inside):
        if single:
            found.append(int(single))
        else:
            found += range(int(first), min(int(last), int(first) + _MAX_RANGE) + 1)
    return found
