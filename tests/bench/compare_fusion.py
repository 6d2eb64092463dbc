"""Compares ways to fuse the two sides of search by nDCG@10 on labelled sets.

    python -m tests.bench.compare_fusion DATA_DIR

Beside the sets as they are, each is measured with one side blinded, as happens in use: `words` replaces 80% of a
question's words by unknown ones (people use other words), `vectors` adds noise to the passages' vectors until
they say little (a language or field that the embedding model does not know).
"""

import argparse
import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from math import log2
from pathlib import Path

import numpy as np

from chatsphere.knowledge.retrieval.fusion import fuse
from tests.bench.labelled_sets import LabelledSet, SmallBot, read_sets

Scores = Mapping[int, float]
Fusion = Callable[[Scores, Scores, float], Scores]


def reciprocal_ranks(dense: Scores, lexical: Scores, _weight: float) -> Scores:
    """Cormack et al. 2009, with their constant of 60."""
    ranks = [{key: 1 / (60 + rank) for rank, key in enumerate(side, 1)} for side in (dense, lexical)]
    return {key: sum(side.get(key, 0.0) for side in ranks) for key in dense.keys() | lexical.keys()}


def min_max(dense: Scores, lexical: Scores, _weight: float) -> Scores:
    """Each side stretched to 0..1, equal weights."""
    stretched = [_stretched(side) for side in (dense, lexical)]
    return {key: sum(side.get(key, 0.0) for side in stretched) for key in dense.keys() | lexical.keys()}


def _stretched(side: Scores) -> Scores:
    if not side:
        return {}
    low, high = min(side.values()), max(side.values())
    return {key: (score - low) / (high - low) if high > low else 1.0 for key, score in side.items()}


FUSIONS: dict[str, Fusion] = {
    "lexical": lambda dense, lexical, weight: lexical,
    "dense": lambda dense, lexical, weight: dense,
    "RRF(60)": reciprocal_ranks,
    "min-max": min_max,
    "shares": lambda dense, lexical, weight: dict(fuse(dense, lexical, weight)),
}


def main() -> None:
    """Print a row for each set and blinding."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    print("set", "blinded", *FUSIONS, sep="\t")
    for one in read_sets(parser.parse_args().data, 10_000):
        for blinded, variant in (("", one), ("words", _other_words(one)), ("vectors", _noisy(one))):
            means = (f"{_quality(variant, fusion):.4f}" for fusion in FUSIONS.values())
            print(one.name, blinded or "-", *means, sep="\t", flush=True)


def _quality(labelled: LabelledSet, fusion: Fusion) -> float:
    bot = SmallBot(labelled, range(len(labelled.words)))
    scores = []
    for asked in labelled.questions:
        question = bot.question(asked.terms)
        fused = fusion(bot.dense(asked.vector), bot.lexical(question), question.total_weight)
        scores.append(_ndcg(sorted(fused, key=lambda key: -fused[key])[:10], asked.grades))
    return float(np.mean(scores))


def _ndcg(ranking: list[int], grades: Mapping[int, int]) -> float:
    gain = sum((2 ** grades.get(key, 0) - 1) / log2(rank + 2) for rank, key in enumerate(ranking))
    best = sorted(grades.values(), reverse=True)[:10]
    ideal = sum((2**grade - 1) / log2(rank + 2) for rank, grade in enumerate(best))
    return float(gain / ideal)


def _other_words(labelled: LabelledSet) -> LabelledSet:
    chance = random.Random(3)
    questions = [
        replace(asked, terms=tuple(f"{term}?" if chance.random() < 0.8 else term for term in asked.terms))
        for asked in labelled.questions
    ]
    return replace(labelled, questions=questions)


def _noisy(labelled: LabelledSet) -> LabelledSet:
    noise = np.random.default_rng(3).standard_normal(labelled.vectors.shape) * 0.3
    vectors = labelled.vectors + noise
    return replace(labelled, vectors=vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


if __name__ == "__main__":
    main()
