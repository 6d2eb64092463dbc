"""Every question of a set through the product's search, and what came of it."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from statistics import fmean
from typing import Any

from chatsphere.cli import metrics
from chatsphere.cli.client import Client
from chatsphere.cli.evaluation.dataset import Question
from chatsphere.cli.evaluation.intervals import mean_of
from chatsphere.cli.evaluation.loading import Loaded

MODES = ("lexical", "dense", "fused")
DEPTH = 50
"""Passages asked for; a document may have several."""


@dataclass(frozen=True, slots=True)
class Scores:
    """One row of the table: means over the questions; latencies in ms as the client sees them."""

    mode: str
    ndcg_at_10: float
    recall_at_5: float
    recall_at_10: float
    mrr_at_10: float
    latency_p50_ms: float | None = None
    latency_p95_ms: float | None = None
    ndcgs: tuple[float, ...] = field(default=(), repr=False)
    """nDCG@10 of each question, in the order of the set."""

    def as_json(self) -> dict[str, Any]:
        """Return the row for `--json`."""
        given = {name: value for name, value in asdict(self).items() if name != "ndcgs"}
        shown = {name: round(value, 5) if isinstance(value, float) else value for name, value in given.items()}
        return shown | ({"ndcg_interval": mean_of(self.ndcgs).as_json()} if self.ndcgs else {})


def measure(
    client: Client, loaded: Loaded, questions: Sequence[Question], mode: str, on_asked: Callable[[int], None]
) -> Scores:
    """Ask each question once, one after the other, and score the rankings."""
    rankings, latencies = [], []
    _search(client, loaded, questions[0], mode)  # connections and models are warm before the clock runs
    for number, question in enumerate(questions, 1):
        started = time.perf_counter()
        rankings.append(_search(client, loaded, question, mode))
        latencies.append((time.perf_counter() - started) * 1000)
        on_asked(number)
    p50, p95 = metrics.percentile(latencies, 0.5), metrics.percentile(latencies, 0.95)
    return score(mode, rankings, questions, p50, p95)


def score(
    mode: str,
    rankings: Sequence[Sequence[str]],
    questions: Sequence[Question],
    p50: float | None = None,
    p95: float | None = None,
) -> Scores:
    """Return the means over the questions of their rankings' measures."""
    judged = [(ranking, question.grades) for ranking, question in zip(rankings, questions, strict=True)]
    ndcgs = tuple(metrics.ndcg(ranking, grades, 10) for ranking, grades in judged)
    return Scores(
        mode,
        ndcg_at_10=fmean(ndcgs),
        recall_at_5=fmean(metrics.recall(ranking, grades, 5) for ranking, grades in judged),
        recall_at_10=fmean(metrics.recall(ranking, grades, 10) for ranking, grades in judged),
        mrr_at_10=fmean(metrics.reciprocal_rank(ranking, grades, 10) for ranking, grades in judged),
        latency_p50_ms=p50,
        latency_p95_ms=p95,
        ndcgs=ndcgs,
    )


def mean(rows: Sequence[Scores]) -> Scores:
    """Return the mean of several sets' rows of one mode."""

    def of(name: str) -> float | None:
        values = [getattr(row, name) for row in rows if getattr(row, name) is not None]
        return fmean(values) if values else None

    means: dict[str, Any] = {name: of(name) for name in Scores.__dataclass_fields__ if name not in ("mode", "ndcgs")}
    return Scores(rows[0].mode, **means)


def _search(client: Client, loaded: Loaded, question: Question, mode: str) -> list[str]:
    """Return the ranked passages of the set; another document of a reused bot keeps its rank."""
    body = {"query": question.text, "limit": DEPTH, "mode": mode}
    hits = client.post(f"/bots/{loaded.bot_id}/search", body, repeatable=True)["data"]
    return metrics.fold(loaded.passages.get(hit["document_id"], hit["document_id"]) for hit in hits)
