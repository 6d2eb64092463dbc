"""`chatsphere eval answers`: how often a bot's answer holds the gold string, and whether its citations are true."""

from statistics import fmean
from typing import TYPE_CHECKING, Any

from chatsphere.cli import lookup
from chatsphere.cli.commands.evaluations.options import (
    BotToReuse,
    DirArgument,
    FirstOption,
    KeepOption,
    RequireOption,
    TimeoutOption,
)
from chatsphere.cli.commands.evaluations.verdicts import Promise, exit_code, show_promises
from chatsphere.cli.errors import ExitCode, UsageError
from chatsphere.cli.output import Rows
from chatsphere.cli.progress import bars
from chatsphere.cli.session import Session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from chatsphere.cli.evaluation.asking import Answer
    from chatsphere.cli.evaluation.checking import Fault
    from chatsphere.cli.evaluation.dataset import Question

LEAST_CONTAINED = 0.8
"""The share of answers that are to hold the gold string."""


def evaluate(
    session: Session,
    folder: DirArgument,
    first: FirstOption = None,
    bot: BotToReuse = None,
    keep: KeepOption = False,
    timeout: TimeoutOption = 3600,
    require: RequireOption = False,
) -> ExitCode:
    """Ask a bot that holds a set's passages every question, and check what it says against gold strings and texts."""
    from chatsphere.cli.evaluation import asking, checking, dataset, loading

    asked = dataset.read(folder).first(first)
    if not all(question.answers for question in asked.questions):
        raise UsageError(f"{folder}/queries.jsonl: a question has no `answers`.")
    client = session.client.patient()
    bot_id = None if bot is None else lookup.bot_id(session, bot)
    with loading.bot_for(client, asked, bot_id, keep=keep) as lent, bars(session.output) as shown:
        loaded = loading.loaded(client, lent, asked, timeout=timeout, shown=shown)
        on_asked = shown.add(f"{asked.name}: asked", len(asked.questions))
        said = asking.ask_all(client, lent, asked.questions, on_asked)
        texts = {passage.id: passage.text for passage in asked.passages}
        sources = {document: texts[passage] for document, passage in loaded.passages.items()}
        checker = checking.CitationChecker(client, lent, sources)
        faults = [checker.faults(answer) for answer in said]
    promises = _promises(said, asked.questions, faults)
    report = {
        "set": asked.name,
        "bot_id": lent if keep or bot_id else None,
        "passages": len(loaded.passages),
        "failed": loaded.failed,
        **_measured(said, asked.questions),
        "citations": sum(len(answer.citations) for answer in said),
        "citation_faults": [
            {"question": question.id, "citation": fault.citation, "problem": fault.problem}
            for question, found in zip(asked.questions, faults, strict=True)
            for fault in found
        ],
        "missed": _missed(said, asked.questions),
        "promises": [promise.as_json() for promise in promises],
    }
    session.output.result(report, lambda console: _show(console, report, promises))
    return exit_code(promises, required=require, failed=bool(loaded.failed))


def _measured(said: "Sequence[Answer]", questions: "Sequence[Question]") -> dict[str, Any]:
    """Return the shares over the questions, each with its interval; lengths are means in characters."""
    from chatsphere.cli.evaluation import matching
    from chatsphere.cli.evaluation.intervals import mean_of

    pairs = [(answer.text, question.answers) for answer, question in zip(said, questions, strict=True)]
    shares = {
        "contains_gold": [matching.contains(*pair) for pair in pairs],
        "contains_gold_words": [matching.contains_words(*pair) for pair in pairs],
        "answerable": [answer.answerable for answer in said],
        "cited": [bool(answer.citations) for answer in said],
    }
    measured = {name: mean_of([float(value) for value in values]).as_json() for name, values in shares.items()}
    return {"questions": len(said), **measured, "characters": round(fmean(len(text) for text, _ in pairs), 1)}


def _promises(
    said: "Sequence[Answer]", questions: "Sequence[Question]", faults: "Sequence[Sequence[Fault]]"
) -> list[Promise]:
    from chatsphere.cli.evaluation import matching

    held = fmean(matching.contains(one.text, question.answers) for one, question in zip(said, questions, strict=True))
    cited = sum(len(answer.citations) for answer in said)
    wrong = len({(place, fault.citation) for place, found in enumerate(faults) for fault in found})
    return [
        Promise("answers that hold the gold string", held, LEAST_CONTAINED),
        Promise("citations that are true", (cited - wrong) / cited if cited else 1.0, 1.0),
    ]


def _missed(said: "Sequence[Answer]", questions: "Sequence[Question]") -> list[dict[str, Any]]:
    from chatsphere.cli.evaluation import matching

    return [
        {"id": question.id, "question": question.text, "gold": list(question.answers), "answer": answer.text}
        | {"answerable": answer.answerable, "reason": answer.reason, "confidence": answer.confidence}
        for answer, question in zip(said, questions, strict=True)
        if not matching.contains(answer.text, question.answers)
    ]


def _show(console: "Console", report: dict[str, Any], promises: "Sequence[Promise]") -> None:
    rows = Rows(["share", "value", "95%"], right=["value", "95%"])
    for name in ("contains_gold", "contains_gold_words", "answerable", "cited"):
        found = report[name]
        rows.add(name.replace("_", " "), f"{found['value']:.1%}", f"{found['low']:.1%} – {found['high']:.1%}")
    console.print(f"{report['set']}: {report['questions']} questions, {report['passages']} passages")
    console.print(rows.table)
    console.print(f"{report['citations']} citations; answers of {report['characters']:.0f} characters in the mean")
    for fault in report["citation_faults"][:10]:
        console.print(f"{fault['question']}: {fault['problem']}", style="red")
    show_promises(console, promises)
