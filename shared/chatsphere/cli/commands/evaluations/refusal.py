"""`chatsphere eval refusal`: whether a bot's confidence tells what its documents hold from what they do not."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chatsphere.cli.commands.evaluations.options import (
    DirArgument,
    FirstOption,
    KeepOption,
    RequireOption,
    TimeoutOption,
)
from chatsphere.cli.commands.evaluations.verdicts import Promise, exit_code, show_promises
from chatsphere.cli.errors import ExitCode
from chatsphere.cli.output import Rows
from chatsphere.cli.progress import bars
from chatsphere.cli.session import Session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from chatsphere.cli.evaluation.asking import Answer
    from chatsphere.cli.evaluation.dataset import Dataset, Question
    from chatsphere.cli.evaluation.intervals import Interval
    from chatsphere.cli.progress import Bars

LEAST_AUC = 0.9
HELD_OUT = "held-out"
FAR = "far"


def evaluate(
    session: Session,
    folder: DirArgument,
    far: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Another set: its passages have nothing to do with these questions."),
    ] = None,
    first: FirstOption = None,
    keep: KeepOption = False,
    timeout: TimeoutOption = 3600,
    require: RequireOption = False,
) -> ExitCode:
    """Ask a bot that holds the answers, one that holds everything else of the set, and one that holds another set."""
    from chatsphere.cli.evaluation import dataset

    asked = dataset.read(folder).first(first)
    answering = {passage for question in asked.questions for passage in question.relevant}
    others = {HELD_OUT: asked.without(answering)} if len(answering) < len(asked.loadable) else {}
    if far is not None:
        others[FAR] = dataset.read(far)
    with bars(session.output) as shown:
        known = _asked(session, asked, asked.questions, keep=keep, timeout=timeout, shown=shown)
        unknown = {
            kind: _asked(session, other, asked.questions, keep=keep, timeout=timeout, shown=shown)
            for kind, other in others.items()
        }
    measured = {kind: _measured(known, answers) for kind, answers in unknown.items()}
    promises = [
        Promise(f"{kind}: area under the ROC curve", found["auc"].value, LEAST_AUC) for kind, found in measured.items()
    ]
    report = {
        "set": asked.name,
        "questions": len(asked.questions),
        "passages": len(asked.loadable),
        "kinds": {
            kind: {name: value.as_json() for name, value in found.items()} | _calibration(known, unknown[kind])
            for kind, found in measured.items()
        },
        "promises": [promise.as_json() for promise in promises],
    }
    session.output.result(report, lambda console: _show(console, report, promises))
    return exit_code(promises, required=require)


def _asked(
    session: Session, held: "Dataset", questions: "Sequence[Question]", *, keep: bool, timeout: float, shown: "Bars"
) -> "list[Answer]":
    """Return what a bot that holds this set's passages says to the questions."""
    from chatsphere.cli.evaluation import asking, loading

    client = session.client.patient()
    with loading.bot_for(client, held, None, keep=keep) as bot_id:
        loading.loaded(client, bot_id, held, timeout=timeout, shown=shown)
        return asking.ask_all(client, bot_id, questions, shown.add(f"{held.name}: asked", len(questions)))


def _measured(known: "Sequence[Answer]", unknown: "Sequence[Answer]") -> "dict[str, Interval]":
    """Return the area, and which share of both is answered wrongly by the bot as it is: with its own threshold."""
    from chatsphere.cli.evaluation.discrimination import roc_auc
    from chatsphere.cli.evaluation.intervals import mean_of, resampled_pairs

    positive, negative = ([answer.confidence for answer in answers] for answers in (known, unknown))
    return {
        "auc": resampled_pairs(positive, negative, roc_auc),
        "false_refusals": mean_of([float(not answer.answerable) for answer in known]),
        "missed_refusals": mean_of([float(answer.answerable) for answer in unknown]),
    }


def _calibration(known: "Sequence[Answer]", unknown: "Sequence[Answer]") -> dict[str, Any]:
    from chatsphere.cli.evaluation.discrimination import expected_calibration_error, reliability

    bins = reliability([one.confidence for one in known], [one.confidence for one in unknown])
    return {
        "reliability": [each.as_json() for each in bins],
        "expected_calibration_error": round(expected_calibration_error(bins), 4),
    }


def _show(console: "Console", report: dict[str, Any], promises: "Sequence[Promise]") -> None:
    from chatsphere.cli.commands.evaluations.reliability import show_reliability

    console.print(
        f"{report['set']}: {report['questions']} questions, asked of a bot that holds the answers and of others"
    )
    rows = Rows(["without the answers", "AUC", "falsely refused", "falsely answered"])
    for kind, found in report["kinds"].items():
        cells = [found["auc"], found["false_refusals"], found["missed_refusals"]]
        rows.add(kind, *(f"{one['value']:.3f} [{one['low']:.3f}, {one['high']:.3f}]" for one in cells))
    console.print(rows.table)
    for kind, found in report["kinds"].items():
        show_reliability(console, kind, found["reliability"], found["expected_calibration_error"])
    show_promises(console, promises)
