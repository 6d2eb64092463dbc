"""What a conversation is about after each of its questions: the thing that "it" would mean now."""

import re
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from typing import Final

from chatsphere.adapters.extractive.asking_words import ASKS_WHO_OR_WHICH, BEFORE_A_TOPIC, GENITIVES, PREPOSITIONS
from chatsphere.adapters.extractive.phrases import Phrase, phrases
from chatsphere.adapters.extractive.terms import is_content_word, words

MAX_ENTITIES: Final = 8
_ASKS_WHO: Final = re.compile(r"[\s¿¡]*(?:and\s+)?(?:whom?|wer|wen|qui|quién(?:es)?|chi|quem)\b", re.IGNORECASE)
_FOR: Final = frozenset(("for", "für", "pour", "para", "per", "voor"))
_FIRST_SENTENCE: Final = re.compile(r"\A.{20,}?(?:[.!?](?=\s)|\n|\Z)", re.DOTALL)
_ITEM: Final = re.compile(r"^[ \t]*(?:[-*+•]|\(?\d{1,2}[.)])[ \t]+(.+)$", re.MULTILINE)
_ITEM_NAME: Final = re.compile(r"[^(:–—,.;]+")
_JOINS: Final = frozenset(("and", "or", "und", "oder", "et", "ou", "y", "o", "e", "en", "of"))


@dataclass(frozen=True, slots=True)
class Focus:
    """The state of a conversation.

    `question`: the last one, made to stand alone. `subjects`: what it is about, most likely first, and `others` the
    rest of its phrases. `entities`: what the conversation was about so far, the latest last. `items`: what the last
    answer listed.
    """

    question: str
    subjects: tuple[Phrase, ...]
    others: tuple[Phrase, ...]
    entities: tuple[str, ...]
    items: tuple[str, ...]

    @property
    def subject(self) -> str:
        """What a pronoun would stand for."""
        return " ".join(dict.fromkeys(bare(phrase) for phrase in self.subjects))


def bare(phrase: Phrase) -> str:
    """Return the phrase without a possessive ending."""
    return re.sub(r"['’]s?$", "", phrase.text)


def focus_after(question: str, answer: str, before: Focus | None, language: str, names: frozenset[str]) -> Focus:
    """Return the state after `question`, which stands alone, was answered."""
    asked = phrases(question, language, names)
    told = phrases(answer, language, names)
    items = _items(answer, told)
    named = _named_by_answer(question, asked, answer, told)
    former = before.entities if before else ()
    subjects = tuple(named[:1]) or _still(before, asked, answer) or _subjects(asked, told, former)
    entities = _latest((*former, *map(bare, named or subjects), *(items if named else ())))
    others = tuple(phrase for phrase in asked if phrase not in subjects)
    return Focus(question, subjects, others, entities, items)


def _named_by_answer(question: str, asked: Sequence[Phrase], answer: str, told: Sequence[Phrase]) -> list[Phrase]:
    """Return what the answer names to a question of who or which, where the question does not."""
    if not ASKS_WHO_OR_WHICH.match(question):
        return []
    if not _ASKS_WHO.match(question) and any(phrase.is_name and _tells(phrase) for phrase in asked):
        return []
    first = _FIRST_SENTENCE.match(answer)
    end = first.end() if first else len(answer)
    known = " ".join(phrase.text for phrase in asked).casefold()
    new = [p for p in told if not p.is_aspect and p.text.casefold() not in known]
    opening = [phrase for phrase in new if phrase.start < end]
    named = [phrase for phrase in opening if phrase.is_name and _tells(phrase)]
    if opening and opening[0] is told[0] and not opening[0].is_name and not _is_preposition_next(answer, opening[0]):
        return [opening[0], *named]
    if not named:
        return []
    # Her husband Pierre: mentioned beside the one who is meant.
    return sorted(
        named,
        key=lambda phrase: (
            phrase.before not in PREPOSITIONS and is_content_word(phrase.before or "the"),
            phrase.start,
        ),
    )[:1] + [phrase for phrase in new if phrase.is_name and _tells(phrase)]


def _is_preposition_next(answer: str, phrase: Phrase) -> bool:
    following = words(answer[phrase.end : phrase.end + 40])
    return bool(following) and following[0].casefold() in PREPOSITIONS


def _still(before: Focus | None, asked: Sequence[Phrase], answer: str) -> tuple[Phrase, ...]:
    """Return the former subject where the question names none and the answer goes on about it."""
    if before is None or any(phrase.is_name for phrase in asked):
        return ()
    named = before.subjects and all(phrase.is_name for phrase in before.subjects)
    return before.subjects if named and before.subject.casefold() in answer.casefold() else ()


def _tells(phrase: Phrase) -> bool:
    """Return whether the name is more than a year or an amount."""
    return any(map(str.isalpha, phrase.text))


def _subjects(asked: Sequence[Phrase], told: Sequence[Phrase], former: Sequence[str]) -> tuple[Phrase, ...]:
    """Return the phrases that the question is most likely about: one, or those that are joined to it."""
    candidates = [p for p in asked if not p.is_aspect] or list(asked)
    names = [phrase for phrase in candidates if phrase.is_name and _tells(phrase)]
    candidates = names or candidates
    if not candidates:
        return ()
    said = {word.casefold() for phrase in told for word in words(phrase.text)}
    scores = [_weight(phrase, place, said, former, asked) for place, phrase in enumerate(candidates)]
    best = candidates[max(range(len(candidates)), key=lambda place: (scores[place], -place))]
    return tuple(phrase for phrase in candidates if phrase is best or _joined(phrase, best, asked))


def _weight(phrase: Phrase, place: int, said: Set[str], former: Sequence[str], asked: Sequence[Phrase]) -> float:
    weight = (0.5 if place == 0 else 0.0) + (0.4 if phrase.article else 0.0)
    held = [word for word in words(phrase.text.casefold()) if word in said]
    weight += len(held) / max(len(words(phrase.text)), 1)
    # GPS, API: a name for a kind of thing.
    weight -= 0.5 if phrase.text.isupper() and len(phrase.text) <= 5 else 0.0
    weight += 0.6 if former and bare(phrase) in former[-1:] else 0.0
    if phrase.before in _FOR and not phrase.is_name:
        weight -= 0.5
    elif phrase.before in BEFORE_A_TOPIC and phrase is not asked[0]:
        weight += 1.0
    elif phrase.before in PREPOSITIONS and not phrase.is_name:
        weight -= 0.8
    return weight


def _joined(phrase: Phrase, best: Phrase, asked: Sequence[Phrase]) -> bool:
    """Return whether the phrase belongs to the best one: `polonium` and `radium`, `visado` de `estudiante`."""
    first, second = sorted((phrase, best), key=lambda one: one.start)
    joins = second.before in _JOINS or second.before in GENITIVES
    near = joins and first.is_name == second.is_name and second.start - first.end <= 8
    return near and asked.index(second) - asked.index(first) == 1


def _items(answer: str, told: Sequence[Phrase]) -> tuple[str, ...]:
    """Return what the answer lists: its list items' beginnings, else the names in it."""
    listed = [found[0].strip() for item in _ITEM.findall(answer) if (found := _ITEM_NAME.match(item))]
    if len(listed) > 1:
        return tuple(listed)
    return _latest(bare(phrase) for phrase in told if phrase.is_name and _tells(phrase))


def _latest(texts: Iterable[str]) -> tuple[str, ...]:
    """Return each text once, at its last place, but the first few only of a long list."""
    distinct: dict[str, None] = {}
    for text in texts:
        distinct.pop(text, None)
        distinct[text] = None
    return tuple(distinct)[-MAX_ENTITIES:]
