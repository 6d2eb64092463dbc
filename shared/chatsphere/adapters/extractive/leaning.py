"""Whether a question leans on what was said before it: by a pronoun, an opening, or what it leaves out."""

import re
from collections.abc import Sequence
from typing import Final

from chatsphere.adapters.extractive.asking_words import CLAUSE_WORDS, FILLERS, OPENING, POSSESSIVES, PRONOUNS, is_aspect
from chatsphere.adapters.extractive.phrases import Phrase
from chatsphere.adapters.extractive.terms import is_content_word, word_set, words

MAX_ELLIPTIC_WORDS: Final = 2
"""A question of more words of its own says what it is about."""

EXPLETIVE: Final = re.compile(
    r"\bit\s+(?:is\s+|be\s+)?(?:(?:possible|necessary|required|allowed|true|okay|ok|important|better|safe|legal|"
    r"advisable|recommended)\s+(?:to|that|if|when)|raining|snowing|(?:take|cost|mean)\s+to\s+\w+\s+\w+)\b|"
    r"\b(?:gibt es|es gibt|il y a|y a-t-il|faut-il|il faut|est-il possible)\b",
    re.IGNORECASE,
)
"""Pronouns that stand for nothing."""

_THERE: Final = re.compile(
    r"(?<!is )(?<!are )(?<!was )(?<!were )\bthere\b(?! (?:is|are|was|were|any|a)\b)", re.IGNORECASE
)
_POINTS: Final = re.compile(
    r"\b(?:(?:this|these|those) \w|(?:does|do|is|are|was|at|of|with|for|in|on|about|to) that (?!is\b|are\b))",
    re.IGNORECASE,
)
_DEMONSTRATIVE: Final = word_set("this that these those then former latter ones")
_CLAUSE_STARTS: Final = word_set("and or but if when while because since who which that where whether wenn falls si")
_TOKEN: Final = re.compile(r"[\w'’\-]+|[,;:]")
_ASKS: Final = re.compile(
    r"(?:what|who|why|how (?!much|many)|when|where|was|wer|wie(?!\s?viele?)|wann|wo|warum|comment|quand|où|qui|que|"
    r"pourquoi|cómo|cuándo|dónde|quién|come|dove|chi|hoe|waar)\b",
    re.IGNORECASE,
)
_FORMAL: Final = frozenset(("Sie", "Ihnen", "Ihr", "Ihre", "Ihren"))
_FRENCH_OBJECT: Final = re.compile(
    r"\b(?:pour|de|à|peut-on|faut-il|puis-je|comment) (?:la|le|les|l['’])\s?\w+(?:er|ir|re)\b", re.IGNORECASE
)


def opening_end(question: str) -> int:
    """Return where what the question begins with ends, such as `And` or `What about`; 0 where it begins with none."""
    opening = OPENING.match(question)
    return opening.end() if opening else 0


def leans(question: str, own: Sequence[Phrase], language: str) -> bool:
    """Return whether the question, whose phrases are `own`, cannot be understood alone."""
    telling = [phrase for phrase in own if not only_fillers(phrase)]
    if not telling or refers(question, language):
        return True
    named, fragment = any(phrase.is_name for phrase in telling), is_fragment(question)
    if question[: opening_end(question)].strip(" ¿¡\t\n"):
        return fragment or not named
    if named and not (fragment and len(telling) == 1):
        return False
    short = sum(len(words(phrase.text)) for phrase in telling) <= MAX_ELLIPTIC_WORDS
    # "What is the warranty?" leaves out of what.
    return short and (fragment or all(phrase.is_aspect for phrase in telling))


def only_fillers(phrase: Phrase) -> bool:
    """Return whether the phrase names nothing to search for."""
    return all(word.casefold() in FILLERS for word in words(phrase.text))


def is_fragment(question: str) -> bool:
    """Return whether the question, its opening left out, is no clause: without auxiliary verb and wh-question."""
    rest = question[opening_end(question) :]
    found = [word.casefold() for word in words(rest)]
    if any(word in CLAUSE_WORDS or word.split("-")[0] in CLAUSE_WORDS for word in found):
        return False
    return len(found) <= 1 or _ASKS.match(rest.strip(" ¿¡")) is None


def refers(question: str, language: str) -> bool:
    """Return whether a pronoun points out of the question.

    One that follows a noun phrase of an earlier clause ("if I lose my card, who replaces it?") does not.
    """
    if language == "en" and (_THERE.search(question) or _POINTS.search(question)):
        return True
    in_clause, in_earlier_clauses = 0, 0
    for place, found in enumerate(_TOKEN.findall(EXPLETIVE.sub(" ", question))):
        word, seen = found.casefold(), in_clause + in_earlier_clauses
        bound = in_earlier_clauses or (word in POSSESSIVES and seen)
        if (not bound and _is_pronoun(found, place, language)) or (
            language == "en" and word in _DEMONSTRATIVE and not seen
        ):
            return True
        if word in _CLAUSE_STARTS or word in ",;:":
            in_clause, in_earlier_clauses = 0, seen
        elif is_content_word(found, language) and not is_aspect(found, language):
            in_clause += 1
    return language == "fr" and _FRENCH_OBJECT.search(question) is not None


def _is_pronoun(found: str, place: int, language: str) -> bool:
    if language == "de" and found in _FORMAL and place > 0:
        return False
    word = found.casefold()
    inverted = language == "fr" and "-" in word and word.rsplit("-", 1)[-1] in ("il", "elle", "ils", "elles")
    return inverted or word in PRONOUNS[language]
