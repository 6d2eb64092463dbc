"""What runs although nobody asks: schedules, the polling of queues, and published versions kept warm."""

import re
from collections.abc import Iterator
from typing import Final

from infra.cloud.cost.assumptions import (
    AWAKE_ACU,
    HOURS,
    POLL_SECONDS,
    POLLERS,
    RUN_LOG_KB,
    SCHEDULED_RUN_SECONDS,
    WAKE_SECONDS,
)
from infra.cloud.cost.bill import Usage
from infra.cloud.cost.templates import Deployment, Resource

HOURS_OF: Final = {"minute": 1 / 60, "hour": 1.0, "day": 24.0}
SCHEDULED_MEMORY_MB: Final = 512
DEFAULT_PAUSE_SECONDS: Final = 300
KB_PER_GB: Final = 1024 * 1024


def _schedule(resource: Resource, deployment: Deployment) -> Iterator[Usage]:
    """Return what a schedule's runs use; where the database pauses, each run wakes it and it stays awake a while."""
    if resource.properties.get("State") == "DISABLED":
        return
    runs = HOURS / _hours_between(resource.properties["ScheduleExpression"])
    yield Usage("schedule_invocation", runs, "scheduled runs")
    yield Usage("lambda_request", runs, "scheduled runs")
    yield Usage("lambda_gb_second", runs * SCHEDULED_RUN_SECONDS * SCHEDULED_MEMORY_MB / 1024, "scheduled runs")
    yield Usage("log_ingestion", runs * RUN_LOG_KB / KB_PER_GB, "scheduled runs")
    if deployment.paused_when_idle:
        awake = min(_awake_seconds(deployment), HOURS * 3600 / runs)
        yield Usage("aurora_acu", runs * awake / 3600 * AWAKE_ACU, "scheduled runs that wake the paused database")


def _hours_between(expression: str) -> float:
    found = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", expression)
    if not found:
        raise LookupError(f"the schedule {expression}")
    return int(found[1]) * HOURS_OF[found[2]]


def _awake_seconds(deployment: Deployment) -> float:
    cluster = next(iter(deployment.of_type("AWS::RDS::DBCluster")))
    scaling = cluster.properties["ServerlessV2ScalingConfiguration"]
    pause = float(scaling.get("SecondsUntilAutoPause", DEFAULT_PAUSE_SECONDS))
    return WAKE_SECONDS + SCHEDULED_RUN_SECONDS + pause


def _poll(resource: Resource, _deployment: Deployment) -> Iterator[Usage]:
    if "ProvisionedPollerConfig" in resource.properties:
        raise LookupError("provisioned pollers")
    if resource.properties.get("Enabled", True):
        yield Usage("sqs_request", POLLERS * HOURS * 3600 / POLL_SECONDS, "Lambda's polling of empty queues")


def _version(resource: Resource, deployment: Deployment) -> Iterator[Usage]:
    """Return what SnapStart's snapshot of a published version costs while the version is there."""
    if "ProvisionedConcurrencyConfig" in resource.properties:
        raise LookupError("provisioned concurrency")
    name = resource.properties["FunctionName"].get("Ref")
    function = next(f for f in deployment.of_type("AWS::Lambda::Function") if f.logical_id == name)
    if function.properties.get("SnapStart", {}).get("ApplyOn") == "PublishedVersions":
        gigabytes = function.properties.get("MemorySize", 128) / 1024
        yield Usage("snapstart_cache", gigabytes * HOURS * 3600, "SnapStart snapshots")


RULES: Final = {
    "AWS::Lambda::EventSourceMapping": _poll,
    "AWS::Lambda::Version": _version,
    "AWS::Scheduler::Schedule": _schedule,
}
