"""Which sentences answer the question: meaning, shared words and the passage's rank, mixed."""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import Final

from chatsphere.adapters.extractive.sentences import Sentence, split_sentences
from chatsphere.adapters.extractive.terms import language_of, terms
from chatsphere.ports.answers import SourcePassage
from chatsphere.ports.embedding import Embedder, Vector

MAX_EMBEDDED: Final = 12
"""Sentences that are embedded for one answer, those that share most with the question (32 found no more)."""

DENSE_WEIGHT: Final = 0.5
LEXICAL_WEIGHT: Final = 0.35
RANK_WEIGHT: Final = 0.1
KIND_WEIGHT: Final = 0.1
HEADING_SHARE: Final = 0.5
"""A word found in the heading or the sentence before counts this much: it is what the sentence is about."""

_NUMBER: Final = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|hundred|thousand|million|half|twice|"
    r"zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|elf|zwölf|hundert|tausend|million(?:en)?|milliarden?|doppelt|"
    r"deux|trois|quatre|cinq|sept|huit|neuf|dix|onze|douze|quinze|vingt|trente|quarante|cinquante|"
    r"soixante|cent|mille|moitié|"
    r"dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|once|doce|veinte|treinta|cuarenta|cincuenta|"
    r"noventa|cien|ciento|mil|"
    r"due|tre|quattro|cinque|sei|sette|otto|nove|dieci|venti|cento|mila|twee|drie|vijf|zes|zeven|negen|tien|honderd|"
    r"dois|duas|três|quatro|sete|oito|dez|vinte|cem)\b",
    re.IGNORECASE,
)
_NAME: Final = re.compile(r"(?<=[\w,;] )[A-ZÀ-ÖØ-Þ]\w+")
_ASKS_NUMBER: Final = re.compile(
    r"\b(?:how (?:many|much|long|old|often|far|big|large|high|tall|fast|deep|wide|heavy)|what (?:percentage|number|"
    r"percent|amount|price|cost|year|date|time|day|age)|(?:which|what|in which) (?:year|date|day|century)|when|"
    r"wie ?(?:viele?|lange?|alt|oft|weit|groß|hoch|schnell|tief|breit|schwer|teuer)|wann|was kostet|"
    r"welche[snm]? (?:jahr|datum|tag)|"
    r"combien|quand|quel(?:le)? (?:année|âge|prix|date|jour|heure|taille|pourcentage)|"
    r"cu[aá]nt[oa]s?|cu[aá]ndo|qu[eé] (?:año|fecha|día|edad|porcentaje)|quant[oaie]|quando|che anno|hoeveel|wanneer|"
    r"quant[oa]s?|que ano)\b",
    re.IGNORECASE,
)
_ASKS_NAME: Final = re.compile(
    r"\b(?:who|whom|whose|where|which (?:city|country|person|company|state)|wer|wen|wem|wessen|woher|wohin|"
    r"qui|où|quel(?:le)? (?:ville|pays|personne)|quién(?:es)?|d[oó]nde|qu[eé] (?:ciudad|país)|chi|"
    r"dove|quem|onde|waar)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence of passage `passage` (an index) with the words it shares with the question."""

    passage: int
    position: int
    sentence: Sentence
    lexical: float


@dataclass(frozen=True, slots=True)
class Scored:
    """A candidate with its final score, about 0 to 1."""

    candidate: Candidate
    score: float
    dense: float


@dataclass(frozen=True, slots=True)
class Reading:
    """The passages, cut into sentences."""

    passages: Sequence[SourcePassage]
    sentences: Sequence[Sequence[Sentence]]

    @classmethod
    def of(cls, passages: Sequence[SourcePassage]) -> "Reading":
        """Cut each passage."""
        return cls(passages, [split_sentences(passage.content) for passage in passages])

    def text(self, passage: int, position: int) -> str:
        """Return one sentence's text."""
        sentence = self.sentences[passage][position]
        return self.passages[passage].content[sentence.start : sentence.end]

    def header_row(self, passage: int, position: int) -> int | None:
        """Return the position of the row that names the columns of this row; None where this is none or the same.

        It is a table's first row, unless that holds numbers.
        """
        sentences = self.sentences[passage]
        first = bisect_left(sentences, sentences[position].block, key=lambda sentence: sentence.block)
        if first == position or not (sentences[position].row and sentences[first].row):
            return None
        return None if re.search(r"\d", self.text(passage, first)) else first


def rank_sentences(question: str, reading: Reading, embedder: Embedder) -> list[Scored]:
    """Return the most promising sentences, best first."""
    candidates = sorted(_candidates(question, reading), key=lambda c: -c.lexical + 0.02 * c.passage)[:MAX_EMBEDDED]
    if not candidates:
        return []
    query = embedder.embed_query(question)
    texts = [_in_context(reading, candidate) for candidate in candidates]
    vectors = embedder.embed_documents(texts)
    scored = [
        _score(question, reading, candidate, dot(query, vector))
        for candidate, vector in zip(candidates, vectors, strict=True)
    ]
    return sorted(scored, key=lambda s: -s.score)


def _score(question: str, reading: Reading, candidate: Candidate, dense: float) -> Scored:
    text = reading.text(candidate.passage, candidate.position)
    score = (
        DENSE_WEIGHT * max(dense, 0.0)
        + LEXICAL_WEIGHT * candidate.lexical
        + RANK_WEIGHT / (1 + candidate.passage)
        + KIND_WEIGHT * _is_of_kind(question, text)
    )
    return Scored(candidate, score, dense)


def _candidates(question: str, reading: Reading) -> list[Candidate]:
    """Weigh each sentence by the share of the question's words in it, rare words counting more."""
    language = language_of(question)
    wanted = terms(question, language)
    found = [
        [terms(reading.text(number, position), language) for position in range(len(sentences))]
        for number, sentences in enumerate(reading.sentences)
    ]
    frequency = Counter(term for sentences in found for words in sentences for term in words & wanted)
    count = sum(map(len, found))
    weight = {term: log(1 + (count - frequency[term] + 0.5) / (frequency[term] + 0.5)) for term in wanted}
    total = sum(weight.values()) or 1.0
    return [
        Candidate(number, position, reading.sentences[number][position], _overlap(words, context, weight) / total)
        for number, sentences in enumerate(found)
        for position, (words, context) in enumerate(
            zip(sentences, _contexts(reading, number, sentences, language), strict=True)
        )
        if words and not _only_names_columns(reading, number, position)
    ]


def _only_names_columns(reading: Reading, number: int, position: int) -> bool:
    """Return whether the sentence is the header of a table: it is quoted with a row, never alone."""
    following = position + 1
    return following < len(reading.sentences[number]) and reading.header_row(number, following) == position


def _overlap(words: set[str], context: set[str], weight: dict[str, float]) -> float:
    return sum(
        value * (1.0 if term in words else HEADING_SHARE if term in context else 0.0) for term, value in weight.items()
    )


def _contexts(reading: Reading, number: int, sentences: Sequence[set[str]], language: str) -> list[set[str]]:
    """Return for each sentence the words of what stands above it: title, headings, the sentence before."""
    passage = reading.passages[number]
    above = terms(f"{passage.document_name} {passage.heading or ''}", language)
    contexts: list[set[str]] = []
    previous: set[str] = set()
    for position, (sentence, words) in enumerate(zip(reading.sentences[number], sentences, strict=True)):
        header = reading.header_row(number, position)
        contexts.append(above | previous if header is None else above | sentences[header])
        if sentence.heading:
            above = above | words
        previous = words
    return contexts


def _in_context(reading: Reading, candidate: Candidate) -> str:
    """Return what is embedded: the sentence under its heading, as a reader meets it."""
    text = reading.text(candidate.passage, candidate.position)
    heading = reading.passages[candidate.passage].heading
    return f"{heading}: {text}" if heading and len(text) < 200 else text


def _is_of_kind(question: str, text: str) -> bool:
    """Return whether the sentence holds the kind of thing asked for: a number or date, or a name."""
    if _ASKS_NUMBER.search(question):
        return bool(_NUMBER.search(text))
    return bool(_ASKS_NAME.search(question) and _NAME.search(text))


def dot(left: Vector, right: Vector) -> float:
    """Return the cosine of two unit vectors."""
    return sum(a * b for a, b in zip(left, right, strict=True))
