"""Fits the built-in calibrations of search's confidence to labelled sets, and shows what a threshold refuses.

    python -m tests.bench.calibrate DATA_DIR

DATA_DIR holds labelled sets, one folder each (see `labelled_sets`). Every question is put to bots of several sizes
cut from its corpus: with its relevant passages (answerable) and without them (held out: the rest of the field
stays), and a question of another set is put to the same bot (far). The questions of such sets were written by
people who had the passage before them, so for half of the examples part of the question's words are made unknown
to the index: other people use other words. `chatsphere eval calibrate` does the same to a running deployment, without
small bots and other words, with the same code for all that is computed.
"""

import argparse
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from chatsphere.adapters.minilm import MODEL
from chatsphere.cli.evaluation import logistic
from chatsphere.cli.evaluation.discrimination import expected_calibration_error, reliability, roc_auc, share_below
from chatsphere.cli.evaluation.logistic import fit
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
    names = sorted({example.set_name for example in examples})
    unseen = [0.0] * len(examples)
    for name in names:
        learned = fit([_seen(example) for example in examples if example.set_name != name])
        for place, example in enumerate(examples):
            if example.set_name == name:
                unseen[place] = learned.confidence(_seen(example))
    print("\nCross-validated (fitted on the other sets)")
    for name in names:
        chosen = [place for place, example in enumerate(examples) if example.set_name == name]
        _print_quality(name, [examples[place] for place in chosen], [unseen[place] for place in chosen])
    fitted = fit([_seen(example) for example in examples])
    print(f"\nCalibration(dense={fitted.dense:.2f}, coverage={fitted.coverage:.2f}, intercept={fitted.intercept:.2f})")
    _print_quality("all sets", examples, [fitted.confidence(_seen(example)) for example in examples])
    words = fit([replace(_seen(example), dense=0.0) for example in examples])
    print(f"\nWithout cosines: Calibration(dense=0.0, coverage={words.coverage:.2f}, intercept={words.intercept:.2f})")


def _seen(example: Example) -> logistic.Example:
    dense, coverage = example.features
    return logistic.Example(dense, coverage, example.kind == "answerable")


def _print_quality(name: str, examples: Sequence[Example], scores: Sequence[float]) -> None:
    def of(kind: str, reworded: bool | None = None) -> list[float]:
        return [
            score
            for score, example in zip(scores, examples, strict=True)
            if example.kind == kind and reworded in (None, example.reworded)
        ]

    positive, held_out, far = of("answerable"), of("held out"), of("far")
    error = expected_calibration_error(reliability(positive, held_out + far))
    print(
        f"{name}: AUC against held out {roc_auc(positive, held_out):.3f}, against far {roc_auc(positive, far):.3f},"
        f" expected calibration error {error:.3f}"
    )
    for threshold in (0.05, 0.10, 0.15, 0.20, 0.30, 0.50):
        plain, reworded = (share_below(of("answerable", each), threshold) for each in (False, True))
        print(
            f"  threshold {threshold:.2f}: falsely refused {plain:.1%} (reworded {reworded:.1%}),"
            f" rightly refused: held out {share_below(held_out, threshold):.1%}, far {share_below(far, threshold):.1%}"
        )


if __name__ == "__main__":
    main()
