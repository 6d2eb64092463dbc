"""Fits the confidence of search to labelled sets, and shows what a threshold refuses.

    python -m tests.bench.calibrate DATA_DIR

DATA_DIR holds sets in the form of corpus.jsonl, queries.jsonl and qrels.tsv, one folder each. Every question is
put to bots of several sizes cut from its corpus: with its relevant passages (answerable), without them (hard:
the rest of the field stays), and a question of another set is put to the same bot (far). The questions of such
sets were written by people who had the passage before them, so for half of the examples part of the question's
words are made unknown to the index: other people use other words.
"""

import argparse
import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psycopg
from numpy.typing import NDArray

from chatsphere.adapters.minilm import MODEL, MiniLmEmbedder
from chatsphere.knowledge.retrieval.confidence import Evidence, features
from chatsphere.knowledge.retrieval.fusion import CANDIDATES, fuse
from chatsphere.knowledge.retrieval.lexical import Question, Term
from tests.postgres import fresh_database, running_server

HITS = 8
QUESTIONS = 300
SIZES = (1, 3, 10, 40, 150)
"""Chunks of the smaller bots; each set's whole corpus comes on top."""

LEXEMES = """
SELECT COALESCE(jsonb_object_agg(lexeme, cardinality(positions)), '{}')
FROM unnest(app.lexemes('{}', %s))
"""

Vectors = NDArray[np.float64]
Words = dict[str, int]


@dataclass(frozen=True)
class Asked:
    """A question: its lexemes, its vector, and the numbers of its relevant passages."""

    terms: tuple[str, ...]
    vector: Vectors
    relevant: frozenset[int]


@dataclass(frozen=True)
class LabelledSet:
    """A corpus as both indexes see it, and its questions."""

    name: str
    words: list[Words]
    vectors: Vectors
    questions: list[Asked]


@dataclass(frozen=True)
class Example:
    """One search: its features, whether it was answerable, and how it came about."""

    set_name: str
    kind: str
    reworded: bool
    features: tuple[float, float]


class SmallBot:
    """A bot held in memory: the product's fusion and features over a few passages of a set."""

    def __init__(self, source: LabelledSet, members: Sequence[int]) -> None:
        self._words = [source.words[member] for member in members]
        self._vectors = source.vectors[list(members)]
        lengths = np.array([sum(words.values()) for words in self._words], dtype=float)
        self._average = max(float(lengths.mean()), 1.0)
        self._norms = 1.5 * (0.25 + 0.75 * lengths / self._average)
        self._postings: dict[str, list[int]] = {}
        for number, words in enumerate(self._words):
            for word in words:
                self._postings.setdefault(word, []).append(number)

    def search(self, terms: Sequence[str], vector: Vectors) -> tuple[float, float]:
        """Return the features of the search for a question."""
        question = Question(
            tuple(Term(term, len(self._postings.get(term, ()))) for term in terms), len(self._words), self._average
        )
        cosines = self._vectors @ vector
        nearest = np.argsort(-cosines, kind="stable")[:CANDIDATES]
        dense = {int(number): float(cosines[number]) for number in nearest}
        ranking = fuse(dense, self._bm25(question), question.total_weight)[:HITS]
        hits = [Evidence(dense.get(n), [t for t in terms if t in self._words[n]]) for n, _ in ranking]
        found = features(question, hits)
        return found.dense, found.coverage

    def _bm25(self, question: Question) -> dict[int, float]:
        scores: dict[int, float] = {}
        for term in question.terms:
            for number in self._postings.get(term.lexeme, ()):
                frequency = self._words[number][term.lexeme]
                weight = question.weight(term) * frequency / (frequency + self._norms[number])
                scores[number] = scores.get(number, 0.0) + weight
        best = sorted(scores.items(), key=lambda score: (-score[1], score[0]))
        return dict(best[:CANDIDATES])


def main() -> None:
    """Read the sets, fit, and print coefficients and refusals."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    folders = sorted(path for path in parser.parse_args().data.iterdir() if (path / "qrels.tsv").exists())
    with running_server() as server, fresh_database(server) as urls, psycopg.connect(urls.admin) as connection:

        def lexemes(text: str) -> Words:
            row = connection.execute(LEXEMES, (text,)).fetchone()
            assert row is not None
            words: Words = row[0]
            return words

        sets = [_read(folder, lexemes) for folder in folders]
    examples = list(_examples(sets, random.Random(7)))
    print(f"{len(examples)} examples from {', '.join(s.name for s in sets)}; model {MODEL}")
    _report(examples)


def _read(folder: Path, lexemes: Callable[[str], Words]) -> LabelledSet:
    embedder = MiniLmEmbedder()
    corpus = [json.loads(line) for line in (folder / "corpus.jsonl").open()]
    numbers = {passage["id"]: number for number, passage in enumerate(corpus)}
    relevant: dict[str, set[int]] = {}
    for line in (folder / "qrels.tsv").open():
        query, passage, grade = line.split("\t")
        if int(grade) > 0 and passage in numbers:
            relevant.setdefault(query, set()).add(numbers[passage])
    queries = [json.loads(line) for line in (folder / "queries.jsonl").open()]
    labelled = [query for query in queries if query["id"] in relevant]
    texts = [f"{passage['title']}\n{passage['text']}".strip() for passage in corpus]
    chosen = random.Random(7).sample(labelled, min(QUESTIONS, len(labelled)))
    print(f"embedding {len(texts)} passages and {len(chosen)} questions of {folder.name}", flush=True)
    return LabelledSet(
        folder.name,
        [lexemes(text) for text in texts],
        np.array(embedder.embed_documents(texts)),
        [
            Asked(tuple(lexemes(q["text"])), np.array(embedder.embed_query(q["text"])), frozenset(relevant[q["id"]]))
            for q in chosen
        ],
    )


def _examples(sets: Sequence[LabelledSet], chance: random.Random) -> Iterator[Example]:
    for source in sets:
        others = [question for other in sets if other is not source for question in other.questions]
        everything = range(len(source.words))
        whole = SmallBot(source, everything)
        for asked in source.questions:
            rest = [number for number in everything if number not in asked.relevant]
            stranger = chance.choice(others)
            held_out = SmallBot(source, rest)
            for kind, bot, question in (
                ("answerable", whole, asked),
                ("held out", held_out, asked),
                ("far", whole, stranger),
            ):
                yield _example(source, kind, bot, question, chance)
            for size in SIZES:
                if size < len(asked.relevant):
                    continue
                some = chance.sample(rest, size)
                with_answer = SmallBot(source, [*asked.relevant, *some[: size - len(asked.relevant)]])
                stranger = chance.choice(others)
                for kind, bot, question in (
                    ("answerable", with_answer, asked),
                    ("held out", SmallBot(source, some), asked),
                    ("far", with_answer, stranger),
                ):
                    yield _example(source, kind, bot, question, chance)


def _example(source: LabelledSet, kind: str, bot: SmallBot, asked: Asked, chance: random.Random) -> Example:
    reworded = chance.random() < 0.5
    unknown = chance.random() if reworded else 0.0
    terms = [f"{term}?" if chance.random() < unknown else term for term in asked.terms]
    return Example(source.name, kind, reworded, bot.search(terms, asked.vector))


def _report(examples: Sequence[Example]) -> None:
    inputs = np.array([[*example.features, 1.0] for example in examples])
    answerable = np.array([example.kind == "answerable" for example in examples])
    origin = np.array([example.set_name for example in examples])
    held_out_scores = np.zeros(len(examples))
    for name in sorted(set(origin)):
        test = origin == name
        held_out_scores[test] = _probability(inputs[test] @ _fit(inputs[~test], answerable[~test]))
    print("\nCross-validated (fitted on the other sets)")
    for name in sorted(set(origin)):
        _print_quality(name, examples, held_out_scores, origin == name)
    coefficients = _fit(inputs, answerable)
    dense, coverage, intercept = coefficients
    print(f"\nCalibration(dense={dense:.2f}, coverage={coverage:.2f}, intercept={intercept:.2f})")
    _print_quality("all sets", examples, _probability(inputs @ coefficients), np.full(len(examples), True))
    coverage, intercept = _fit(inputs[:, 1:], answerable)
    print(f"\nWithout cosines: Calibration(dense=0.0, coverage={coverage:.2f}, intercept={intercept:.2f})")


def _print_quality(name: str, examples: Sequence[Example], scores: Vectors, chosen: NDArray[np.bool_]) -> None:
    kinds = np.array([example.kind for example in examples])
    reworded = np.array([example.reworded for example in examples])
    answerable = kinds == "answerable"
    accuracy = float(np.mean((scores >= 0.5) == answerable, where=chosen))
    print(
        f"{name}: accuracy at 0.5 {accuracy:.3f},"
        f" AUC against held out {_auc(scores, chosen & answerable, chosen & (kinds == 'held out')):.3f},"
        f" against far {_auc(scores, chosen & answerable, chosen & (kinds == 'far')):.3f}"
    )
    for threshold in (0.05, 0.10, 0.15, 0.20, 0.30, 0.50):
        refused = scores < threshold
        rates = [
            float(refused[chosen & which].mean())
            for which in (answerable & ~reworded, answerable & reworded, kinds == "held out", kinds == "far")
        ]
        print(
            f"  threshold {threshold:.2f}: falsely refused {rates[0]:.1%} (reworded {rates[1]:.1%}),"
            f" rightly refused: held out {rates[2]:.1%}, far {rates[3]:.1%}"
        )


def _fit(inputs: Vectors, labels: NDArray[np.bool_]) -> Vectors:
    """Return the coefficients of a logistic regression, by Newton's method."""
    coefficients = np.zeros(inputs.shape[1])
    for _ in range(30):
        probability = _probability(inputs @ coefficients)
        gradient = inputs.T @ (probability - labels)
        curvature = (inputs * (probability * (1 - probability))[:, None]).T @ inputs
        coefficients -= np.linalg.solve(curvature + 1e-6 * np.eye(len(coefficients)), gradient)
    return coefficients


def _probability(odds: Vectors) -> Vectors:
    return np.asarray(1 / (1 + np.exp(-odds)))


def _auc(scores: Vectors, positive: NDArray[np.bool_], negative: NDArray[np.bool_]) -> float:
    """Return the chance that a positive example scores above a negative one."""
    ranks = np.searchsorted(np.sort(scores[negative]), scores[positive])
    return float(ranks.mean() / negative.sum())


if __name__ == "__main__":
    main()
