"""Fits the confidence of search to labelled sets, and shows what a threshold refuses.

    python -m tests.bench.calibrate DATA_DIR

DATA_DIR holds labelled sets, one folder each (see `labelled_sets`). Every question is put to bots of several sizes
cut from its corpus: with its relevant passages (answerable) and without them (held out: the rest of the field
stays), and a question of another set is put to the same bot (far). The questions of such sets were written by
people who had the passage before them, so for half of the examples part of the question's words are made unknown
to the index: other people use other words.
"""

import argparse
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from chatsphere.adapters.minilm import MODEL
from chatsphere.knowledge.retrieval.confidence import Evidence, features
from chatsphere.knowledge.retrieval.fusion import fuse
from tests.bench.labelled_sets import Asked, LabelledSet, SmallBot, Vectors, read_sets

HITS = 8
QUESTIONS = 300
SIZES = (1, 3, 10, 40, 150)
"""Chunks of the smaller bots; each set's whole corpus comes on top."""


@dataclass(frozen=True)
class Example:
    """One search: its features, whether it was answerable, and how it came about."""

    set_name: str
    kind: str
    reworded: bool
    features: tuple[float, float]


def main() -> None:
    """Read the sets, fit, and print coefficients and refusals."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    sets = read_sets(parser.parse_args().data, QUESTIONS)
    examples = list(_examples(sets, random.Random(7)))
    print(f"{len(examples)} examples from {', '.join(s.name for s in sets)}; model {MODEL}")
    _report(examples)


def _examples(sets: Sequence[LabelledSet], chance: random.Random) -> Iterator[Example]:
    for source in sets:
        others = [question for other in sets if other is not source for question in other.questions]
        everything = range(len(source.words))
        whole = SmallBot(source, everything)
        for asked in source.questions:
            rest = [number for number in everything if number not in asked.grades]
            yield from _trio(source, asked, chance.choice(others), whole, SmallBot(source, rest), chance)
            for size in SIZES:
                if size >= len(asked.grades):
                    some = chance.sample(rest, size)
                    bot = SmallBot(source, [*asked.grades, *some[: size - len(asked.grades)]])
                    yield from _trio(source, asked, chance.choice(others), bot, SmallBot(source, some), chance)


def _trio(
    source: LabelledSet, asked: Asked, stranger: Asked, bot: SmallBot, without: SmallBot, chance: random.Random
) -> Iterator[Example]:
    """Put a question to a bot that holds its answer and to one that does not, and a strange one to the first."""
    for kind, asked_bot, question in (
        ("answerable", bot, asked),
        ("held out", without, asked),
        ("far", bot, stranger),
    ):
        reworded = chance.random() < 0.5
        unknown = chance.random() if reworded else 0.0
        terms = [f"{term}?" if chance.random() < unknown else term for term in question.terms]
        yield Example(source.name, kind, reworded, _features(asked_bot, terms, question.vector))


def _features(bot: SmallBot, terms: Sequence[str], vector: Vectors) -> tuple[float, float]:
    question, dense = bot.question(terms), bot.dense(vector)
    ranking = fuse(dense, bot.lexical(question), question.total_weight)[:HITS]
    hits = [Evidence(dense.get(number), [t for t in terms if t in bot.words[number]]) for number, _ in ranking]
    found = features(question, hits)
    return found.dense, found.coverage


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
