"""How far a client has heard an answer, as the ids of its events tell it: another stream goes on from there."""

import re
from dataclasses import dataclass, replace
from typing import Final, Self

from chatsphere.chat.events import AnswerDone, AnswerFailed, AnswerStarted, ChatEvent, Cited, SourcesFound, TextAdded
from chatsphere.errors import FieldError, InvalidRequestError

HEADER: Final = "Last-Event-ID"

_STARTED: Final = "meta"
_ENDED: Final = "end"
_WRITTEN: Final = re.compile(r"(\d{1,9})\.(\d{1,9})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Position:
    """What was told: the beginning, the sources, so many characters and citations, the end.

    As text: `meta`, then characters and citations as `120.2`, then `end`. It depends neither on the size of the pieces
    in which the text came nor on the stream in which it did.
    """

    started: bool = False
    sourced: bool = False
    chars: int = 0
    citations: int = 0
    ended: bool = False

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the position that an event's id names.

        Raises:
            InvalidRequestError: it is no event's.
        """
        if text == _STARTED:
            return cls(started=True)
        if text == _ENDED:
            return cls(started=True, sourced=True, ended=True)
        written = _WRITTEN.fullmatch(text)
        if written is None:
            raise InvalidRequestError(
                f"{HEADER} is not the id of an event.",
                (FieldError(HEADER, "invalid_event_id", "Send the id of the last event, or leave it out."),),
            )
        return cls(started=True, sourced=True, chars=int(written[1]), citations=int(written[2]))

    def __str__(self) -> str:
        if self.ended:
            return _ENDED
        return f"{self.chars}.{self.citations}" if self.sourced else _STARTED

    def after(self, event: ChatEvent) -> "Position":
        """Return the position of who has heard this, too."""
        match event:
            case AnswerStarted():
                return replace(self, started=True)
            case SourcesFound():
                return replace(self, sourced=True)
            case TextAdded(text):
                return replace(self, chars=self.chars + len(text))
            case Cited():
                return replace(self, citations=self.citations + 1)
            case AnswerDone() | AnswerFailed():
                return replace(self, ended=True)
