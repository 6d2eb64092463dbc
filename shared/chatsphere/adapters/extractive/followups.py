"""Making a follow-up stand alone: "and how much does it cost?" takes its subject from what was said before.

Nothing here knows grammar. What a question leaves out is found by its small words, what is meant by how names and
things are written in the conversation, and what an elliptic "and X?" replaces by what X is most like.
"""

import re
from collections.abc import Sequence
from typing import Final

from chatsphere.adapters.extractive.asking_words import BOTH, COMPARES, FILLERS, ORDINALS, THE_ORDINAL
from chatsphere.adapters.extractive.ellipsis import Likeness, completed
from chatsphere.adapters.extractive.focus import Focus, focus_after
from chatsphere.adapters.extractive.leaning import EXPLETIVE, is_fragment, leans, only_fillers, opening_end, refers
from chatsphere.adapters.extractive.phrases import Phrase, phrases
from chatsphere.adapters.extractive.terms import is_content_word, language_of, stem, word_set, words
from chatsphere.ports.answers import Turn

MAX_BORROWED_WORDS: Final = 12
"""What is taken over from earlier questions: enough for a subject, too little to drown the question."""

MAX_READ_CHARS: Final = 4000
"""What is read of a message before the question: the time that it takes grows faster than a text does."""

_PRONOUN: Final = re.compile(r"(?<![\w'’-])(it|they|them|he|him|she|its|their|his)(?![\w'’-])", re.IGNORECASE)
_POSSESSIVE: Final = word_set("its their his")
_PAIR: Final = 2


def standalone(question: str, history: Sequence[Turn], likeness: Likeness | None = None) -> str:
    """Return `question` with what it leaves to the conversation before it filled in, if it leaves anything.

    `likeness` tells what an elliptic question replaces where its writing does not; it is asked at most a few times.
    """
    exchanges = _exchanges(history)
    if not exchanges:
        return question
    # A short follow-up says little of its language; the questions together say more.
    language = language_of("\n".join([question, *(asked for asked, _ in exchanges[-_PAIR:])]))
    names = _names([question, *(text for exchange in exchanges for text in exchange)], language)
    focus: Focus | None = None
    for asked, answered in exchanges:
        resolved = _resolve(asked, focus, language, names, likeness)
        focus = focus_after(resolved, answered, focus, language, names)
    return _resolve(question, focus, language, names, likeness)


def needs_context(question: str) -> bool:
    """Return whether the question cannot be understood without what was said before."""
    language = language_of(question)
    return leans(question, phrases(question, language), language)


def _exchanges(history: Sequence[Turn]) -> list[tuple[str, str]]:
    """Return each earlier question with what was answered, the oldest first."""
    exchanges: list[tuple[str, str]] = []
    for turn in history:
        said = turn.content[:MAX_READ_CHARS]
        if turn.role == "user":
            exchanges.append((said, ""))
        elif exchanges:
            asked, answered = exchanges[-1]
            exchanges[-1] = asked, f"{answered}\n{said}".strip()
    return exchanges


def _names(said: Sequence[str], language: str) -> frozenset[str]:
    """Return the words that are written as names somewhere in the conversation where no sentence begins."""
    if language == "de":
        return frozenset()
    found = [phrase for text in said for phrase in phrases(text, language) if phrase.is_name]
    return frozenset(
        word.casefold() for phrase in found for word in words(phrase.text) if word[0].isupper() and len(word) > 1
    )


def _resolve(
    question: str, focus: Focus | None, language: str, names: frozenset[str], likeness: Likeness | None
) -> str:
    if focus is None or not (focus.subjects or focus.entities or focus.items):
        return question
    own = phrases(question, language, names)
    if (item := _pointed_at(question, focus, own)) is not None:
        return THE_ORDINAL.sub(lambda _: item, question, count=1)
    if COMPARES.search(question) and sum(phrase.is_name for phrase in own) < _PAIR <= len(focus.entities):
        return _compared(question, focus, own)
    if not leans(question, own, language):
        return question
    if all(only_fillers(phrase) for phrase in own):
        return _led(focus.question, question)
    if refers(question, language):
        return _with_subject(question, focus, language)
    found = completed(question, focus, own, likeness) if is_fragment(question) else None
    return found if found is not None else _led(focus.subject, question)


def _pointed_at(question: str, focus: Focus, own: Sequence[Phrase]) -> str | None:
    """Return what "the second one" points to: in the last answer's list, or among the things named so far."""
    items = focus.items if len(focus.items) > 1 else focus.entities
    if len(items) < _PAIR or any(phrase.is_name and " " in phrase.text for phrase in own):
        return None
    known = {stem(word.casefold()) for word in words(focus.question)}
    found = [word.casefold() for word in words(question)]
    for word, following in zip(found, [*found[1:], ""], strict=False):
        # The second step, the first element: an ordinal of its own noun.
        other = bool(following) and is_content_word(following) and following not in FILLERS
        if word in ORDINALS and not (other and stem(following) not in known):
            place = ORDINALS[word]
            return items[place] if place < len(items) else None
    return None


def _compared(question: str, focus: Focus, own: Sequence[Phrase]) -> str:
    """Name the last two things that were spoken of, and what was asked of them if the question does not say."""
    pair = focus.entities[-_PAIR:]
    lead = " ".join(pair)
    if BOTH.search(question):
        question, lead = BOTH.sub(lambda _: " / ".join(pair), question, count=1), ""
    if all(only_fillers(phrase) for phrase in own):
        lead = " ".join([*(phrase.text for phrase in focus.others if phrase.is_aspect), lead])
    return _led(lead, question)


def _with_subject(question: str, focus: Focus, language: str) -> str:
    """Put the subject in the place of the pronoun, or before the question where that is not clear."""
    subject, begin = focus.subject, opening_end(question)
    if not subject:
        return _led(focus.question, question)
    if language != "en" or len(_PRONOUN.findall(EXPLETIVE.sub(" ", question))) != 1:
        return _led(subject, question)
    return question[:begin] + _PRONOUN.sub(
        lambda found: f"{subject}'s" if found[0].casefold() in _POSSESSIVE else subject, question[begin:]
    )


def _led(lead: str, question: str) -> str:
    """Return the question behind `lead`, or behind those words of it that it does not have itself."""
    if not lead.strip():
        return question
    language, of_lead = language_of(question), language_of(lead)
    own = {stem(word.casefold(), language) for word in words(question)}
    distinct: dict[str, str] = {}
    for word in words(lead):
        if is_content_word(word, of_lead) or any(map(str.isupper, word)):
            distinct.setdefault(stem(word.casefold(), language), word)
    missing = [word for key, word in distinct.items() if key not in own][:MAX_BORROWED_WORDS]
    if len(missing) == len(distinct) and len(lead.split()) <= MAX_BORROWED_WORDS:
        return f"{lead.strip(' ?!.:')}: {question}"
    return f"{' '.join(missing)}: {question}" if missing else question
