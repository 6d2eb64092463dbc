"""Alarms, dashboards and logs."""

import json
from collections.abc import Iterator
from typing import Final

from infra.cloud.cost.bill import Usage
from infra.cloud.cost.templates import Deployment, Resource

FREE_DASHBOARD_METRICS: Final = 50


def _alarm(resource: Resource, _deployment: Deployment) -> Iterator[Usage]:
    """Return the metrics that an alarm looks at: an alarm on an expression pays for each of them."""
    queries = resource.properties.get("Metrics", [])
    yield Usage("alarm_metric", sum("MetricStat" in query for query in queries) or 1, "alarms")
    if any("SELECT" in str(query.get("Expression", "")) for query in queries):
        raise LookupError("an alarm on a Metrics Insights query, which pays for each series it finds")
    if resource.properties.get("Period", 60) < 60:
        raise LookupError("a high-resolution alarm")


def _composite(_resource: Resource, _deployment: Deployment) -> Iterator[Usage]:
    yield Usage("composite_alarm", 1, "composite alarms")


def _dashboard(resource: Resource, _deployment: Deployment) -> Iterator[Usage]:
    """Return a dashboard; one with more metrics than the free ones may have is none of these."""
    body = resource.properties["DashboardBody"]
    parts = body["Fn::Join"][1] if isinstance(body, dict) else [body]
    widgets = json.loads("".join(part if isinstance(part, str) else "reference" for part in parts))["widgets"]
    metrics = sum(len(widget["properties"].get("metrics", [])) for widget in widgets)
    yield Usage("dashboard" if metrics <= FREE_DASHBOARD_METRICS else "large_dashboard", 1, "dashboard")


def _log_group(resource: Resource, _deployment: Deployment) -> Iterator[Usage]:
    """Return nothing: what an idle deployment logs is counted by what runs. A group must forget, though."""
    if not resource.properties.get("RetentionInDays"):
        raise LookupError("a log group that keeps its logs for ever")
    yield from ()


RULES: Final = {
    "AWS::CloudWatch::Alarm": _alarm,
    "AWS::CloudWatch::CompositeAlarm": _composite,
    "AWS::CloudWatch::Dashboard": _dashboard,
    "AWS::Logs::LogGroup": _log_group,
}
