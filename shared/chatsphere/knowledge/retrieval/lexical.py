"""BM25 over the lexical index: which chunks of a bot share the question's words, rare words counting most."""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import log
from typing import Final
from uuid import UUID

from chatsphere.db.database import Connection
from chatsphere.knowledge.retrieval.words import Term, terms_of

MAX_TERMS: Final = 64
"""Distinct terms of a question that are looked up, the rarest first: bounds what a pasted page can cost."""

MAX_POSTINGS: Final = 20_000
"""Occurrences that a search walks through, of the rarest terms first. The terms left over, which weigh least,
do not find chunks; they do count in the scores of those that the others found."""

# A question's lexemes, as each language of the bot has them, with their document frequencies in the bot.
STATISTICS = "SELECT * FROM app.lexical_question(%(bot_id)s, %(question)s)"

SEARCH = """
SELECT * FROM app.lexical_search(
    %(bot_id)s, %(lexemes)s, %(weights)s, %(scanned)s, %(average_length)s, %(documents)s, %(limit)s)
"""

# Where a word of the question has several lexemes.
SEARCH_WORDS = """
SELECT * FROM app.lexical_search(
    %(bot_id)s, %(lexemes)s, %(words)s, %(weights)s, %(scanned)s, %(average_length)s, %(documents)s, %(limit)s)
"""


@dataclass(frozen=True, slots=True)
class Question:
    """A question as the lexical index sees it: its terms, and the size of the bot that it is put to.

    `configurations`: PostgreSQL's text search configurations of the bot's documents, by which it was analysed.
    """

    terms: tuple[Term, ...] = ()
    chunk_count: int = 0
    average_length: float = 0.0
    configurations: tuple[str, ...] = ()

    def weight(self, term: Term) -> float:
        """Return the inverse document frequency (Lucene's form: never negative)."""
        return log(1 + (self.chunk_count - term.document_frequency + 0.5) / (term.document_frequency + 0.5))

    @property
    def total_weight(self) -> float:
        """Weight of all terms, those that no chunk has included."""
        return sum(self.weight(term) for term in self.terms)

    @property
    def lexemes(self) -> list[str]:
        """All that stands for a term in the index."""
        return [lexeme for term in self.terms for lexeme in term.lexemes]

    def terms_among(self, lexemes: Iterable[str]) -> frozenset[str]:
        """Return the terms that these lexemes stand for, by name."""
        found = set(lexemes)
        return frozenset(term.lexeme for term in self.terms if not found.isdisjoint(term.lexemes))


@dataclass(frozen=True, slots=True)
class LexicalMatch:
    """A chunk and its BM25 score."""

    chunk_id: UUID
    score: float


def analyse(connection: Connection, bot_id: UUID, question: str) -> Question:
    """Return the question's terms with their frequencies in the bot."""
    rows = connection.execute(STATISTICS, {"bot_id": bot_id, "question": question}).fetchall()
    if not rows:
        return Question()
    chunks, length = rows[0]["chunk_count"], rows[0]["total_length"]
    terms = sorted(terms_of(rows, chunks), key=_by_rarity)
    configurations = tuple(sorted({row["configuration"] for row in rows}))
    return Question(tuple(terms[:MAX_TERMS]), chunks, length / chunks if chunks else 0.0, configurations)


def search_lexical(
    connection: Connection, bot_id: UUID, question: Question, *, limit: int, documents: Collection[UUID] | None
) -> Sequence[LexicalMatch]:
    """Return up to `limit` chunks that share a term with the question, by BM25, best first."""
    terms = [term for term in question.terms if term.document_frequency]
    if not terms:
        return []
    lexemes = [(lexeme, number) for number, term in enumerate(terms) for lexeme in term.lexemes]
    parameters = {
        "bot_id": bot_id,
        "lexemes": [lexeme for lexeme, _ in lexemes],
        "words": [number for _, number in lexemes],
        "weights": [question.weight(terms[number]) for _, number in lexemes],
        "scanned": sum(len(term.lexemes) for term in terms[: _scanned(terms)]),
        "average_length": question.average_length,
        "documents": None if documents is None else list(documents),
        "limit": limit,
    }
    rows = connection.execute(SEARCH if len(lexemes) == len(terms) else SEARCH_WORDS, parameters)
    matches = [LexicalMatch(row["chunk_id"], row["score"]) for row in rows]
    return sorted(matches, key=lambda match: (-match.score, match.chunk_id))[:limit]


def _scanned(terms: Sequence[Term]) -> int:
    """Return how many of the terms, in order of rarity, are looked up; at least one."""
    totals = accumulate(term.document_frequency for term in terms)
    return max(1, bisect_right(list(totals), MAX_POSTINGS))


def _by_rarity(term: Term) -> tuple[int, str]:
    return term.document_frequency, term.lexeme
