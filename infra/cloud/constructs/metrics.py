"""The metrics that alarms and the dashboard look at, each named once."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from chatsphere.observability import NAMESPACE, SERVICE_DIMENSION, Metric
from infra.cloud.config import DeploymentConfig

FIVE_MINUTES = Duration.minutes(5)
COUNT = "Count"


def product_metric(config: DeploymentConfig, metric: Metric, statistic: str | None = None) -> cloudwatch.Metric:
    """Return one of the product's own, over all functions; counts are added up, times shown as p95."""
    return _metric(
        NAMESPACE,
        metric.metric_name,
        {SERVICE_DIMENSION: config.prefix},
        statistic or ("Sum" if metric.unit == COUNT else "p95"),
    )


def lambda_metric(name: str, statistic: str, function_name: str | None = None) -> cloudwatch.Metric:
    """Return a metric of one function, or of all functions of the account and region together."""
    return _metric("AWS/Lambda", name, {"FunctionName": function_name} if function_name else {}, statistic)


def api_metric(name: str, statistic: str, api_name: str, stage: str) -> cloudwatch.Metric:
    """Return a metric of the whole API."""
    return _metric("AWS/ApiGateway", name, {"ApiName": api_name, "Stage": stage}, statistic)


def cluster_metric(name: str, statistic: str, cluster_id: str) -> cloudwatch.Metric:
    """Return a metric of the database, over its instances."""
    return _metric("AWS/RDS", name, {"DBClusterIdentifier": cluster_id}, statistic)


def proxy_metric(name: str, statistic: str, proxy_name: str) -> cloudwatch.Metric:
    """Return a metric of RDS Proxy."""
    return _metric("AWS/RDS", name, {"ProxyName": proxy_name}, statistic)


def _metric(namespace: str, name: str, dimensions: dict[str, str], statistic: str) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=namespace,
        metric_name=name,
        dimensions_map=dimensions,
        statistic=statistic,
        # Without a label: an alarm on a labelled metric is written as an expression.
        period=FIVE_MINUTES,
    )
