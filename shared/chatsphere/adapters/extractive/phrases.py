"""The names and things that a question or an answer speaks of, by how they are written; no grammar is known."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from chatsphere.adapters.extractive.asking_words import PREPOSITIONS, is_aspect
from chatsphere.adapters.extractive.terms import is_content_word, word_set

_TOKEN: Final = re.compile(r"\w+(?:['’.\-/&+]\w+)*|[^\w\s]")
_BRIDGES: Final = word_set("of the de du des la le del della di da do von van der den")
ARTICLES: Final = word_set(
    "the a an my our your this that der die das den dem ein eine einen einem einer mein meine unser unsere le la les "
    "un une mon ma mes notre el los las una mi mis nuestro il lo gli i uno o os as um uma het een"
)
_SUBJECTS_BEFORE_VERBS: Final = word_set("i you we they one people to ich du wir man je tu nous vous on")
_AUXILIARIES: Final = word_set("do does did can could will would should may might must")


@dataclass(frozen=True, slots=True)
class Phrase:
    """The slice `[start:end]` of a text: consecutive words that say what it is about.

    `before`: the word before it and its article, case folded. `is_name`: written as a name, or with a number in it.
    `is_aspect`: what is asked of a thing (its price) rather than a thing.
    """

    text: str
    start: int
    end: int
    before: str
    article: bool
    is_name: bool
    is_aspect: bool


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    start: int
    end: int
    initial: bool
    content: bool
    aspect: bool

    @property
    def capital(self) -> bool:
        return self.text[0].isupper()

    @property
    def telling(self) -> bool:
        """Whether it is written as a part of a name."""
        if not any(map(str.isalpha, self.text)):
            return False
        return any(map(str.isdigit, self.text)) or (self.capital and (not self.initial or self.text[1:2].isupper()))


def phrases(text: str, language: str, names: frozenset[str] = frozenset()) -> list[Phrase]:
    """Return the phrases of `text` in order. `names`: words, case folded, that are known to be parts of names."""
    tokens = list(_tokens(text, language, names))
    return [_phrase(text, tokens, first, last, language, names) for first, last in _runs(tokens, language)]


def _tokens(text: str, language: str, names: frozenset[str]) -> Iterator[_Token]:
    initial, before, asked = True, "", False
    for match in _TOKEN.finditer(text):
        word = match[0]
        if not word[0].isalnum():
            initial = initial or word in '.!?\n•¿¡"“«' or "\n" in text[: match.start()][-2:]
            before = ""
            yield _Token(word, match.start(), match.end(), initial, content=False, aspect=False)
            continue
        initial = initial or text[: match.start()].rstrip(" \t")[-1:] == "\n"
        folded = word.casefold()
        named = word[0].isupper() and (not initial or folded in names)
        content = (is_content_word(word, language) and (named or folded not in PREPOSITIONS)) or (
            named and language == "en" and word[1:].islower() and len(word) > 3
        )
        verb = before in _SUBJECTS_BEFORE_VERBS and not word[0].isupper()
        aspect = verb or (is_aspect(word, language) and (not named or language == "de"))
        aspect = aspect or (language == "de" and word.islower())
        yield _Token(word, match.start(), match.end(), initial and folded not in names, content, content and aspect)
        asked = asked or folded in _AUXILIARIES
        initial, before = False, folded


def _runs(tokens: Sequence[_Token], language: str) -> Iterator[tuple[int, int]]:
    """Yield the first and the last token of each phrase."""
    position = 0
    while position < len(tokens):
        if not tokens[position].content:
            position += 1
            continue
        end = position
        while (following := _next(tokens, end)) is not None and (
            _is_number(tokens, following)
            if tokens[following].text.isdigit()
            else tokens[following].aspect == tokens[position].aspect
            and not _begins_name(tokens, following, language)
            and not _follows_name(tokens, position, following, language)
        ):
            end = following
        yield from _cut(tokens, position, end, language)
        position = end + 1


def _is_number(tokens: Sequence[_Token], position: int) -> bool:
    """Return whether the number is the end of a name: `Falken 500`, and not `carry 200`."""
    return tokens[position - 1].capital


def _begins_name(tokens: Sequence[_Token], position: int, language: str) -> bool:
    """Return whether a name begins here behind a common noun: husband `Pierre`."""
    before = tokens[position - 1]
    return language != "de" and tokens[position].telling and before.content and before.text[0].islower()


def _follows_name(tokens: Sequence[_Token], first: int, position: int, language: str) -> bool:
    """Return whether a verb begins here behind a name: (was) Mozart `married`; but (the) Brava `oven`."""
    if language == "de" or not tokens[position].text[0].islower() or not tokens[position - 1].capital:
        return False
    return first == 0 or tokens[first - 1].text.casefold() not in ARTICLES


def _next(tokens: Sequence[_Token], position: int) -> int | None:
    """Return the token that goes on with the phrase: the next one, or behind `of` one that is of the same name."""
    for following in range(position + 1, min(position + 3, len(tokens))):
        token = tokens[following]
        if token.content:
            bridged = following > position + 1
            return following if not bridged or (tokens[position].telling and token.capital) else None
        if token.text.casefold() not in _BRIDGES:
            return None
    return None


def _cut(tokens: Sequence[_Token], first: int, last: int, language: str) -> Iterator[tuple[int, int]]:
    """Part the verb from its subject where an auxiliary stands before both: (does) `basalt` `form`."""
    verb = tokens[last]
    ends_clause = last + 1 == len(tokens) or not tokens[last + 1].content
    if language == "en" and last > first and ends_clause and verb.text.islower() and not verb.aspect:
        # Last, for they look at all that stands before: in a long text of many phrases, that takes time.
        asked = any(token.text.casefold() in _AUXILIARIES for token in tokens[:first])
        earlier_verb = asked and any(token.aspect and not token.initial for token in tokens[:first])
        if asked and not earlier_verb and not any(map(str.isdigit, verb.text)):
            yield first, last - 1
            return
    yield first, last


def _phrase(text: str, tokens: Sequence[_Token], first: int, last: int, language: str, names: frozenset[str]) -> Phrase:
    part = tokens[first : last + 1]
    start, end = part[0].start, part[-1].end
    before = tokens[first - 1].text.casefold() if first and tokens[first - 1].text[0].isalnum() else ""
    behind_article = before in ARTICLES or (before == "de" and language == "nl")
    if behind_article and first >= 2:
        before = tokens[first - 2].text.casefold()
    telling = sum(token.telling for token in part)
    known = any(token.text.casefold() in names for token in part)
    numbered = any(any(map(str.isdigit, token.text)) for token in part) and any(token.capital for token in part)
    is_name = numbered or known or (telling >= 2 if language == "de" else telling >= 1)
    return Phrase(text[start:end], start, end, before, behind_article, is_name, all(token.aspect for token in part))
