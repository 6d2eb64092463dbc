"""What was said long before: the name that a question's thing was given then ("my coffee maker" is the Aurora X200)."""

from collections.abc import Sequence

from chatsphere.adapters.extractive.phrases import Phrase, phrases
from chatsphere.adapters.extractive.terms import language_of, stem, words
from chatsphere.ports.answers import Turn


def with_recalled_name(question: str, recalled: Sequence[Turn]) -> str:
    """Return the question, led by the name that a recalled message gives what it asks about.

    Only where the question names nothing itself, and the message that shares a thing with it names one thing: a guess
    among several would be wrong as often as right. The messages are tried in their order.
    """
    language = language_of(question)
    own = phrases(question, language)
    if not recalled or any(phrase.is_name for phrase in own):
        return question
    things = {word for phrase in own if not phrase.is_aspect for word in _stems(phrase.text, language)}
    for turn in recalled:
        if turn.role == "user" and (name := _name_in(turn.content, things, language)):
            return f"{name}: {question}"
    return question


def _name_in(said: str, things: set[str], language: str) -> str | None:
    found = phrases(said, language)
    shared = any(things & _stems(phrase.text, language) for phrase in found)
    names = {phrase.text.casefold(): phrase.text for phrase in found if _is_telling(phrase)}
    return next(iter(names.values())) if shared and len(names) == 1 else None


def _is_telling(phrase: Phrase) -> bool:
    return phrase.is_name and any(character.isalpha() for character in phrase.text)


def _stems(text: str, language: str) -> set[str]:
    return {stem(word.casefold(), language) for word in words(text)}
