"""Tells chunks that repeat each other: the same passage in two documents, or twice in one."""

import re
from collections.abc import Sequence
from typing import Final

from chatsphere.knowledge.retrieval.reading import Row

SHINGLE: Final = 4
"""Words of the overlapping runs by which two chunks are compared."""

SAME: Final = 0.9
"""Share of common runs (Jaccard) from which on two chunks repeat each other."""


class Fingerprint:
    """What of a chunk's text is compared with others': runs of words, and its numbers."""

    def __init__(self, text: str) -> None:
        words = re.findall(r"\w+", text.casefold())
        self._runs = {tuple(words[i : i + SHINGLE]) for i in range(max(1, len(words) - SHINGLE + 1))}
        # Two years' rows of one form differ in numbers only, and both are needed.
        self._numbers = {word for word in words if any(character.isdigit() for character in word)}

    def repeats(self, other: "Fingerprint") -> bool:
        """Tell whether the texts are nearly the same."""
        sizes = len(self._runs), len(other._runs)
        # Cheap first: most pairs differ in length.
        if min(sizes) < SAME * max(sizes) or self._numbers != other._numbers:
            return False
        common = len(self._runs & other._runs)
        return common >= SAME * (sum(sizes) - common)


def folded(rows: Sequence[Row]) -> list[tuple[Row, list[Row]]]:
    """Return the rows that say something new, in their order, each with those after it that say the same."""
    kept: list[tuple[Fingerprint, Row, list[Row]]] = []
    for row in rows:
        fingerprint = Fingerprint(row["content"])
        same = next((repeats for other, _, repeats in kept if fingerprint.repeats(other)), None)
        if same is None:
            kept.append((fingerprint, row, []))
        else:
            same.append(row)
    return [(row, repeats) for _, row, repeats in kept]
