"""The words that a text is about: stop words left out, endings cut, CJK text as pairs of characters."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from chatsphere.adapters.extractive.stop_words import STOP_WORDS as FURTHER_STOP_WORDS

_WORD: Final = re.compile(r"\w+(?:['’.\-]\w+)*")
_CJK: Final = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]")

ENGLISH: Final = "en"


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

_STOP_WORDS: Final = {
    ENGLISH: STOP_WORDS,
    **{language: word_set(listed) for language, listed in FURTHER_STOP_WORDS.items()},
}

# The longest ending that leaves a stem of at least three letters is cut.
_ENDINGS: Final = ("ations", "ation", "ments", "ment", "ings", "ing", "ies", "ied", "ers", "er", "ed", "es", "ly", "s")

# As above, leaving at least four letters. Light on purpose: two words with one stem but two meanings cost more than
# two forms of a word that are taken for different ones.
_FURTHER_ENDINGS: Final = {
    language: tuple(listed.split())
    for language, listed in {
        "de": "ungen ung lich isch erin ern em en er es et st e n s t",
        "fr": "issement ement ations ation euses euse eaux ées ent er ez ée és es aux é e s x t",
        "es": "aciones ación amente mente iendo ando ados adas ado ada ar er ir es os as an en a e o s",
        "it": "azioni azione mente ando endo ati ate ato ata are ere ire i e o a",
        "pt": "ações ação mente ando endo ados adas ado ada ar er ir es os as am em a e o s",
        "nl": "ingen ing heid lijk en er st e s t",
    }.items()
}


def words(text: str) -> list[str]:
    """Return the words of `text` as they stand there."""
    return _WORD.findall(text)


@lru_cache(maxsize=256)
def language_of(text: str) -> str:
    """Return the language (ISO 639-1) most of whose small words stand in `text`; English where none tells."""
    found = [word.casefold() for word in words(text[:2000])]
    counts = {language: sum(word in listed for word in found) for language, listed in _STOP_WORDS.items()}
    best = max(counts, key=lambda language: counts[language])
    return best if counts[best] > counts[ENGLISH] else ENGLISH


def is_content_word(word: str, language: str = ENGLISH) -> bool:
    """Return whether the word says what a text is about; a word such as `the` or `how` does not."""
    return word.casefold() not in _STOP_WORDS[language]


def terms(text: str, language: str = ENGLISH) -> set[str]:
    """Return the stems of the content words of `text`."""
    return {term for word in words(text) if is_content_word(word, language) for term in _terms_of(word, language)}


def _terms_of(word: str, language: str) -> Iterator[str]:
    if _CJK.search(word):
        yield from ([word] if len(word) == 1 else [word[i : i + 2] for i in range(len(word) - 1)])
        return
    folded = re.sub(r"['’]s?$", "", word.casefold())
    # An article or pronoun that leans on its word: l'été, dell'arte.
    folded = (
        folded if language == ENGLISH else re.sub(r"^(?:[a-z]|qu|dell|nell|sull|all|dall|un)['’](?=\w)", "", folded)
    )
    yield stem(folded, language)
    parts = re.split(r"[-'’]", folded)
    if len(parts) > 1:
        yield from (stem(part, language) for part in parts if part and is_content_word(part, language))


def stem(word: str, language: str = ENGLISH) -> str:
    """Cut an ending: enough to match `costs` with `cost`, `founded` with `founding`, `Kosten` with `kostet`."""
    if language != ENGLISH:
        return _cut(word, _FURTHER_ENDINGS[language])
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


def _cut(word: str, endings: tuple[str, ...]) -> str:
    if not word.isalpha():
        return word
    plain = word.replace("ß", "ss")
    return next((plain[: -len(end)] for end in endings if plain.endswith(end) and len(plain) - len(end) >= 4), plain)
