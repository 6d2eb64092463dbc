"""Numbers as reports show them."""

from collections.abc import Mapping
from typing import Any

Row = Mapping[str, Any]


def usage(row: Row) -> dict[str, Any]:
    """Return what `Usage` shows."""
    return {**_group(row), "refused": _refused(row)}


def cost(row: Row) -> dict[str, Any]:
    """Return what `Cost` shows."""
    parts = ("answer_microdollars", "search_microdollars", "embedding_microdollars")
    return _group(row) | {
        "cost_microdollars": sum(row[part] for part in parts),
        "microdollars_per_answer": _share(row["answer_microdollars"], row["answers"]),
    }


def quality(row: Row) -> dict[str, Any]:
    """Return what `Quality` shows."""
    refused = _refused(row)
    return _group(row) | {
        "refused": refused,
        "refusal_rate": _share(refused, row["answered"] + refused),
        "rating_mean": _share(row["rating_sum"], row["ratings"]),
        "rated_share": _share(row["ratings"], row["answers"]),
        "dropped_share": _share(row["dropped_citations"], row["citations"] + row["dropped_citations"]),
    }


def latency(row: Row) -> dict[str, Any]:
    """Return what `Latency` shows."""
    times = {name: round(value, 1) for name, value in row.items() if name.endswith("_ms")}
    return _group(row) | times


def _group(row: Row) -> dict[str, Any]:
    return {**row, "group": row["key"] or None}


def _refused(row: Row) -> int:
    return int(row["refused_no_documents"] + row["refused_no_relevant_passage"] + row["refused_unsupported"])


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole > 0 else None
