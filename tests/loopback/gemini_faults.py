"""What may go wrong on the way to Gemini and back, to be scripted by a test: one fault is used up by one call."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Refuses:
    """An error answer. `retry_seconds` (with 429) is told in the body and, if `in_header`, as `Retry-After`."""

    status: int
    retry_seconds: float | None = None
    in_header: bool = True


@dataclass(frozen=True)
class Hangs:
    """The call is taken and never answered."""


@dataclass(frozen=True)
class Cuts:
    """A stream's connection ends within the event after `events` whole ones."""

    events: int = 1


@dataclass(frozen=True)
class StopsWithoutEnd:
    """A stream ends well after `events` events, none of which says that the answer is finished."""

    events: int = 1


@dataclass(frozen=True)
class Waits:
    """A stream says nothing more after `events` events, until the client leaves."""

    events: int = 1


@dataclass(frozen=True)
class Drips:
    """The answer's bytes come one by one, so many seconds apart."""

    seconds: float = 0.05


@dataclass(frozen=True)
class Garbles:
    """What should be JSON is not."""


@dataclass(frozen=True)
class BreaksWithError:
    """A stream tells of an error after `events` events."""

    status: int = 503
    events: int = 1


@dataclass(frozen=True)
class BlocksPrompt:
    """The question is refused: no candidates, but a reason."""

    reason: str = "SAFETY"


@dataclass(frozen=True)
class Finishes:
    """The answer ends after `events` pieces for this reason."""

    reason: str = "SAFETY"
    events: int = 1


@dataclass(frozen=True)
class SaysNothing:
    """The answer has no candidates, or one without a word."""

    candidates: bool = False


Fault = (
    Refuses
    | Hangs
    | Cuts
    | StopsWithoutEnd
    | Waits
    | Drips
    | Garbles
    | BreaksWithError
    | BlocksPrompt
    | Finishes
    | SaysNothing
)

OF_ANSWERS = Cuts | StopsWithoutEnd | Waits | BreaksWithError | BlocksPrompt | Finishes | SaysNothing
"""What can only happen to an answer: calls for embeddings leave these for the next call that asks for one."""
