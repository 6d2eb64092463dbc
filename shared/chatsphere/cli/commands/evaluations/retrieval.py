"""`chatsphere eval retrieval`: quality and latency of search on sets of judged questions."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chatsphere.cli import lookup
from chatsphere.cli.commands.evaluations.options import BotToReuse, KeepOption, RequireOption, TimeoutOption
from chatsphere.cli.commands.evaluations.verdicts import Promise, exit_code, show_promises
from chatsphere.cli.errors import ExitCode, UsageError
from chatsphere.cli.output import Rows
from chatsphere.cli.progress import bars
from chatsphere.cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console

    from chatsphere.cli.evaluation.dataset import Dataset
    from chatsphere.cli.evaluation.measuring import Scores


FUSED = "fused"
MARGIN = 0.02
"""By how much fusion is to be better than BM25 in the mean of nDCG@10."""


class Baseline(StrEnum):
    """Other implementations to compare with."""

    BM25S = "bm25s"


def evaluate(
    session: Session,
    folders: Annotated[
        list[Path], typer.Argument(metavar="DIR…", help="Folders with corpus.jsonl, queries.jsonl, qrels.tsv.")
    ],
    bot: BotToReuse = None,
    keep: KeepOption = False,
    limit_queries: Annotated[int | None, typer.Option(min=1, help="Only the first so many queries.")] = None,
    baseline: Annotated[Baseline | None, typer.Option(help="Add a row of another implementation.")] = None,
    timeout: TimeoutOption = 3600,
    require: RequireOption = False,
) -> ExitCode:
    """Load sets through the product and measure nDCG@10, Recall, MRR and latency of its search."""
    from chatsphere.cli.evaluation import baseline as other
    from chatsphere.cli.evaluation import dataset

    if bot is not None and len(folders) > 1:
        raise UsageError("--bot takes one set: passages of several in one bot would change what is measured.")
    if baseline is not None:
        other.require()
    sets = [dataset.read(folder) for folder in folders]
    sets = [one.first(limit_queries) for one in sets]
    bot_id = None if bot is None else lookup.bot_id(session, bot)
    measured = [
        _evaluate(session, one, bot_id, keep=keep, timeout=timeout, with_baseline=baseline is not None) for one in sets
    ]
    promises = _promises([(entry["name"], rows) for entry, rows in measured])
    report = {
        "sets": [entry for entry, _ in measured],
        "mean": _means([rows for _, rows in measured]),
        "promises": [promise.as_json() for promise in promises],
    }
    session.output.result(report, lambda console: _show(console, report, promises))
    return exit_code(promises, required=require, failed=any(entry["failed"] for entry, _ in measured))


def _evaluate(
    session: Session, dataset: "Dataset", bot_id: str | None, *, keep: bool, timeout: float, with_baseline: bool
) -> "tuple[dict[str, Any], list[Scores]]":
    """Return one set's report and its rows."""
    from chatsphere.cli.evaluation import baseline, loading, measuring

    client = session.client.patient()
    with loading.bot_for(client, dataset, bot_id, keep=keep) as lent, bars(session.output) as shown:
        loaded = loading.loaded(client, lent, dataset, timeout=timeout, shown=shown)
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
        "differences": _differences(rows),
    }
    return report, rows


def _differences(rows: "Sequence[Scores]") -> dict[str, Any]:
    """Return by how much nDCG@10 of the fused ranking is above each other one's, question by question."""
    from chatsphere.cli.evaluation.intervals import difference_of

    [fused] = [row for row in rows if row.mode == FUSED]
    return {
        row.mode: {**(found := difference_of(fused.ndcgs, row.ndcgs)).as_json(), "verdict": found.verdict}
        for row in rows
        if row is not fused
    }


def _promises(sets: "Sequence[tuple[str, list[Scores]]]") -> list[Promise]:
    """Return: fused is no worse than words or vectors on any set, and in the mean better than words by `MARGIN`."""
    from statistics import fmean

    of = [(name, {row.mode: row.ndcg_at_10 for row in rows}) for name, rows in sets]
    others = [mode for mode in of[0][1] if mode != FUSED]
    found = [Promise(f"{name}: fused ≥ {mode}", row[FUSED], row[mode]) for name, row in of for mode in others]
    fused = fmean(row[FUSED] for _, row in of)
    for mode in others:
        if mode != "dense":
            least = fmean(row[mode] for _, row in of) + MARGIN
            found.append(Promise(f"mean: fused ≥ {mode} + {MARGIN}", fused, least))
    return found


def _means(sets: "list[list[Scores]]") -> list[dict[str, Any]]:
    """Return the mean over the sets of each mode, where there are several."""
    from chatsphere.cli.evaluation import measuring

    return [measuring.mean(rows).as_json() for rows in zip(*sets, strict=True)] if len(sets) > 1 else []


def _show(console: "Console", report: dict[str, Any], promises: "Sequence[Promise]") -> None:
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
        _show_intervals(console, entry)
    show_promises(console, promises)
    for entry in report["sets"]:
        if entry["bot_id"]:
            console.print(f"{entry['name']} is in the bot {entry['bot_id']}.")
        if entry["failed"]:
            codes = ", ".join(sorted(set(entry["failed"].values())))
            console.print(
                f"{len(entry['failed'])} passages of {entry['name']} could not be loaded: {codes}.", style="red"
            )


def _show_intervals(console: "Console", entry: dict[str, Any]) -> None:
    """Print nDCG@10 with its 95 % interval, and the fused ranking's lead, question by question, with its own."""
    for row in entry["rows"]:
        found = row["ndcg_interval"]
        line = f"{entry['name']}, {row['mode']}: nDCG@10 {found['value']:.4f} [{found['low']:.4f}, {found['high']:.4f}]"
        lead = entry["differences"].get(row["mode"])
        if lead:
            line += f"; fused {lead['value']:+.4f} [{lead['low']:+.4f}, {lead['high']:+.4f}], {lead['verdict']}"
        console.print(line, soft_wrap=True)


def _cells(row: dict[str, Any]) -> list[str]:
    quality = [f"{row[name]:.4f}" for name in ("ndcg_at_10", "recall_at_5", "recall_at_10", "mrr_at_10")]
    latency = ["" if row[name] is None else f"{row[name]:.1f}" for name in ("latency_p50_ms", "latency_p95_ms")]
    return quality + latency
