"""The words that a text is about: stop words left out, endings cut, CJK text as pairs of characters."""

import re
from collections.abc import Iterator
from typing import Final

_WORD: Final = re.compile(r"\w+(?:['’.\-]\w+)*")
_CJK: Final = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]")


def word_set(text: str) -> frozenset[str]:
    """Return the words of a list in prose."""
    return frozenset(text.split())


STOP_WORDS: Final = word_set(
    "a about above after again all also am an and any are as at be been before being below between both but by can "
    "could did do does doing done during each few for from further get give given go had has have having he her here "
    "hers him his how however i if in into is it its itself just know let like many may me might more most much must "
    "my no nor not of off on once one only or other our out over own please same say shall she should so some such "
    "tell than that the their them then there these they this those through to too under until up us very was we were "
    "what when where which while who whom whose why will with would you your"
)

# The longest ending that leaves a stem of at least three letters is cut.
_ENDINGS: Final = ("ations", "ation", "ments", "ment", "ings", "ing", "ies", "ied", "ers", "er", "ed", "es", "ly", "s")


def words(text: str) -> list[str]:
    """Return the words of `text` as they stand there."""
    return _WORD.findall(text)


def is_content_word(word: str) -> bool:
    """Return whether the word says what a text is about; a word such as `the` or `how` does not."""
    return word.casefold() not in STOP_WORDS


def terms(text: str) -> set[str]:
    """Return the stems of the content words of `text`."""
    return {term for word in words(text) if is_content_word(word) for term in _terms_of(word)}


def _terms_of(word: str) -> Iterator[str]:
    if _CJK.search(word):
        yield from ([word] if len(word) == 1 else [word[i : i + 2] for i in range(len(word) - 1)])
        return
    folded = re.sub(r"['’]s?$", "", word.casefold())
    yield stem(folded)
    parts = re.split(r"[-'’]", folded)
    if len(parts) > 1:
        yield from (stem(part) for part in parts if part and part not in STOP_WORDS)


def stem(word: str) -> str:
    """Cut an English ending: enough to match `costs` with `cost` and `founded` with `founding`."""
    if len(word) <= 3 or not word.isalpha() or not word.isascii() or word.endswith("ss"):
        return word
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            base = word[: -len(ending)]
            if ending in ("ies", "ied"):
                return base + "y"
            if len(base) > 3 and base[-1] == base[-2] and base[-1] not in "lsz":
                base = base[:-1]
            return base.rstrip("e") if len(base) > 3 else base
    return word.rstrip("e") if len(word) > 4 else word
