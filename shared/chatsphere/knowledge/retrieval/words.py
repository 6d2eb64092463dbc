"""What the words of a question are, where a bot's documents are of several languages.

Each language stems a question in its own way, and counts its own words as meaningless. All that one word of the
question became is one term: it weighs once, however many languages the bot holds.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Term:
    """A word of the question and in how many of the bot's chunks it occurs, at most.

    `lexeme` names it; `others` are what further text search configurations made of the same word.
    """

    lexeme: str
    document_frequency: int
    others: tuple[str, ...] = ()

    @property
    def lexemes(self) -> tuple[str, ...]:
        """All that stands for the word in the index."""
        return self.lexeme, *self.others


def terms_of(rows: Iterable[Mapping[str, Any]], chunk_count: int) -> list[Term]:
    """Return the terms of a question from its lexemes: `configuration`, `lexeme`, `positions`, `document_frequency`."""
    places: defaultdict[str, dict[str, frozenset[int]]] = defaultdict(dict)
    frequencies: dict[str, int] = {}
    for row in rows:
        lexemes = places[row["configuration"]]
        if row["lexeme"] is not None:
            lexemes[row["lexeme"]] = frozenset(row["positions"])
            frequencies[row["lexeme"]] = row["document_frequency"]
    if len(places) == 1:
        return [Term(lexeme, frequency) for lexeme, frequency in frequencies.items()]
    groups = _words(places, _meaningless(places))
    return [_term(group, frequencies, chunk_count) for group in groups]


def _term(lexemes: Collection[str], frequencies: Mapping[str, int], chunk_count: int) -> Term:
    first, *others = sorted(lexemes, key=lambda lexeme: (-frequencies[lexeme], lexeme))
    # A chunk is stemmed in one way: what two lexemes occur in are different chunks, nearly always.
    return Term(first, min(sum(frequencies[lexeme] for lexeme in lexemes), chunk_count), tuple(others))


def _meaningless(places: Mapping[str, Mapping[str, frozenset[int]]]) -> frozenset[int]:
    """Return which words of the question say nothing in its own language: the one to which most say nothing.

    "die" is an article in German and a verb in English; which it is here, the other words tell. Where several languages
    claim as many, a word is left out that says nothing in each of those.
    """
    kept = {name: frozenset().union(*lexemes.values()) for name, lexemes in places.items()}
    words: frozenset[int] = frozenset().union(*kept.values())
    stopped = [words - positions for positions in kept.values()]
    most = max(map(len, stopped))
    return frozenset.intersection(*(positions for positions in stopped if len(positions) == most))


def _words(places: Mapping[str, Mapping[str, frozenset[int]]], without: frozenset[int]) -> Sequence[Collection[str]]:
    """Return the lexemes that stand for the same words, each group once."""
    group_of: dict[str, set[str]] = {}
    at: dict[int, str] = {}
    for lexemes in places.values():
        for lexeme, positions in lexemes.items():
            for position in positions - without:
                joined = group_of.setdefault(lexeme, {lexeme}) | group_of.get(at.setdefault(position, lexeme), set())
                group_of.update(dict.fromkeys(joined, joined))
    return list({id(group): group for group in group_of.values()}.values())
