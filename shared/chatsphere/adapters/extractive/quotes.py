"""From ranked sentences to quotes: the best ones with what a reader needs around them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from chatsphere.adapters.extractive.selection import Reading, Scored
from chatsphere.adapters.extractive.terms import is_content_word, language_of, words

MAX_SENTENCES: Final = 3
SECOND_SHARE: Final = 0.7
"""The second sentence is quoted if it scores at least this share of the best."""

MIN_CONTENT_WORDS: Final = 3
"""A sentence with fewer says little alone: the one before it is quoted too."""

_ANAPHORA: Final = re.compile(
    r"(?:(?:it|its|they|their|them|he|his|she|her|this|these|those|such|both|either|neither|however|therefore|thus|"
    r"also|instead|otherwise|there|here|then|but|and|"
    r"er|sie|es|ihr|ihre[rnms]?|sein|seine[rnms]?|dies|diese[rnms]?|dabei|dafür|damit|deshalb|daher|jedoch|dort|aber|"
    r"ils?|elles?|ce|cette|ces|cela|leurs?|son|sa|ses|celui-ci|celle-ci|donc|cependant|ainsi|mais|"
    r"él|ella|ellos|ellas|est[ea]|est[oa]s|esto|ese|esa|eso|su|sus|también|además|pero|por eso|"
    r"egli|ella|esso|essa|ciò|tuttavia|ele|ela|isso|isto|hij|zij|het|deze|dit)\b)",
    re.IGNORECASE,
)

Place = tuple[int, int]
"""A sentence: index of its passage, position in it."""


@dataclass(frozen=True, slots=True)
class Quote:
    """The slice `[start:end]` of passage `passage` (an index)."""

    passage: int
    start: int
    end: int


def choose_quotes(ranked: Sequence[Scored], reading: Reading) -> list[Quote]:
    """Return the best one to three sentences and what they lean on, the best first; neighbours make one quote."""
    chosen: dict[Place, int] = {}
    for rank, scored in enumerate(ranked[:2]):
        if scored.score < SECOND_SHARE * ranked[0].score:
            break
        place = (scored.candidate.passage, scored.candidate.position)
        needed = {place, *_context(place, reading)} - chosen.keys()
        if chosen and len(chosen) + len(needed) > MAX_SENTENCES:
            needed = {place}
        chosen |= dict.fromkeys(needed, rank)
    runs = _runs(sorted(chosen), reading)
    runs.sort(key=lambda run: (min(chosen[place] for place in run), run))
    return [_quote(run, reading) for run in runs]


def _context(place: Place, reading: Reading) -> Iterator[Place]:
    """Yield the sentence without which this one cannot be understood."""
    passage, position = place
    sentences = reading.sentences[passage]
    sentence, text = sentences[position], reading.text(passage, position)
    if sentence.heading and position + 1 < len(sentences):
        yield passage, position + 1
    elif sentence.row:
        header = reading.header_row(passage, position)
        if header is not None:
            yield passage, header
    elif position and not sentences[position - 1].heading and _leans_back(text):
        yield passage, position - 1


def _leans_back(text: str) -> bool:
    return bool(_ANAPHORA.match(text)) or _content_words(text) < MIN_CONTENT_WORDS


def _content_words(text: str) -> int:
    language = language_of(text)
    return sum(is_content_word(word, language) for word in words(text))


def _runs(places: Sequence[Place], reading: Reading) -> list[list[Place]]:
    """Group sentences that follow each other in a paragraph, and a heading with what it stands over.

    Not across paragraphs: the next one may be on another page.
    """
    runs: list[list[Place]] = []
    for place in places:
        if runs and _continues(runs[-1][-1], place, reading):
            runs[-1].append(place)
        else:
            runs.append([place])
    return runs


def _continues(before: Place, place: Place, reading: Reading) -> bool:
    if place != (before[0], before[1] + 1):
        return False
    first, second = (reading.sentences[passage][position] for passage, position in (before, place))
    return first.block == second.block or first.heading


def _quote(run: Sequence[Place], reading: Reading) -> Quote:
    passage = run[0][0]
    first, last = (reading.sentences[passage][position] for position in (run[0][1], run[-1][1]))
    return Quote(passage, first.start, last.end)
