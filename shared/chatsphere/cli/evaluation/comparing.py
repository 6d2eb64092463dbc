"""Two versions of a bot on the same questions, question by question."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any, Final

from chatsphere.cli import metrics
from chatsphere.cli.client import Client
from chatsphere.cli.evaluation import dataset, matching
from chatsphere.cli.evaluation.asking import ask
from chatsphere.cli.evaluation.intervals import Interval, difference_of, mean_of
from chatsphere.cli.evaluation.sets import Case, cases

DEPTH: Final = 10
MEASURES: Final = ("score", "retrieval", "answers", "refusals")


@dataclass(frozen=True, slots=True)
class Marks:
    """What one version got for one question, each 0 to 1; None where the question says nothing of it.

    `retrieval`: nDCG@10 of the documents. `answers`: 1 if an expected string is in the answer, else the F1 of their
    words. `refusals`: whether it refused where it was to, and nowhere else.
    """

    retrieval: float | None
    answers: float | None
    refusals: float | None

    @property
    def score(self) -> float:
        """The mean of those that there are."""
        return fmean(mark for mark in (self.retrieval, self.answers, self.refusals) if mark is not None)


@dataclass(frozen=True, slots=True)
class Compared:
    """One measure: what each version got in the mean, and the second's difference from the first's."""

    questions: int
    first: Interval
    second: Interval
    difference: Interval

    def as_json(self) -> dict[str, Any]:
        """Return it for `--json`."""
        found = {"first": self.first, "second": self.second, "difference": self.difference}
        shown = {name: interval.as_json() for name, interval in found.items()}
        return {"questions": self.questions, **shown, "verdict": self.difference.verdict}


def cases_of(client: Client, bot_id: str, reference: str, first: int | None) -> list[Case]:
    """Return the cases of an evaluation set of the bot, or of a folder whose passages the bot holds as documents.

    Raises:
        UsageError: there is neither.
    """
    folder = Path(reference)
    if not folder.is_dir():
        return cases(client, bot_id, reference)[:first]
    known = dataset.read(folder)
    names = {passage.id: passage.name for passage in known.passages}
    return [
        Case(
            question.id,
            question.text,
            expected_answers=question.answers,
            relevant=frozenset(names[passage] for passage in question.relevant if passage in names),
        )
        for question in known.questions[:first]
    ]


def marks(client: Client, bot_id: str, case: Case, version: int, *, answers: bool) -> Marks:
    """Ask one version; without `answers` it only searches. The conversation is deleted afterwards."""
    asked: dict[str, Any] = {"bot_version": version}
    if case.history:
        asked["history"] = [dict(message) for message in case.history]
    retrieval = _retrieval(client, bot_id, case, asked) if case.relevant else None
    if not answers:
        return Marks(retrieval, None, None)
    said = ask(client, bot_id, case.question, forget=True, **asked)
    answered = None
    if case.expected_answers:
        held = matching.contains(said.text, case.expected_answers)
        answered = 1.0 if held else matching.f1(said.text, case.expected_answers)
    return Marks(retrieval, answered, float(said.answerable != case.expect_refusal))


def compare(first: Sequence[Marks], second: Sequence[Marks]) -> dict[str, Compared]:
    """Return each measure that any question says something of; both hold the same questions in the same order."""
    compared = {}
    for name in MEASURES:
        pairs = [(getattr(one, name), getattr(other, name)) for one, other in zip(first, second, strict=True)]
        known = [(one, other) for one, other in pairs if one is not None and other is not None]
        if known:
            before, after = [one for one, _ in known], [other for _, other in known]
            compared[name] = Compared(len(known), mean_of(before), mean_of(after), difference_of(after, before))
    return compared


def run(
    client: Client,
    bot_id: str,
    asked: Sequence[Case],
    versions: tuple[int, int],
    *,
    answers: bool,
    on_asked: Callable[[int], None],
) -> dict[str, Compared]:
    """Ask both versions every question, one after the other."""
    found: tuple[list[Marks], list[Marks]] = ([], [])
    for number, case in enumerate(asked, 1):
        for version, kept in zip(versions, found, strict=True):
            kept.append(marks(client, bot_id, case, version, answers=answers))
        on_asked(number)
    return compare(*found)


def _retrieval(client: Client, bot_id: str, case: Case, asked: dict[str, Any]) -> float:
    body = {"query": case.question, "limit": 50, **asked}
    hits = client.post(f"/bots/{bot_id}/search", body, repeatable=True)["data"]
    names = [hit["document_name"] if hit["document_name"] in case.relevant else hit["document_id"] for hit in hits]
    return metrics.ndcg(metrics.fold(names), dict.fromkeys(case.relevant, 1), DEPTH)
