"""One page that shows how a deployment is; an account has three dashboards of up to 50 metrics for nothing."""

from collections.abc import Mapping, Sequence

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from chatsphere.observability import Metric
from infra.catalog import FunctionSpec
from infra.cloud.config import DeploymentConfig, Profile
from infra.cloud.constructs.catalog_function import function_name
from infra.cloud.constructs.metrics import (
    FIVE_MINUTES,
    api_metric,
    cluster_metric,
    lambda_metric,
    product_metric,
    proxy_metric,
)

Series = Sequence[cloudwatch.IMetric]


class HealthDashboard(Construct):
    """Rows in the order of a request, then of a document, then of what both stand on."""

    def __init__(self, scope: Construct, config: DeploymentConfig) -> None:
        super().__init__(scope, "Dashboard")
        self._config = config
        self._dashboard = cloudwatch.Dashboard(self, "Dashboard", dashboard_name=f"{config.prefix}-health")

    def add_api(self, api_name: str, stage: str) -> None:
        """Show requests, errors, latency and answers."""
        self._row(
            requests=[api_metric(name, "Sum", api_name, stage) for name in ("Count", "4XXError", "5XXError")],
            latency_ms=[
                api_metric("Latency", "p50", api_name, stage),
                api_metric("Latency", "p95", api_name, stage),
                self._own(Metric.FIRST_TOKEN_TIME),
            ],
            answers=[self._own(m) for m in (Metric.ANSWERS, Metric.ANSWERS_REFUSED, Metric.ANSWERS_FAILED)],
            tokens=[self._own(m) for m in (Metric.PROMPT_TOKENS, Metric.COMPLETION_TOKENS, Metric.TOKENS_EMBEDDED)],
        )

    def add_queues(self, queues: Mapping[str, sqs.IQueue], dead: Mapping[str, sqs.IQueue]) -> None:
        """Show what waits, what died, and what became of documents."""
        self._row(
            oldest_message_seconds=[
                queue.metric_approximate_age_of_oldest_message(period=FIVE_MINUTES, label=name)
                for name, queue in queues.items()
            ],
            dead_letters=[
                queue.metric_approximate_number_of_messages_visible(period=FIVE_MINUTES, label=name)
                for name, queue in dead.items()
            ],
            documents=[self._own(m) for m in (Metric.DOCUMENTS_READY, Metric.DOCUMENTS_FAILED, Metric.WORK_REAPED)],
            stages_ms=[self._own(m) for m in (Metric.REGISTER_TIME, Metric.EXTRACT_TIME, Metric.EMBED_TIME)],
        )

    def add_functions(self, specs: Sequence[FunctionSpec]) -> None:
        """Show each function's errors, throttles and duration; in `lean` those of all together, which cost nothing."""

        def of_each(metric: str, statistic: str) -> Series:
            if self._config.profile is Profile.LEAN:
                return [lambda_metric(metric, statistic)]
            return [
                lambda_metric(metric, statistic, function_name(self._config.prefix, spec)).with_(label=spec.name)
                for spec in specs
            ]

        self._row(
            errors=of_each("Errors", "Sum"),
            throttles=of_each("Throttles", "Sum"),
            duration_p99_ms=of_each("Duration", "p99"),
            concurrent_executions=of_each("ConcurrentExecutions", "Maximum"),
        )

    def add_database(self, cluster_id: str, proxy_name: str | None) -> None:
        """Show capacity, connections and conflicts, and what the credentials and the answers come to."""
        pinned = (
            [proxy_metric("DatabaseConnectionsCurrentlySessionPinned", "Maximum", proxy_name)] if proxy_name else []
        )
        self._row(
            capacity_acu=[cluster_metric("ServerlessDatabaseCapacity", "Average", cluster_id)],
            connections=[cluster_metric("DatabaseConnections", "Maximum", cluster_id), *pinned],
            deadlocks=[cluster_metric("Deadlocks", "Maximum", cluster_id)],
            trouble=[
                self._own(m)
                for m in (
                    Metric.UNEXPECTED_ERRORS,
                    Metric.CREDENTIALS_DENIED,
                    Metric.WEBHOOKS_FAILED,
                    Metric.PARTITIONS_MISSING,
                )
            ],
        )

    def _own(self, metric: Metric) -> cloudwatch.Metric:
        return product_metric(self._config, metric)

    def _row(self, **graphs: Series) -> None:
        self._dashboard.add_widgets(
            *(
                cloudwatch.GraphWidget(title=title.replace("_", " "), left=list(series), width=6, height=6)
                for title, series in graphs.items()
            )
        )
