"""What is counted of usage events: the one definition, for sums that are kept as for what is read from events."""

# Only constants are put together here; every value is a parameter.
# ruff: noqa: S608

from typing import Final

from chatsphere.insights.histograms import BUCKET

DIMENSIONS: Final = ("bot_id", "api_key_id", "model", "channel")
"""What sums are kept by, beside the day."""

ANSWER: Final = "metric = 'chat.answer'"
EMBEDDING: Final = "metric = 'embedding'"
TAKING_IN: Final = "metric IN ('embedding', 'ocr')"
SEARCH: Final = "metric = 'search'"
RATED: Final = "metric = 'feedback'"
TAKEN_BACK: Final = "metric = 'feedback.withdrawn'"


def _rows(condition: str) -> str:
    return f"count(*) FILTER (WHERE {condition})"


def _total(column: str, condition: str = "true") -> str:
    return f"COALESCE(sum({column}) FILTER (WHERE {condition}), 0)::bigint"


def _standing(condition: str = "true") -> str:
    """Ratings that were given and not taken back."""
    return f"{_rows(f'{RATED} AND {condition}')} - {_rows(f'{TAKEN_BACK} AND {condition}')}"


MEASURES: Final = {
    "answers": _rows(ANSWER),
    "answered": _rows(f"{ANSWER} AND outcome = 'answered'"),
    "refused_no_documents": _rows(f"{ANSWER} AND outcome = 'no_documents'"),
    "refused_no_relevant_passage": _rows(f"{ANSWER} AND outcome = 'no_relevant_passage'"),
    "refused_unsupported": _rows(f"{ANSWER} AND outcome = 'unsupported'"),
    "failed": _rows(f"{ANSWER} AND outcome = 'failed'"),
    "interrupted": _rows(f"{ANSWER} AND outcome = 'interrupted'"),
    "stopped": _rows(f"{ANSWER} AND outcome = 'stopped'"),
    "cached": _rows(f"{ANSWER} AND cached"),
    "citations": _total("citations", ANSWER),
    "dropped_citations": _total("dropped_citations", ANSWER),
    "searches": _rows(SEARCH),
    "documents_embedded": _rows(f"{EMBEDDING} AND of_document"),
    "messages_embedded": _total("messages", EMBEDDING),
    "prompt_tokens": _total("prompt_tokens"),
    "completion_tokens": _total("completion_tokens"),
    "embedding_tokens": f"{_total('value', EMBEDDING)} + {_total('embedding_tokens', ANSWER)}",
    "answer_microdollars": _total("cost_microdollars", ANSWER),
    "search_microdollars": _total("cost_microdollars", SEARCH),
    "embedding_microdollars": _total("cost_microdollars", TAKING_IN),
    "ratings": _standing(),
    "rating_sum": f"{_total('value', RATED)} - {_total('value', TAKEN_BACK)}",
    "positive_ratings": _standing("value >= 4"),
    "negative_ratings": _standing("value <= 2"),
}
"""In SQL, of rows of `EVENTS`: by the name of the column that keeps it."""

STAGES: Final = {"total": "total_ms", "first_token": "first_token_ms", "retrieve": "retrieve_ms"}
"""What is timed of an answer, by name: from the question to its end, to its first word, and finding passages."""

# An answer has one outcome. Events of former releases say by `reason` alone how it ended.
EVENTS: Final = """
    SELECT days.day, e.bot_id, e.api_key_id, e.end_user_id, e.metric, e.value,
        COALESCE(e.model, e.metadata ->> 'model') AS model,
        COALESCE(e.channel, e.metadata ->> 'channel') AS channel,
        CASE
            WHEN COALESCE(e.finish_reason, '') = 'stopped' OR said.reason = 'stopped' THEN 'stopped'
            WHEN COALESCE(e.finish_reason, '') = 'interrupted' OR said.reason = 'answer_interrupted' THEN 'interrupted'
            WHEN said.reason IS NULL THEN 'answered'
            WHEN said.reason IN ('no_documents', 'no_relevant_passage', 'unsupported') THEN said.reason
            ELSE 'failed'
        END AS outcome,
        e.cached, e.citations, e.dropped_citations, e.metadata ? 'document_id' AS of_document,
        (e.metadata ->> 'memory_messages')::bigint AS messages,
        e.prompt_tokens, e.completion_tokens, e.embedding_tokens, e.cost_microdollars,
        e.total_ms, e.first_token_ms, e.retrieve_ms
    FROM days
    CROSS JOIN LATERAL (
        SELECT * FROM usage_events u
        WHERE u.organization_id = app.current_organization()
          AND u.created_at >= days.begins_at AND u.created_at < days.ends_at) e
    CROSS JOIN LATERAL (SELECT COALESCE(e.reason, e.metadata ->> 'reason') AS reason) said
"""
"""In SQL, the tenant's events of the days in the relation `days`: a row each, as `MEASURES` and `STAGES` read it."""

DAYS: Final = """
    SELECT day, day::timestamp AT TIME ZONE 'UTC' AS begins_at, (day + 1)::timestamp AT TIME ZONE 'UTC' AS ends_at
"""
"""In SQL, what `days` has of each `day`. To be materialized: the time zone's function is not leakproof, and under row
level security an index is not asked by what is not."""

MEASURED: Final = ", ".join(f"{expression} AS {name}" for name, expression in MEASURES.items())
"""In SQL, all measures."""

SUMMED: Final = ", ".join(f"COALESCE(sum({name}), 0)::bigint AS {name}" for name in MEASURES)
"""In SQL, the sums of what was measured."""

_TIMES: Final = ", ".join(f"('{stage}', {column})" for stage, column in STAGES.items())

TIMED: Final = f"""
    SELECT day, {", ".join(DIMENSIONS)}, stage, {BUCKET} AS bucket, count(*) AS answers, sum(ms) AS milliseconds
    FROM events CROSS JOIN LATERAL (VALUES {_TIMES}) AS times (stage, ms)
    WHERE metric = 'chat.answer' AND outcome NOT IN ('failed', 'interrupted') AND ms IS NOT NULL
    GROUP BY day, {", ".join(DIMENSIONS)}, stage, {BUCKET}
"""
"""In SQL, of rows of `EVENTS` in the relation `events`: how many answers took how long, by bucket. What broke off is
left out: it says nothing of how long an answer takes."""
