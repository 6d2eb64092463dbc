"""Elliptic questions: what "and X?" names is put into the question before it, in the place of what it is most like."""

from collections.abc import Callable, Sequence

from chatsphere.adapters.extractive.asking_words import BEFORE_A_TOPIC, GENITIVES, PREPOSITIONS
from chatsphere.adapters.extractive.focus import Focus
from chatsphere.adapters.extractive.leaning import only_fillers, opening_end
from chatsphere.adapters.extractive.phrases import Phrase
from chatsphere.adapters.extractive.terms import stem, words

Likeness = Callable[[str, Sequence[str]], Sequence[float]]
"""How like each of several texts is to one, as cosines."""


def completed(question: str, focus: Focus, own: Sequence[Phrase], likeness: Likeness | None) -> str | None:
    """Return the earlier question with what this one names in it.

    None where it asks for something else of the earlier one's subject; the question itself where it leaves nothing out.
    """
    telling = [phrase for phrase in own if not only_fillers(phrase)]
    asked = [phrase for phrase in telling if phrase.is_aspect]
    if asked and any(phrase.before in BEFORE_A_TOPIC for phrase in telling if not phrase.is_aspect):
        return question
    circumstance = telling[0].before in PREPOSITIONS
    if asked and not circumstance and not any(phrase.is_name for phrase in telling):
        return None
    resolved = _substituted(telling, focus, likeness)
    if resolved is None and circumstance and not telling[0].is_name:
        return f"{focus.question.rstrip(' ?!.')} {question[opening_end(question) :]}"
    return resolved


def _substituted(telling: Sequence[Phrase], focus: Focus, likeness: Likeness | None) -> str | None:
    """Return the earlier question with each phrase in the place of its like; None if none has one."""
    resolved, replaced = focus.question, False
    held = [phrase for phrase in (*focus.subjects, *focus.others) if phrase.text in resolved]
    for phrase in telling:
        old = _replaced(phrase, held, focus, likeness)
        if old is not None:
            resolved, replaced = resolved.replace(old.text, phrase.text, 1), True
            held.remove(old)
    return resolved if replaced else None


def _replaced(phrase: Phrase, held: Sequence[Phrase], focus: Focus, likeness: Likeness | None) -> Phrase | None:
    """Return the phrase of the earlier question in whose place the new one stands; None if it stands beside them."""
    if any(_stems(phrase) <= _stems(old) for old in held):
        return None
    if phrase.is_name:
        return _like_name(phrase, held, focus)
    if phrase.before in PREPOSITIONS or phrase.before in GENITIVES:
        return next((old for old in reversed(held) if old.before == phrase.before), None)
    things = [old for old in held if old in focus.subjects or not old.is_aspect]
    if likeness is None or len(things) <= 1:
        return next((old for old in things if old in focus.subjects), None)
    cosines = list(likeness(phrase.text, [old.text for old in things]))
    best = things[max(range(len(things)), key=cosines.__getitem__)]
    return best if best in focus.subjects else None


def _like_name(phrase: Phrase, held: Sequence[Phrase], focus: Focus) -> Phrase | None:
    """Return the name that a name replaces: a code a code, the subject before others."""
    names = [old for old in held if old.is_name]
    alike = [old for old in names if _is_code(old) == _is_code(phrase)]
    subjects = [old for old in held if old in focus.subjects]
    return next((old for old in alike or names if old in subjects), None) or next(
        iter(alike or names or subjects), None
    )


def _stems(phrase: Phrase) -> set[str]:
    return {stem(word.casefold()) for word in words(phrase.text)}


def _is_code(phrase: Phrase) -> bool:
    return " " not in phrase.text and any(map(str.isdigit, phrase.text))
