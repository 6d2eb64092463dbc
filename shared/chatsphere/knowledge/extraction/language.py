"""Tells the language of a text, or that it says too little. Why this detector: docs/decisions/0091."""

from collections.abc import Iterable
from functools import cache
from typing import Any, Final

SAMPLE_CHARS: Final = 500
"""How much of each passage is looked at."""

MAX_CHARS: Final = 8_000
"""How much of the text is looked at in all."""

MIN_LETTERS: Final = 20
"""Fewer say too little."""

SHORT: Final = 200
"""Letters; of fewer, the detector must be surer: a list of names is of any language."""

SURE: Final = 0.9
SURER: Final = 0.99
"""Probabilities from which on the detector is believed."""

OTHER_NAMES: Final = {"iw": "he", "jw": "jv", "nb": "no", "nn": "no"}
"""What the detector calls by names of its own."""

UNWRITTEN_IN_LATIN: Final = frozenset(
    (
        *("am", "ar", "be", "bg", "bn", "el", "fa", "gu", "he", "hi", "hy", "ja", "ka", "kk", "km", "kn", "ko", "ky"),
        *("lo", "mk", "ml", "mn", "mr", "my", "ne", "pa", "ps", "ru", "sd", "si", "sr", "ta", "te", "tg", "th", "uk"),
        *("ur", "yi", "zh"),
    )
)
"""Languages in which a formula's letters must not be taken for a text."""


def language_of(passages: Iterable[str]) -> str | None:
    """Return the ISO 639-1 code of the language of most of the passages, None where that is not certain."""
    sample = "\n".join(passage[:SAMPLE_CHARS] for passage in passages)[:MAX_CHARS]
    sample = sample.encode("utf-8", "ignore").decode()
    letters = [character for character in sample if character.isalpha()]
    if len(letters) < MIN_LETTERS and not _is_dense(letters):
        return None
    found = _detector().FindLanguage(sample)
    language = OTHER_NAMES.get(found.language, found.language)
    # Names such as el-Latn are of transliterations, which no stemmer knows.
    if found.probability < (SURER if len(letters) < SHORT else SURE) or not language.isalpha():
        return None
    if language in UNWRITTEN_IN_LATIN and 2 * sum(letter < "\u0370" for letter in letters) > len(letters):
        return None
    return str(language)


def _is_dense(letters: list[str]) -> bool:
    """Tell whether the letters are of a script in which a few of them are a sentence."""
    return len(letters) >= 4 and all(letter >= "\u0e00" for letter in letters)


@cache
def _detector() -> Any:
    # Where nothing is read from files it is not installed.
    import gcld3  # type: ignore[import-untyped]

    return gcld3.NNetLanguageIdentifier(min_num_bytes=0, max_num_bytes=4 * MAX_CHARS)
