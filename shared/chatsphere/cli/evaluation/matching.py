"""Whether an answer holds the gold string, compared as SQuAD's evaluation does.

Lower case, without punctuation, without English articles, with single spaces. Punctuation is Unicode's, as in the
multilingual successors of SQuAD.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

_ARTICLES = re.compile(r"\b(a|an|the)\b")


def normalised(text: str) -> str:
    """Return the text as it is compared."""
    composed = unicodedata.normalize("NFKC", text).lower()
    plain = "".join(character for character in composed if not unicodedata.category(character).startswith("P"))
    return " ".join(_ARTICLES.sub(" ", plain).split())


def contains(answer: str, gold: Sequence[str]) -> bool:
    """Return whether the answer contains any of the gold strings."""
    text = normalised(answer)
    return any(wanted in text for each in gold if (wanted := normalised(each)))


def contains_words(answer: str, gold: Sequence[str]) -> bool:
    """Return the same, where a gold string must begin and end at a word's: 7 is not in 17."""
    text = normalised(answer)
    return any(re.search(rf"(?<!\w){re.escape(wanted)}(?!\w)", text) for each in gold if (wanted := normalised(each)))


def f1(answer: str, gold: Sequence[str]) -> float:
    """Return the best harmonic mean of precision and recall of the answer's words, 0 to 1."""
    said = Counter(normalised(answer).split())
    return max((_f1(said, Counter(normalised(each).split())) for each in gold), default=0.0)


def _f1(said: Counter[str], wanted: Counter[str]) -> float:
    common = (said & wanted).total()
    return 2 * common / (said.total() + wanted.total()) if common else 0.0
