"""Phone numbers, as libphonenumber knows the numbering plans of the world."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from phonenumbers import Leniency, PhoneNumberMatcher

# Seven digits with what stands between them: only around such runs is anything looked for.
_CANDIDATE: Final = re.compile(r"[+(\d](?:[ ()./\u00a0\u2010-\u2015-]{0,3}\d){6,18}")
# How numbers begin that no word announces: without this, tables of numbers would take very long.
_LIKELY: Final = re.compile(r"\+|\(\d|0[\d(/-]|\d{3}[ .-]\d{3}[ .-]\d{4}")
_MARGIN: Final = 24
"""Characters of context on each side: what stands there may show that it is something else."""

FEWEST_LOOKS: Final = 16
CHARACTERS_A_LOOK: Final = 1_000
"""So many candidates of a text are looked at, and one more for so many characters: each takes milliseconds."""

# Beside such a word, digits need not be grouped as the country does it.
_NAMED: Final = re.compile(
    r"(?:tel|telefon|telephone|téléphone|teléfono|telefono|phone|fon|mobile?|mobil|móvil|cell|handy|fax|portable)"
    r"[.:\s(]{0,4}\Z",
    re.IGNORECASE,
)


def phones(text: str, regions: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield the spans of valid numbers with their country's code, and without it those of the regions.

    A text with more candidates than are looked at is a list of numbers: each further one is taken for a phone's, so
    that none passes because there are many.
    """
    looks = FEWEST_LOOKS + len(text) // CHARACTERS_A_LOOK
    for found in filter(_is_likely, _CANDIDATE.finditer(text)):
        if looks > 0:
            yield from _within(found, regions)
        else:
            yield found.span()
        looks -= 1


def _is_likely(found: re.Match[str]) -> bool:
    before = found.string[max(0, found.start() - _MARGIN) : found.start()]
    return bool(_LIKELY.match(found[0]) or _NAMED.search(before))


def _within(found: re.Match[str], regions: Sequence[str]) -> Iterator[tuple[int, int]]:
    start = max(0, found.start() - _MARGIN)
    around = found.string[start : found.end() + _MARGIN]
    # Those with a country's code are found whatever the region; the first one finds them.
    for region in [None, *regions]:
        spans = [(start + first, start + end) for first, end in _matches(around, region)]
        # What stands in the margin alone may be cut off there.
        inside = [span for span in spans if found.start() <= span[0] and span[1] <= found.end()]
        yield from inside
        if found.span() in inside:
            break


def _matches(around: str, region: str | None) -> Iterator[tuple[int, int]]:
    for match in PhoneNumberMatcher(around, region, leniency=Leniency.VALID):
        named = region is None or _NAMED.search(around[: match.start])
        if named or PhoneNumberMatcher(match.raw_string, region, leniency=Leniency.STRICT_GROUPING).has_next():
            yield match.start, match.end
