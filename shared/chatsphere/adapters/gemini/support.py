"""Which words of a passage a statement rests on: the check that makes a model's `[n]` a citation."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from chatsphere.adapters.extractive.sentences import DATE, Sentence, split_sentences
from chatsphere.adapters.extractive.terms import language_of, stem, terms, words
from chatsphere.adapters.gemini.negation import contradicts

MAX_SENTENCES: Final = 3
"""A statement may sum up so many sentences of a passage that follow each other."""

LENGTH_COST: Final = 0.12
"""What a further sentence must add to the share of the statement's words to be quoted, too."""

MIN_SHARE: Final = 0.25
MIN_SHARED_WORDS: Final = 2

_LIST_MARK: Final = re.compile(rf"\A\s*(?:[-*+•]|\(?(?!{DATE})\d{{1,3}}[.)]|#{{1,6}})\s+", re.IGNORECASE)
# A capital where no sentence, quotation or list item begins.
_NAME: Final = re.compile(r"(?<=[a-z0-9,] )[A-Z][a-z]{2,}\b")
_NUMBER: Final = re.compile(r"\d+(?:[.,'’\u00a0\u202f]\d+)*")
_THOUSANDS: Final = re.compile(r"[.,'’\u00a0\u202f](?=\d{3}(?:\D|$))")


@dataclass(frozen=True, slots=True)
class _Read:
    """One sentence of a passage with its words and numbers."""

    sentence: Sentence
    words: frozenset[str]
    numbers: frozenset[str]


@dataclass(frozen=True, slots=True)
class ReadPassage:
    """A passage, cut into sentences, to be searched for the support of several statements.

    `vocabulary`: the stems of all its words and of those it stands under, its title and heading.
    """

    content: str
    language: str
    sentences: Sequence[_Read]
    vocabulary: frozenset[str]


@dataclass(frozen=True, slots=True)
class Support:
    """The words of a passage that support a statement, and where in the passage they begin."""

    quote: str
    start: int


def read(content: str, above: str = "") -> ReadPassage:
    """Cut a passage into sentences; `above` is what it stands under."""
    language = language_of(content)
    sentences = [
        _Read(sentence, _words(text, language), _numbers(text))
        for sentence in split_sentences(content)
        for text in (content[sentence.start : sentence.end],)
    ]
    vocabulary = frozenset(stem(word.casefold(), language) for word in words(f"{above}\n{content}"))
    return ReadPassage(content, language, sentences, vocabulary)


def supporting_quote(statement: str, passage: ReadPassage) -> Support | None:
    """Return the one to three sentences of the passage that support the statement best; None if none does.

    To support it they must hold every number of the statement, at least two of its words (or its only one) and a
    quarter of them; they must not deny what it says, nor say what it denies; and each name in it must stand
    somewhere in the passage. This tells words that are about the same from words that are not; what else a statement
    gets wrong it
    cannot tell, which is why the quote is shown beside it.
    """
    statement = _LIST_MARK.sub("", statement, count=1)
    wanted, numbers = _words(statement, passage.language), _numbers(statement)
    if not _knows_names(statement, passage):
        return None
    best: tuple[float, Support] | None = None
    for run in _runs(passage.sentences):
        held = frozenset[str]().union(*(part.words for part in run))
        counted = frozenset[str]().union(*(part.numbers for part in run))
        share = _share(wanted, numbers, held)
        if share is None or not numbers <= counted:
            continue
        score = share - LENGTH_COST * (len(run) - 1)
        start, end = run[0].sentence.start, run[-1].sentence.end
        if (best is None or score > best[0]) and not contradicts(statement, passage.content[start:end], wanted):
            best = score, Support(passage.content[start:end], start)
    return best[1] if best else None


def _knows_names(statement: str, passage: ReadPassage) -> bool:
    """Return whether every name of the statement stands in the passage.

    Said of the Eagle, what is said of the Falcon is wrong. In another language names may be other words, and German
    writes every noun like a name.
    """
    if passage.language == "de" or language_of(statement) != passage.language:
        return True
    named = (word.casefold() for word in _NAME.findall(statement))
    return all(stem(name, passage.language) in passage.vocabulary for name in named)


def _runs(sentences: Sequence[_Read]) -> Iterator[Sequence[_Read]]:
    for length in range(1, MAX_SENTENCES + 1):
        for start in range(len(sentences) - length + 1):
            yield sentences[start : start + length]


def _share(wanted: frozenset[str], numbers: frozenset[str], held: frozenset[str]) -> float | None:
    """Return which share of the statement's words is held, None if too few are."""
    if not wanted:
        return 1.0 if numbers else None
    shared = len(wanted & held)
    # Numbers that stand in both are as telling as words.
    enough = shared + len(numbers) >= min(MIN_SHARED_WORDS, len(wanted) + len(numbers)) and shared > 0
    share = shared / len(wanted)
    return share if enough and share >= MIN_SHARE else None


def _words(text: str, language: str) -> frozenset[str]:
    return frozenset(term for term in terms(text, language) if not term[0].isdigit())


def _numbers(text: str) -> frozenset[str]:
    return frozenset(_normal(number) for number in _NUMBER.findall(text))


def _normal(number: str) -> str:
    """Return the number as other spellings have it: `1,299.00`, `1.299,00` and `1299` are one."""
    plain = _THOUSANDS.sub("", number)
    whole, *fraction = re.split(r"\D", plain)
    decimals = ".".join(fraction).rstrip("0").rstrip(".")
    return f"{whole.lstrip('0') or '0'}.{decimals}" if decimals else whole.lstrip("0") or "0"
