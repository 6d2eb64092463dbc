"""The database, its proxy, keys, secrets and buckets."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from infra.cloud.cost.assumptions import HOURS, IDLE_DATABASE_GB, IDLE_OBJECTS_GB
from infra.cloud.cost.bill import Usage
from infra.cloud.cost.templates import Deployment, Resource

PROXY_MINIMUM_ACU: Final = 8
DAYS: Final = HOURS / 24


def _cluster(resource: Resource, _deployment: Deployment) -> Iterator[Usage]:
    """Return storage, and the administrator's secret where RDS keeps it; capacity is priced by instance."""
    yield Usage("aurora_storage", IDLE_DATABASE_GB, "database")
    if resource.properties.get("StorageType", "aurora") != "aurora":
        raise LookupError(resource.properties["StorageType"])
    if resource.properties.get("ManageMasterUserPassword"):
        yield Usage("secret", 1, "administrator's password")


def _instance(resource: Resource, deployment: Deployment) -> Iterator[Usage]:
    """Return an instance's least capacity; a paused one costs only when something wakes it, see schedules."""
    if resource.properties["DBInstanceClass"] != "db.serverless":
        raise LookupError(resource.properties["DBInstanceClass"])
    if resource.properties.get("MonitoringInterval"):
        raise LookupError("enhanced monitoring, which is billed as logs")
    if resource.properties.get("DatabaseInsightsMode", "standard") != "standard":
        raise LookupError("Database Insights, advanced mode")
    cluster = next(iter(deployment.of_type("AWS::RDS::DBCluster")))
    capacity = float(cluster.properties["ServerlessV2ScalingConfiguration"]["MinCapacity"])
    if capacity:
        yield Usage("aurora_acu", HOURS * capacity, "database instances at their minimum")


def _proxy(_resource: Resource, deployment: Deployment) -> Iterator[Usage]:
    cluster = next(iter(deployment.of_type("AWS::RDS::DBCluster")))
    capacity = float(cluster.properties["ServerlessV2ScalingConfiguration"]["MinCapacity"])
    instances = len(list(deployment.of_type("AWS::RDS::DBInstance")))
    yield Usage("rds_proxy_acu", HOURS * max(PROXY_MINIMUM_ACU, capacity * instances), "RDS Proxy")


def _key(_resource: Resource, _deployment: Deployment) -> Iterator[Usage]:
    yield Usage("kms_key", 1, "KMS key; its first two yearly rotations add $1 each")


def _secret(_resource: Resource, _deployment: Deployment) -> Iterator[Usage]:
    yield Usage("secret", 1, "secret")


def _backup_plan(resource: Resource, _deployment: Deployment) -> Iterator[Usage]:
    """Return what daily snapshots and their copies hold; a copy in another region is a whole one each time."""
    for rule in resource.properties["BackupPlan"]["BackupPlanRule"]:
        if not rule["ScheduleExpression"].endswith(" * * ? *)") or rule.get("EnableContinuousBackup"):
            raise LookupError(f"the backups of {rule['ScheduleExpression']}")
        yield Usage("backup_storage", _kept_gb(rule), "daily snapshots of the database")
        for copy in rule.get("CopyActions", []):
            yield Usage("backup_storage", _kept_gb(copy), "copies in another region")
            yield Usage("region_transfer", DAYS * IDLE_DATABASE_GB, "copies on their way to another region")


def _kept_gb(kept: Mapping[str, Any]) -> float:
    return float(kept["Lifecycle"]["DeleteAfterDays"]) * IDLE_DATABASE_GB


def _bucket(_resource: Resource, _deployment: Deployment) -> Iterator[Usage]:
    yield Usage("s3_storage", IDLE_OBJECTS_GB, "buckets")


RULES: Final = {
    "AWS::Backup::BackupPlan": _backup_plan,
    "AWS::KMS::Key": _key,
    "AWS::RDS::DBCluster": _cluster,
    "AWS::RDS::DBInstance": _instance,
    "AWS::RDS::DBProxy": _proxy,
    "AWS::S3::Bucket": _bucket,
    "AWS::SecretsManager::Secret": _secret,
}
