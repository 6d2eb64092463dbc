"""Fitting what a cosine and a share of words are worth, on searches whose answer is known to be there, or not to be.

Of each set two bots are made, each without the passages that answer half of the questions. So every question is put to
a bot that holds its answer, and also to one that does not: the other half of the field (`held-out`), or a bot of
another set (`far`). There are as many examples that are answerable as are not.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from chatsphere.cli.client import Client
from chatsphere.cli.errors import CliError
from chatsphere.cli.evaluation.dataset import Dataset, Question
from chatsphere.cli.evaluation.discrimination import highest_threshold
from chatsphere.cli.evaluation.logistic import Example, Fit, fit

MOST_FALSE: Final = 0.02
"""The share of answerable questions that a threshold may refuse."""

FOLDS: Final = 5
"""Parts of a single set, each judged by what the others were fitted to; of several sets each is a part."""

HELD_OUT: Final = "held-out"
FAR: Final = "far"
ANSWERABLE: Final = "answerable"


@dataclass(frozen=True, slots=True)
class Search:
    """One search: how it came about, of which set, and what was seen of it."""

    kind: str
    set_name: str
    question_id: str
    example: Example


@dataclass(frozen=True, slots=True)
class Halves:
    """A set's questions in two halves; `without` of each: the passages that answer it, which its bot does not hold."""

    dataset: Dataset
    questions: tuple[list[Question], list[Question]]

    @property
    def without(self) -> tuple[set[str], set[str]]:
        """Return the passages that answer each half."""
        first, second = ({passage for one in half for passage in one.relevant} for half in self.questions)
        return first, second


def halves(dataset: Dataset) -> Halves:
    """Cut a set in two, so that no passage answers questions of both halves; a question that would is left out."""
    of_passage: dict[str, int] = {}
    parts: tuple[list[Question], list[Question]] = ([], [])
    for question in dataset.questions:
        known = {of_passage[passage] for passage in question.relevant if passage in of_passage}
        if len(known) > 1:
            continue
        half = known.pop() if known else int(len(parts[0]) > len(parts[1]))
        of_passage |= dict.fromkeys(question.relevant, half)
        parts[half].append(question)
    if not all(parts):
        raise CliError(f"The passages of {dataset.name} cannot be cut in two.", code="too_small")
    return Halves(dataset, parts)


def searches(
    client: Client, bots: tuple[str, str], cut: Halves, strangers: Sequence[Question], on_asked: Callable[[int], None]
) -> Iterator[Search]:
    """Yield two searches a question. `bots` lack what answers the first and the second half; `strangers` ask far."""
    done = 0
    for half, questions in enumerate(cut.questions):
        for place, question in enumerate(questions):
            held, lacking = bots[1 - half], bots[half]
            yield _search(client, held, cut, question, ANSWERABLE)
            if strangers and place % 2:
                yield _search(client, held, cut, strangers[done % len(strangers)], FAR)
            else:
                yield _search(client, lacking, cut, question, HELD_OUT)
            done += 1
            on_asked(done)


def _search(client: Client, bot_id: str, cut: Halves, question: Question, kind: str) -> Search:
    body = client.post(f"/bots/{bot_id}/search", {"query": question.text, "explain": True}, repeatable=True)
    features = body["explanation"]["features"] or {"dense": 0.0, "coverage": 0.0}
    example = Example(float(features["dense"]), float(features["coverage"]), kind == ANSWERABLE)
    return Search(kind, cut.dataset.name, question.id, example)


@dataclass(frozen=True, slots=True)
class Calibrated:
    """The fit to all searches, its threshold, and the confidence of each search by a fit that had not seen it."""

    fit: Fit
    threshold: float
    unseen: Sequence[float]


def calibrate(found: Sequence[Search]) -> Calibrated:
    """Fit all searches, and judge by fits to parts of them."""
    names = sorted({one.set_name for one in found})
    parts = [one.set_name if len(names) > 1 else str(place // 2 % FOLDS) for place, one in enumerate(found)]
    unseen = [0.0] * len(found)
    for part in sorted(set(parts)):
        learned = fit([one.example for one, own in zip(found, parts, strict=True) if own != part])
        for place, one in enumerate(found):
            if parts[place] == part:
                unseen[place] = learned.confidence(one.example)
    positive = [score for score, one in zip(unseen, found, strict=True) if one.example.answerable]
    return Calibrated(fit([one.example for one in found]), highest_threshold(positive, most_false=MOST_FALSE), unseen)
