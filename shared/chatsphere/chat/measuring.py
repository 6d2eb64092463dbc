"""What is measured of an answer."""

from collections.abc import Mapping
from typing import Final

from chatsphere.chat.draft import Draft
from chatsphere.observability import Metric, record

STAGES: Final = {
    "retrieve": Metric.RETRIEVAL_TIME,
    "first_token": Metric.FIRST_TOKEN_TIME,
    "total": Metric.ANSWER_TIME,
}


def record_answer(draft: Draft, latency_ms: Mapping[str, int]) -> None:
    """Record an answer that has ended, in whatever way."""
    record(Metric.ANSWERS)
    for stage, metric in STAGES.items():
        if stage in latency_ms:
            record(metric, latency_ms[stage])
    record(Metric.PROMPT_TOKENS, draft.usage.prompt_tokens)
    record(Metric.COMPLETION_TOKENS, draft.usage.completion_tokens)
    record(Metric.COST_MICRODOLLARS, draft.usage.cost_microdollars)
    record(Metric.QUESTION_TOKENS_EMBEDDED, draft.usage.embedding_tokens)
    if draft.cache is not None:
        record(Metric.CACHE_HITS if draft.cached else Metric.CACHE_MISSES)
    if draft.client_left:
        record(Metric.CLIENTS_LEFT)
    if draft.stopped:
        record(Metric.ANSWERS_STOPPED)
    if draft.dropped_citations:
        record(Metric.CITATIONS_DROPPED, draft.dropped_citations)
    if draft.error is not None:
        record(Metric.ANSWERS_FAILED, code=draft.error.code)
    elif draft.finish_reason == "refused":
        record(Metric.ANSWERS_REFUSED, code=draft.reason)
