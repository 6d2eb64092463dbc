"""Structured logs and metrics. Neither message text nor a secret is ever logged.

`Metric` is the whole vocabulary; docs/decisions/0062-observability.md says what each one means.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from time import monotonic
from typing import Final

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider

from chatsphere.errors import ChatSphereError, UnavailableError

NAMESPACE: Final = "ChatSphere"
SERVICE_DIMENSION: Final = "service"
"""The deployment, from `POWERTOOLS_SERVICE_NAME`: the same for all its functions. On every metric."""

CODE_DIMENSION: Final = "code"
"""An error's `code`, or a refusal's reason: a second series beside the one without it."""

CORRELATION_ATTRIBUTE: Final = "correlation_id"
"""Attribute of a queue's message: what was logged when it was sent."""

TRACE_VARIABLE: Final = "_X_AMZN_TRACE_ID"

# Lambda's own level filter reads no other form of time.
logger = Logger(use_rfc3339=True)


def log_failure(error: ChatSphereError) -> None:
    """Log an error that is not the client's: what its problem document keeps back, the operator needs."""
    if error.status >= 500:
        log = logger.warning if isinstance(error, UnavailableError) else logger.error
        log("request failed", code=error.code, detail=error.detail)


class Metric(Enum):
    """What is measured: the CloudWatch metric's name, its unit, and whether it is also split by code."""

    REGISTER_TIME = ("RegisterTime", "Milliseconds")
    FETCH_TIME = ("FetchTime", "Milliseconds")
    EXTRACT_TIME = ("ExtractTime", "Milliseconds")
    EMBED_TIME = ("EmbedTime", "Milliseconds")
    PURGE_TIME = ("PurgeTime", "Milliseconds")
    RECONCILE_TIME = ("ReconcileTime", "Milliseconds")
    JOB_TIME = ("JobTime", "Milliseconds")
    DIFFERENCES_FOUND = ("DifferencesFound", "Count")
    DOCUMENTS_READY = ("DocumentsReady", "Count")
    DOCUMENTS_FAILED = ("DocumentsFailed", "Count", True)
    CHUNKS_EMBEDDED = ("ChunksEmbedded", "Count")
    TOKENS_EMBEDDED = ("TokensEmbedded", "Count")
    MESSAGES_FAILED = ("MessagesFailed", "Count")
    MESSAGES_DEAD = ("MessagesDead", "Count")
    PARTITIONS_MISSING = ("PartitionsMissing", "Count")
    WORK_REAPED = ("WorkReaped", "Count")

    RETRIEVAL_TIME = ("RetrievalTime", "Milliseconds")
    SEARCHES_WITHOUT_VECTORS = ("SearchesWithoutVectors", "Count")
    FIRST_TOKEN_TIME = ("FirstTokenTime", "Milliseconds")
    ANSWER_TIME = ("AnswerTime", "Milliseconds")
    ANSWERS = ("Answers", "Count")
    ANSWERS_REFUSED = ("AnswersRefused", "Count", True)
    ANSWERS_FAILED = ("AnswersFailed", "Count", True)
    ANSWERS_STOPPED = ("AnswersStopped", "Count")
    ANSWERS_INTERRUPTED = ("AnswersInterrupted", "Count")
    CLIENTS_LEFT = ("ClientsLeft", "Count")
    CITATIONS_DROPPED = ("CitationsDropped", "Count")
    CACHE_HITS = ("CacheHits", "Count")
    CACHE_MISSES = ("CacheMisses", "Count")
    CACHE_FAILURES = ("CacheFailures", "Count")
    PROMPT_TOKENS = ("PromptTokens", "Count")
    QUESTION_TOKENS_EMBEDDED = ("QuestionTokensEmbedded", "Count")
    COMPLETION_TOKENS = ("CompletionTokens", "Count")
    COST_MICRODOLLARS = ("CostMicrodollars", "Count")

    WEBHOOK_TIME = ("WebhookTime", "Milliseconds")
    WEBHOOKS_DELIVERED = ("WebhooksDelivered", "Count")
    WEBHOOKS_FAILED = ("WebhooksFailed", "Count")

    USAGE_DAYS_ROLLED = ("UsageDaysRolled", "Count")

    MAIL_TIME = ("MailTime", "Milliseconds")
    MAILS_SENT = ("MailsSent", "Count")
    MAILS_REJECTED = ("MailsRejected", "Count")

    CREDENTIALS_DENIED = ("CredentialsDenied", "Count", True)
    REQUESTS_REFUSED = ("RequestsRefused", "Count", True)
    TRIES_REFUSED = ("TriesRefused", "Count")
    UNEXPECTED_ERRORS = ("UnexpectedErrors", "Count")

    def __init__(self, metric_name: str, unit: str, by_code: bool = False) -> None:
        self.metric_name = metric_name
        self.unit = unit
        self.by_code = by_code


def _provider() -> AmazonCloudWatchEMFProvider:
    return AmazonCloudWatchEMFProvider(namespace=NAMESPACE, service=logger.service)


_metrics = _provider()


def record(metric: Metric, value: float = 1, *, code: str | None = None) -> None:
    """Add a value to a metric; it leaves with the invocation's end, one with a code at once."""
    if code is None:
        _metrics.add_metric(metric.metric_name, metric.unit, value)
        return
    single = _provider()
    single.add_metric(metric.metric_name, metric.unit, value)
    single.add_dimensions(**{SERVICE_DIMENSION: logger.service, CODE_DIMENSION: code})
    single.flush_metrics()


@contextmanager
def timed(metric: Metric) -> Iterator[None]:
    """Record how long the block takes, also when it fails."""
    started = monotonic()
    try:
        yield
    finally:
        record(metric, (monotonic() - started) * 1000)


@contextmanager
def correlated(correlation_id: str | None, **keys: object) -> Iterator[None]:
    """Put the id and keys on every log line of the block, and on none after it."""
    logger.append_keys(correlation_id=correlation_id, **keys)
    try:
        yield
    finally:
        logger.clear_state()


@contextmanager
def invocation(correlation_id: str | None = None, **keys: object) -> Iterator[None]:
    """Frame one invocation of a function: its lines are correlated, its metrics written at its end."""
    try:
        with correlated(correlation_id, **keys):
            yield
    finally:
        if _metrics.metric_set:
            _metrics.flush_metrics()
            # Where metrics are switched off, Powertools keeps them, and prints them when there are a hundred.
            _metrics.clear_metrics()


@contextmanager
def traced(trace: str | None) -> Iterator[None]:
    """Let the block's log lines, and its calls of AWS, belong to the trace that `trace` names.

    Lambda does this for handlers; a web application is only sent the header `X-Amzn-Trace-Id`.
    """
    if trace is None:
        yield
        return
    os.environ[TRACE_VARIABLE] = trace
    try:
        yield
    finally:
        os.environ.pop(TRACE_VARIABLE, None)


def bind(**keys: object) -> None:
    """Put keys, such as `organization_id`, on the rest of the invocation's or message's log lines."""
    logger.append_keys(**keys)


def correlation_id() -> str | None:
    """Return the id that correlates the present log lines, to be handed to what this invocation sets off."""
    return logger.get_correlation_id()
