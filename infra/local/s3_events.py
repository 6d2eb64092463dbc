"""S3 event notifications, as Amazon S3 words them."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus

from infra.local.object_mirror import StoredVersion


def object_event(bucket: str, region: str, name: str, version: StoredVersion) -> dict[str, Any]:
    """Return the notification `name` (such as `ObjectCreated:Put`) of one version; the key is URL-encoded."""
    described: dict[str, Any] = {
        "key": quote_plus(version.key),
        "versionId": version.version_id,
        "sequencer": f"{version.sequence:018X}",
    }
    if not name.startswith("ObjectRemoved:"):
        described |= {"size": version.size, "eTag": version.etag}
    record = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": region,
        "eventTime": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "eventName": name,
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "uploads",
            "bucket": {"name": bucket, "arn": f"arn:aws:s3:::{bucket}"},
            "object": described,
        },
    }
    return {"Records": [record]}


def lost_events(
    bucket: str, region: str, newest: Iterable[StoredVersion], known: Mapping[str, str | None]
) -> list[dict[str, Any]]:
    """Return an event for each key whose newest version the database does not know.

    The change was acknowledged and mirrored, and the queue that held its event ended with the process. `known`
    holds the version that the database has last heard of, by key.
    """
    return [
        object_event(bucket, region, _event_name(version), version)
        for version in newest
        if (version.key in known if version.delete_marker else known.get(version.key) != version.version_id)
    ]


def _event_name(version: StoredVersion) -> str:
    return "ObjectRemoved:DeleteMarkerCreated" if version.delete_marker else "ObjectCreated:Put"
