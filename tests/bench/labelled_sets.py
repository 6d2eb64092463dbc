"""Labelled sets of passages and questions, and small bots cut from them, held in memory.

A set is a folder with corpus.jsonl, queries.jsonl and qrels.tsv. The bots use the product's own pieces: its
lexemes (from a scratch PostgreSQL), its embedder, its term weights.
"""

import json
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psycopg
from numpy.typing import NDArray

from chatsphere.adapters.minilm import MiniLmEmbedder
from chatsphere.knowledge.retrieval.lexical import Question
from chatsphere.knowledge.retrieval.settings import CANDIDATES
from chatsphere.knowledge.retrieval.words import Term
from tests.postgres import fresh_database, running_server

LEXEMES = """
SELECT COALESCE(jsonb_object_agg(lexeme, cardinality(positions)), '{}')
FROM unnest(app.lexemes('{}', %s))
"""

Vectors = NDArray[np.float64]
Words = dict[str, int]
Analyser = Callable[[str], Words]


@dataclass(frozen=True)
class Asked:
    """A question: its lexemes, its vector, and the numbers of its relevant passages with their grades."""

    terms: tuple[str, ...]
    vector: Vectors
    grades: dict[int, int]


@dataclass(frozen=True)
class LabelledSet:
    """A corpus as both indexes see it, and its questions."""

    name: str
    words: list[Words]
    vectors: Vectors
    questions: list[Asked]


class SmallBot:
    """A few passages of a set."""

    def __init__(self, source: LabelledSet, members: Sequence[int]) -> None:
        self.words = [source.words[member] for member in members]
        self._vectors = source.vectors[list(members)]
        lengths = np.array([sum(words.values()) for words in self.words], dtype=float)
        self._average = max(float(lengths.mean()), 1.0)
        self._norms = 1.5 * (0.25 + 0.75 * lengths / self._average)
        self._postings: dict[str, list[int]] = {}
        for number, words in enumerate(self.words):
            for word in words:
                self._postings.setdefault(word, []).append(number)

    def question(self, terms: Sequence[str]) -> Question:
        """Return the question as the bot's lexical index sees it."""
        known = tuple(Term(term, len(self._postings.get(term, ()))) for term in terms)
        return Question(known, len(self.words), self._average)

    def dense(self, vector: Vectors) -> dict[int, float]:
        """Return the nearest passages with their cosines, best first."""
        cosines = self._vectors @ vector
        return {int(number): float(cosines[number]) for number in np.argsort(-cosines, kind="stable")[:CANDIDATES]}

    def lexical(self, question: Question) -> dict[int, float]:
        """Return the passages with the best BM25 scores, best first."""
        scores: dict[int, float] = {}
        for term in question.terms:
            for number in self._postings.get(term.lexeme, ()):
                frequency = self.words[number][term.lexeme]
                weight = question.weight(term) * frequency / (frequency + self._norms[number])
                scores[number] = scores.get(number, 0.0) + weight
        return dict(sorted(scores.items(), key=lambda score: (-score[1], score[0]))[:CANDIDATES])


def read_sets(data: Path, questions: int) -> list[LabelledSet]:
    """Read and embed every set under `data`, each with at most so many questions."""
    folders = sorted(path for path in data.iterdir() if (path / "qrels.tsv").exists())
    with analyser() as lexemes:
        return [_read(folder, lexemes, questions) for folder in folders]


@contextmanager
def analyser() -> Iterator[Analyser]:
    """Return what makes a text the lexemes of the product, by a scratch PostgreSQL."""
    with running_server() as server, fresh_database(server) as urls, psycopg.connect(urls.admin) as connection:

        def analyse(text: str) -> Words:
            row = connection.execute(LEXEMES, (text,)).fetchone()
            assert row is not None
            words: Words = row[0]
            return words

        yield analyse


def _read(folder: Path, lexemes: Analyser, questions: int) -> LabelledSet:
    embedder = MiniLmEmbedder()
    corpus = [json.loads(line) for line in (folder / "corpus.jsonl").open()]
    numbers = {passage["id"]: number for number, passage in enumerate(corpus)}
    grades: dict[str, dict[int, int]] = {}
    for line in (folder / "qrels.tsv").open():
        query, passage, grade = line.split("\t")
        if int(grade) > 0 and passage in numbers:
            grades.setdefault(query, {})[numbers[passage]] = int(grade)
    queries = [json.loads(line) for line in (folder / "queries.jsonl").open()]
    labelled = [query for query in queries if query["id"] in grades]
    chosen = random.Random(7).sample(labelled, min(questions, len(labelled)))
    texts = [_text(passage["title"], passage["text"]) for passage in corpus]
    print(f"embedding {len(texts)} passages and {len(chosen)} questions of {folder.name}", flush=True)
    return LabelledSet(
        folder.name,
        [lexemes(text) for text in texts],
        np.array(embedder.embed_documents(texts)),
        [
            Asked(tuple(lexemes(query["text"])), np.array(embedder.embed_query(query["text"])), grades[query["id"]])
            for query in chosen
        ],
    )


def _text(title: str, text: str) -> str:
    """Return the passage as `chatsphere eval` loads it."""
    return f"{title}\n\n{text}" if title and not text.startswith(title) else text
