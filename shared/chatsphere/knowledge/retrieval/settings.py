"""What of retrieval a bot's owner may set."""

from dataclasses import dataclass
from typing import Final

LEXICAL_WEIGHT: Final = 1.5
"""Weight of the lexical share against the cosine's 1: the middle of a flat optimum from 1 to 2."""

CANDIDATES: Final = 100
"""How many chunks each side contributes."""

NEIGHBOURS: Final = 0
"""How many chunks before a hit, and after it, are joined to it: with eight hits they made no difference that was worth
their tokens (decision 90)."""


@dataclass(frozen=True, slots=True)
class RetrievalSettings:
    """How a search finds. The defaults are those that were measured (decisions 21 and 90).

    `threshold`: the confidence below which nothing relevant was found; None takes what is calibrated.
    `lexical_weight`: of the words' share against the cosine's 1; with 0, words rank nothing.
    `candidates`: how many chunks each side contributes. `neighbours`: how many chunks of the same section before a hit,
    and after it, an answer model may be given with it. `deduplicate`: a passage that stands in several documents is one
    hit.
    """

    threshold: float | None = None
    lexical_weight: float = LEXICAL_WEIGHT
    candidates: int = CANDIDATES
    neighbours: int = NEIGHBOURS
    deduplicate: bool = True


DEFAULTS: Final = RetrievalSettings()
