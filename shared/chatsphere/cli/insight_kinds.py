"""What the kinds of insights show: the columns of their tables, and the panels of their pictures."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from chatsphere.cli.insight_tables import Column, Row, dollars, milliseconds, number, share, text, time
from chatsphere.cli.plotting import Panel, Series


def _count(name: str) -> Callable[[Row], float | None]:
    return lambda row: row.get(name)


def _of(name: str, divisor: float) -> Callable[[Row], float | None]:
    return lambda row: None if row.get(name) is None else row[name] / divisor


@dataclass(frozen=True)
class Kind:
    """How one kind of report is shown."""

    title: str
    columns: Sequence[Column]
    charted: str
    panels: Sequence[Panel]


KINDS: Final = {
    "usage": Kind(
        "Usage",
        [
            Column("answers", number("answers")),
            Column("answered", number("answered")),
            Column("refused", number("refused")),
            Column("failed", number("failed")),
            Column("cached", number("cached")),
            Column("searches", number("searches")),
            Column("documents", number("documents_embedded")),
            Column("prompt", number("prompt_tokens")),
            Column("completion", number("completion_tokens")),
        ],
        "answers",
        [
            Panel(
                "Answers by how they ended",
                "answers",
                [
                    Series("answered", "#0072b2", _count("answered")),
                    Series("refused", "#e69f00", _count("refused")),
                    Series("stopped", "#999999", _count("stopped")),
                    Series("failed", "#d55e00", lambda row: row.get("failed", 0) + row.get("interrupted", 0)),
                ],
                whole=True,
            )
        ],
    ),
    "cost": Kind(
        "Cost",
        [
            Column("answers", number("answers")),
            Column("of answers", dollars("answer_microdollars")),
            Column("of searches", dollars("search_microdollars")),
            Column("of embedding", dollars("embedding_microdollars")),
            Column("cost", dollars("cost_microdollars")),
            Column("an answer", dollars("microdollars_per_answer")),
        ],
        "cost_microdollars",
        [
            Panel(
                "Cost by what it was paid for",
                "US dollars",
                [
                    Series("answers", "#0072b2", _of("answer_microdollars", 1_000_000)),
                    Series("searches", "#56b4e9", _of("search_microdollars", 1_000_000)),
                    Series("embedding", "#009e73", _of("embedding_microdollars", 1_000_000)),
                ],
            )
        ],
    ),
    "quality": Kind(
        "Quality",
        [
            Column("answers", number("answers")),
            Column("refusal rate", share("refusal_rate")),
            Column("ratings", number("ratings")),
            Column("mean", lambda row: "" if row["rating_mean"] is None else f"{row['rating_mean']:.2f}"),
            Column("rated", share("rated_share")),
            Column("dropped citations", share("dropped_share")),
            Column("failed", number("failed")),
            Column("interrupted", number("interrupted")),
        ],
        "refusal_rate",
        [
            Panel(
                "Refused, of what was answered or refused",
                "percent",
                [Series("refusal rate", "#e69f00", _of("refusal_rate", 0.01))],
                stacked=False,
            ),
            Panel(
                "Mean rating, from 1 (worst) to 5 (best)",
                "rating",
                [Series("mean rating", "#0072b2", _count("rating_mean"))],
                stacked=False,
            ),
        ],
    ),
    "latency": Kind(
        "Latency",
        [
            Column("answers", number("answers")),
            Column("mean", milliseconds("mean_ms")),
            Column("p50", milliseconds("p50_ms")),
            Column("p90", milliseconds("p90_ms")),
            Column("p95", milliseconds("p95_ms")),
            Column("p99", milliseconds("p99_ms")),
        ],
        "p95_ms",
        [
            Panel(
                "How long answers took",
                "milliseconds",
                [
                    Series("p50", "#0072b2", _count("p50_ms")),
                    Series("p95", "#e69f00", _count("p95_ms")),
                    Series("p99", "#d55e00", _count("p99_ms")),
                ],
                stacked=False,
            )
        ],
    ),
}

SOURCES: Final = [
    Column("document", text("document_name", 60), number=False),
    Column("bot", text("bot_name", 30), number=False),
    Column("found", number("retrieved")),
    Column("cited", number("cited")),
    Column("last", time("last_retrieved"), number=False),
]
UNANSWERED: Final = [
    Column("asked", number("asked_count")),
    Column("last", time("last_asked_at"), number=False),
    Column("bot", text("bot_name", 30), number=False),
    Column("why", text("reason"), number=False),
    Column("status", text("status"), number=False),
    Column("question", text("question", 200), number=False, wide=True),
]
ERRORS: Final = [
    Column("errors", number("errors")),
    Column("bots", number("bots")),
    Column("first", time("first_seen_at"), number=False),
    Column("last", time("last_seen_at"), number=False),
    Column("service", text("service"), number=False),
    Column("type", text("error_type"), number=False),
    Column("message", text("message", 200), number=False, wide=True),
]
