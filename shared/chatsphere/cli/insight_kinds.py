"""What the kinds of insights show: the columns of their tables, and the panels of their pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from chatsphere.cli.insight_tables import Column, Row, dollars, milliseconds, number, share, text, time
from chatsphere.cli.plotting import Panel, Series

# Told apart by people who see colours differently, too (Okabe and Ito).
_BLUE, _SKY, _GREEN, _ORANGE, _RED, _GREY = "#0072b2", "#56b4e9", "#009e73", "#e69f00", "#d55e00", "#999999"


@dataclass(frozen=True)
class Kind:
    """How one kind of report is shown."""

    title: str
    columns: Sequence[Column]
    charted: str
    panels: Sequence[Panel]


def _counts(*names: str) -> list[Column]:
    return [Column(name, number(name)) for name in names]


def _times(*names: str) -> list[Column]:
    return [Column(name, milliseconds(f"{name}_ms")) for name in names]


def _series(label: str, colour: str, name: str, divisor: float = 1) -> Series:
    return Series(label, colour, lambda row: None if row.get(name) is None else row[name] / divisor)


def _rating(row: Row) -> str:
    return "" if row["rating_mean"] is None else f"{row['rating_mean']:.2f}"


KINDS: Final = {
    "usage": Kind(
        "Usage",
        [
            *_counts("answers", "answered", "refused", "failed", "cached", "searches"),
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
                    _series("answered", _BLUE, "answered"),
                    _series("refused", _ORANGE, "refused"),
                    _series("stopped", _GREY, "stopped"),
                    Series("failed", _RED, lambda row: row.get("failed", 0) + row.get("interrupted", 0)),
                ],
                whole=True,
            )
        ],
    ),
    "cost": Kind(
        "Cost",
        [
            *_counts("answers"),
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
                    _series("answers", _BLUE, "answer_microdollars", 1_000_000),
                    _series("searches", _SKY, "search_microdollars", 1_000_000),
                    _series("embedding", _GREEN, "embedding_microdollars", 1_000_000),
                ],
            )
        ],
    ),
    "quality": Kind(
        "Quality",
        [
            *_counts("answers"),
            Column("refusal rate", share("refusal_rate")),
            *_counts("ratings"),
            Column("mean", _rating),
            Column("rated", share("rated_share")),
            Column("dropped citations", share("dropped_share")),
            *_counts("failed", "interrupted"),
        ],
        "refusal_rate",
        [
            Panel(
                "Refused, of what was answered or refused",
                "percent",
                [_series("refusal rate", _ORANGE, "refusal_rate", 0.01)],
                stacked=False,
            ),
            Panel(
                "Mean rating, from 1 (worst) to 5 (best)",
                "rating",
                [_series("mean rating", _BLUE, "rating_mean")],
                stacked=False,
            ),
        ],
    ),
    "latency": Kind(
        "Latency",
        [*_counts("answers"), *_times("mean", "p50", "p90", "p95", "p99")],
        "p95_ms",
        [
            Panel(
                "How long answers took",
                "milliseconds",
                [
                    _series("p50", _BLUE, "p50_ms"),
                    _series("p95", _ORANGE, "p95_ms"),
                    _series("p99", _RED, "p99_ms"),
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
