"""Which alarms a deployment has. `lean` has few: beyond ten, each metric that an alarm looks at costs $0.10 a month."""

from collections.abc import Mapping, Sequence
from typing import Final

from aws_cdk import aws_sqs as sqs

from chatsphere.knowledge.ingestion.times import DEADLINE
from chatsphere.observability import Metric
from infra.catalog import EMBED, EXTRACT, INTAKE, JOBS, FunctionSpec, ScheduleTrigger
from infra.cloud.config import DeploymentConfig, Profile
from infra.cloud.constructs.alarms import Alarms, Runbook
from infra.cloud.constructs.catalog_function import construct_id, function_name
from infra.cloud.constructs.metrics import (
    FIVE_MINUTES,
    api_metric,
    cluster_metric,
    lambda_metric,
    product_metric,
    proxy_metric,
)

OLDEST_MESSAGE_SECONDS: Final = DEADLINE.total_seconds() / 4
"""A quarter of the time published for a document has gone: three are left to act in."""

FILE_QUEUES: Final = frozenset({INTAKE.name, EXTRACT.name, EMBED.name})
"""The queues between a file in the bucket and its answer."""

OLDEST_JOB_SECONDS: Final = 6 * 3600
"""Retention of all tenants begins at once, every day, and a run of one may take long: waiting is what jobs do."""

NEAR_TIMEOUT: Final = 0.9
CONCURRENT_EXECUTIONS: Final = 800
"""Four fifths of the usual quota of an account."""

SLOW_API_MS: Final = 10_000
SLOW_FIRST_TOKEN_MS: Final = 10_000
REFUSED_CREDENTIALS: Final = 300
FAILED_WEBHOOKS: Final = 100
"""One receiver that is down fails by itself every few minutes; this many fail together."""

CONNECTIONS: Final = 1_600
"""Four fifths of what Aurora takes where its minimum is below 1 ACU; with a larger one it takes more."""

FULL_PERCENT: Final = 90

HOUR_MINUTES: Final = 60
LATE_HOURS: Final = 2
"""A daily run may begin so late: Scheduler tries again, and so does Lambda."""

DAILY_RUN_HOURS: Final = 24 + LATE_HOURS


def add_queue_alarms(
    alarms: Alarms,
    config: DeploymentConfig,
    queues: Mapping[str, sqs.IQueue],
    dead_letter_queues: Mapping[str, sqs.IQueue],
) -> None:
    """Alarm for each queue: a message that nobody could process, or one that nobody takes up.

    In `lean` only the queues that every file goes through are watched by themselves. What waits in the others is found
    again by the reaper; that one of their messages was given up is one metric for all of them, and a function that is
    killed five times over one rings as a failing function.
    """
    lean = config.profile is Profile.LEAN
    if lean:
        alarms.above(
            "MessagesDead", product_metric(config, Metric.MESSAGES_DEAD), 0,
            "A message was tried for the last time: find its dead-letter queue and why, then redrive it.",
            Runbook.DEAD_LETTERS,
        )  # fmt: skip
    for name, dead in dead_letter_queues.items():
        if lean and name in queues.keys() - FILE_QUEUES:
            continue
        alarms.above(
            f"{construct_id(name)}Dead",
            dead.metric_approximate_number_of_messages_visible(period=FIVE_MINUTES, statistic="Maximum"),
            0,
            f"The dead-letter queue of {name} holds what could not be processed: find out why, then redrive it.",
            Runbook.DEAD_LETTERS,
        )
    for name, queue in queues.items():
        if lean and name not in FILE_QUEUES:
            continue
        alarms.above(
            f"{construct_id(name)}Backlog",
            queue.metric_approximate_age_of_oldest_message(period=FIVE_MINUTES, statistic="Maximum"),
            OLDEST_JOB_SECONDS if name == JOBS.name else OLDEST_MESSAGE_SECONDS,
            f"A message of the queue {name} has waited for too long.",
            Runbook.BACKLOG,
        )


def add_function_alarms(alarms: Alarms, config: DeploymentConfig, specs: Sequence[FunctionSpec]) -> None:
    """Alarm on failing, throttled and (in `scale`) slow functions.

    `lean` watches all functions of the account and region at once, for one metric's price in place of one for each.
    """
    if config.profile is Profile.LEAN:
        _failing(alarms, "Functions", "Some function", None)
        return
    for spec in specs:
        name = function_name(config.prefix, spec)
        _failing(alarms, construct_id(spec.name), spec.name, name)
        alarms.above(
            f"{construct_id(spec.name)}Slow",
            lambda_metric("Duration", "p99", name),
            spec.timeout_seconds * 1000 * NEAR_TIMEOUT,
            f"{spec.name} needs nearly all the time that it has.",
            Runbook.FUNCTIONS,
            periods=3,
        )
        if isinstance(spec.trigger, ScheduleTrigger):
            alarms.silent(
                f"{construct_id(spec.name)}Silent",
                lambda_metric("Invocations", "Sum", name),
                hours_between_runs(spec.trigger),
                f"{spec.name} was not begun when it should have been.",
                Runbook.SCHEDULES,
            )
    alarms.above(
        "Concurrency",
        lambda_metric("ConcurrentExecutions", "Maximum"),
        CONCURRENT_EXECUTIONS,
        "The account's functions come near its quota of concurrent executions: have it raised.",
        Runbook.FUNCTIONS,
    )


def hours_between_runs(trigger: ScheduleTrigger) -> int:
    """Return after how many hours without a run of `scale` something is wrong; a daily one may be two hours late."""
    return 1 if trigger.every_minutes <= HOUR_MINUTES else trigger.every_minutes // HOUR_MINUTES + LATE_HOURS


def _failing(alarms: Alarms, id_: str, what: str, name: str | None) -> None:
    alarms.above(
        f"{id_}Errors", lambda_metric("Errors", "Sum", name), 0, f"{what} ended with an error.", Runbook.FUNCTIONS
    )
    alarms.above(
        f"{id_}Throttles",
        lambda_metric("Throttles", "Sum", name),
        0,
        f"{what} was not started: the account's or its own concurrency is used up.",
        Runbook.FUNCTIONS,
    )


def add_api_alarms(alarms: Alarms, config: DeploymentConfig, api_name: str, stage: str) -> None:
    """Alarm on answers that are errors, and (in `scale`) on slow ones and on guessed credentials."""
    alarms.above(
        "ApiErrors",
        api_metric("5XXError", "Sum", api_name, stage),
        4,
        "The API answered five requests or more with a server error within five minutes.",
        Runbook.API,
    )
    if config.profile is Profile.LEAN:
        return
    alarms.above(
        "ApiErrorRate", api_metric("5XXError", "Average", api_name, stage), 0.01,
        "More than one answer of a hundred is a server error.", Runbook.API, periods=3,
    )  # fmt: skip
    alarms.above(
        "ApiSlow", api_metric("Latency", "p95", api_name, stage), SLOW_API_MS,
        "One answer of twenty takes longer than ten seconds.", Runbook.API, periods=3,
    )  # fmt: skip
    alarms.above(
        "FirstTokenSlow", product_metric(config, Metric.FIRST_TOKEN_TIME), SLOW_FIRST_TOKEN_MS,
        "One answer of twenty begins later than after ten seconds.", Runbook.PROVIDERS, periods=3,
    )  # fmt: skip
    alarms.above(
        "CredentialsDenied", product_metric(config, Metric.CREDENTIALS_DENIED), REFUSED_CREDENTIALS,
        "More than one credential a second is refused: somebody guesses, or a client has lost its key.",
        Runbook.SIGN_IN,
    )  # fmt: skip


def add_product_alarms(alarms: Alarms, config: DeploymentConfig) -> None:
    """Alarm on what the product itself calls a failure."""
    alarms.above(
        "AnswersFailed", product_metric(config, Metric.ANSWERS_FAILED), 4,
        "Five answers or more failed within five minutes: the log says with which code.", Runbook.PROVIDERS,
    )  # fmt: skip
    alarms.above(
        "UnexpectedErrors", product_metric(config, Metric.UNEXPECTED_ERRORS), 0,
        "Something failed in a way that nobody foresaw: the log has its type and place.", Runbook.FUNCTIONS,
    )  # fmt: skip
    alarms.not_at_rest(
        # Counted once a day, by the job that makes them and begins every tenant's retention run.
        "PartitionsMissing", product_metric(config, Metric.PARTITIONS_MISSING), DAILY_RUN_HOURS,
        "The daily job has not run for a day, or could not make the partition of the next month (or day).",
        Runbook.PARTITIONS,
    )  # fmt: skip
    if config.profile is Profile.SCALE:
        alarms.above(
            "WebhooksFailed", product_metric(config, Metric.WEBHOOKS_FAILED), FAILED_WEBHOOKS,
            "Many deliveries of webhooks fail: look whether it is one receiver, or our way out.",
            Runbook.WEBHOOKS, periods=3,
        )  # fmt: skip


def add_database_alarms(alarms: Alarms, config: DeploymentConfig, cluster_id: str, proxy_name: str | None) -> None:
    """Alarm on a database at its limit, and on a proxy that shares no connections or refuses them."""
    alarms.above(
        "DatabaseFull", cluster_metric("ACUUtilization", "Average", cluster_id), FULL_PERCENT,
        "The database has used nearly all of its greatest capacity for a quarter of an hour.",
        Runbook.DATABASE, periods=3,
    )  # fmt: skip
    if config.profile is Profile.SCALE:
        alarms.above(
            "DatabaseConnections", cluster_metric("DatabaseConnections", "Maximum", cluster_id), CONNECTIONS,
            "The database has nearly as many connections as it takes.", Runbook.DATABASE,
        )  # fmt: skip
        alarms.above(
            "Deadlocks", cluster_metric("Deadlocks", "Maximum", cluster_id), 0,
            "Transactions wait for each other in a circle.", Runbook.DATABASE,
        )  # fmt: skip
    if proxy_name is None:
        return
    alarms.above(
        "PinnedSessions", proxy_metric("DatabaseConnectionsCurrentlySessionPinned", "Maximum", proxy_name), 0,
        "A client holds a database connection for itself: some statement keeps state in the session.", Runbook.PROXY,
    )  # fmt: skip
    alarms.above(
        "ProxyAuthentication", proxy_metric("ClientConnectionsSetupFailedAuth", "Sum", proxy_name), 4,
        "The proxy refused to let functions in: their role, their token or their clock is wrong.", Runbook.PROXY,
    )  # fmt: skip
    alarms.above(
        "ProxyConnections", proxy_metric("DatabaseConnectionsSetupFailed", "Sum", proxy_name), 4,
        "The proxy could not connect to the database.", Runbook.PROXY,
    )  # fmt: skip
