"""Logistic regression of two features by Newton's method: small enough to need no library."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp
from typing import Final

ROUNDS: Final = 50
RIDGE: Final = 1e-4
"""Keeps coefficients finite where the features separate the examples completely."""


@dataclass(frozen=True, slots=True)
class Example:
    """One search: the best cosine, the largest share of the question's words, and whether it was answerable."""

    dense: float
    coverage: float
    answerable: bool


@dataclass(frozen=True, slots=True)
class Fit:
    """Log-odds of answerable: intercept + dense · cosine + coverage · share."""

    dense: float
    coverage: float
    intercept: float

    def confidence(self, example: Example) -> float:
        """Return the probability, 0 to 1, that the example is answerable."""
        return _probability(self.intercept + self.dense * example.dense + self.coverage * example.coverage)


def fit(examples: Sequence[Example]) -> Fit:
    """Fit the coefficients. What a confidence means depends on how many examples are answerable: bring half of them.

    Raises:
        ValueError: all examples are of one kind.
    """
    positive = sum(example.answerable for example in examples)
    if not 0 < positive < len(examples):
        raise ValueError("examples of both kinds are needed")
    rows = [((one.dense, one.coverage, 1.0), float(one.answerable)) for one in examples]
    coefficients = [0.0, 0.0, 0.0]
    for _ in range(ROUNDS):
        step = _newton_step(rows, coefficients)
        coefficients = [value - change for value, change in zip(coefficients, step, strict=True)]
        if max(map(abs, step)) < 1e-9:
            break
    return Fit(*coefficients)


def _newton_step(
    rows: Sequence[tuple[tuple[float, float, float], float]], coefficients: Sequence[float]
) -> list[float]:
    gradient = [RIDGE * value for value in coefficients]
    curvature = [[RIDGE if row == column else 0.0 for column in range(3)] for row in range(3)]
    for features, label in rows:
        chance = _probability(sum(value * by for value, by in zip(features, coefficients, strict=True)))
        for row in range(3):
            gradient[row] += (chance - label) * features[row]
            for column in range(3):
                curvature[row][column] += chance * (1 - chance) * features[row] * features[column]
    return _solved(curvature, gradient)


def _solved(matrix: list[list[float]], right: Sequence[float]) -> list[float]:
    """Solve a small system of linear equations by Gauss's elimination with pivots."""
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    size = len(rows)
    for column in range(size):
        pivot = max(range(column, size), key=lambda row: abs(rows[row][column]))
        rows[column], rows[pivot] = rows[pivot], rows[column]
        for row in range(size):
            if row != column:
                factor = rows[row][column] / rows[column][column]
                rows[row] = [value - factor * by for value, by in zip(rows[row], rows[column], strict=True)]
    return [rows[row][size] / rows[row][row] for row in range(size)]


def _probability(odds: float) -> float:
    return 1 / (1 + exp(-max(-500.0, min(500.0, odds))))
