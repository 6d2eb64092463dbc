"""`chatsphere eval`: retrieval quality and latency on sets of judged questions."""

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chatsphere.cli import lookup
from chatsphere.cli.errors import ExitCode, UsageError
from chatsphere.cli.options import command
from chatsphere.cli.output import Rows
from chatsphere.cli.progress import bars
from chatsphere.cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console

    from chatsphere.cli.evaluation.dataset import Dataset
    from chatsphere.cli.evaluation.measuring import Scores


class Baseline(StrEnum):
    """Other implementations to compare with."""

    BM25S = "bm25s"


def register(app: typer.Typer) -> None:
    """Put the command into the application."""
    command(app, "eval")(evaluate)


def evaluate(
    session: Session,
    folders: Annotated[
        list[Path], typer.Argument(metavar="DIR…", help="Folders with corpus.jsonl, queries.jsonl, qrels.tsv.")
    ],
    bot: Annotated[
        str | None, typer.Option("--bot", "-b", metavar="ID|NAME", help="A bot that holds the set, or is to keep it.")
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Do not delete the temporary bot.")] = False,
    limit_queries: Annotated[int | None, typer.Option(min=1, help="Only the first so many queries.")] = None,
    baseline: Annotated[Baseline | None, typer.Option(help="Add a row of another implementation.")] = None,
    timeout: Annotated[float, typer.Option(min=0, help="Seconds to wait for the passages to be ready.")] = 3600,
) -> ExitCode:
    """Load sets through the product and measure nDCG@10, Recall, MRR and latency of its search."""
    from chatsphere.cli.evaluation import baseline as other
    from chatsphere.cli.evaluation import dataset

    if bot is not None and len(folders) > 1:
        raise UsageError("--bot takes one set: passages of several in one bot would change what is measured.")
    if baseline is not None:
        other.require()
    sets = [dataset.read(folder) for folder in folders]
    if limit_queries:
        sets = [replace(one, questions=one.questions[:limit_queries]) for one in sets]
    bot_id = None if bot is None else lookup.bot_id(session, bot)
    measured = [
        _evaluate(session, one, bot_id, keep=keep, timeout=timeout, with_baseline=baseline is not None) for one in sets
    ]
    report = {"sets": [entry for entry, _ in measured], "mean": _means([rows for _, rows in measured])}
    session.output.result(report, lambda console: _show(console, report))
    return ExitCode.FAILED if any(entry["failed"] for entry, _ in measured) else ExitCode.OK


def _evaluate(
    session: Session, dataset: "Dataset", bot_id: str | None, *, keep: bool, timeout: float, with_baseline: bool
) -> "tuple[dict[str, Any], list[Scores]]":
    """Return one set's report and its rows."""
    from chatsphere.cli.evaluation import baseline, loading, measuring

    client = session.client.patient()
    with loading.bot_for(client, dataset, bot_id, keep=keep) as lent, bars(session.output) as shown:
        total = len(dataset.loadable)
        loaded = loading.load(
            client,
            lent,
            dataset,
            timeout=timeout,
            on_sent=shown.add(f"{dataset.name}: loading", total),
            on_ready=shown.add(f"{dataset.name}: ready", total),
        )
        rows = []
        for mode in measuring.MODES:
            asked = shown.add(f"{dataset.name}: {mode}", len(dataset.questions))
            rows.append(measuring.measure(client, loaded, dataset.questions, mode, asked))
    if with_baseline:
        rows.append(baseline.measure(dataset, dataset.questions))
    kept = keep or bot_id is not None
    report = {
        "name": dataset.name,
        "bot_id": lent if kept else None,
        "passages": len(loaded.passages),
        "empty": len(dataset.passages) - len(dataset.loadable),
        "failed": loaded.failed,
        "queries": len(dataset.questions),
        "rows": [row.as_json() for row in rows],
    }
    return report, rows


def _means(sets: "list[list[Scores]]") -> list[dict[str, Any]]:
    """Return the mean over the sets of each mode, where there are several."""
    from chatsphere.cli.evaluation import measuring

    return [measuring.mean(rows).as_json() for rows in zip(*sets, strict=True)] if len(sets) > 1 else []


def _show(console: "Console", report: dict[str, Any]) -> None:
    numbers = ["passages", "queries", "nDCG@10", "R@5", "R@10", "MRR@10", "p50 ms", "p95 ms"]
    rows = Rows(["set", "mode", *numbers], right=numbers)
    for entry in report["sets"]:
        for row in entry["rows"]:
            rows.add(entry["name"], row["mode"], str(entry["passages"]), str(entry["queries"]), *_cells(row))
        rows.table.add_section()
    for row in report["mean"]:
        rows.add("mean", row["mode"], "", "", *_cells(row), style="bold")
    console.print(rows.table)
    for entry in report["sets"]:
        if entry["bot_id"]:
            console.print(f"{entry['name']} is in the bot {entry['bot_id']}.")
        if entry["failed"]:
            codes = ", ".join(sorted(set(entry["failed"].values())))
            console.print(
                f"{len(entry['failed'])} passages of {entry['name']} could not be loaded: {codes}.", style="red"
            )


def _cells(row: dict[str, Any]) -> list[str]:
    quality = [f"{row[name]:.4f}" for name in ("ndcg_at_10", "recall_at_5", "recall_at_10", "mrr_at_10")]
    latency = ["" if row[name] is None else f"{row[name]:.1f}" for name in ("latency_p50_ms", "latency_p95_ms")]
    return quality + latency
