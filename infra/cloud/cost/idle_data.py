"""The database, its proxy, keys, secrets and buckets."""

from collections.abc import Iterator
from typing import Final

from infra.cloud.cost.assumptions import HOURS, IDLE_DATABASE_GB, IDLE_OBJECTS_GB
from infra.cloud.cost.bill import Usage
from infra.cloud.cost.templates import Deployment, Resource

PROXY_MINIMUM_ACU: Final = 8


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


def _bucket(_resource: Resource, _deployment: Deployment) -> Iterator[Usage]:
    yield Usage("s3_storage", IDLE_OBJECTS_GB, "buckets")


RULES: Final = {
    "AWS::KMS::Key": _key,
    "AWS::RDS::DBCluster": _cluster,
    "AWS::RDS::DBInstance": _instance,
    "AWS::RDS::DBProxy": _proxy,
    "AWS::S3::Bucket": _bucket,
    "AWS::SecretsManager::Secret": _secret,
}
