"""A step is a word and some numbers, and every such step can be done: the numbers choose among what there is.

So any list of steps is a sequence, and so is any part of it, which lets hypothesis find the shortest that fails.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final, TypeVar

Item = TypeVar("Item")

NUMBERS: Final = 7
"""How many choices a step may make."""

HIGHEST: Final = 1 << 12


@dataclass(frozen=True)
class Step:
    """What is done, and by which choices."""

    action: str
    numbers: tuple[int, ...]


class Choices:
    """A step's numbers, used one after the other."""

    def __init__(self, step: Step) -> None:
        self._left = list(step.numbers)

    def number(self, below: int) -> int:
        return self._left.pop(0) % below if self._left else 0

    def one(self, items: Sequence[Item]) -> Item:
        return items[self.number(len(items))]

    def mostly(self, likely: Sequence[Item], everything: Sequence[Item]) -> Item:
        """Choose among the likely ones seven times of eight, and among all otherwise."""
        number = self.number(HIGHEST)
        items = likely if likely and number % 8 else everything
        return items[number // 8 % len(items)]


def random_steps(random: Random, actions: Sequence[str], count: int) -> list[Step]:
    return [
        Step(random.choice(actions), tuple(random.randrange(HIGHEST) for _ in range(NUMBERS))) for _ in range(count)
    ]
