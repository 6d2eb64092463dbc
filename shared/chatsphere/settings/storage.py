"""The uploads bucket, the queues, and who may put files there."""

from typing import Literal

from pydantic import Field

from chatsphere.settings.environment import Environment


class StorageSettings(Environment):
    """The uploads bucket. `s3_endpoint` is set only where S3 is not AWS's."""

    uploads_bucket: str
    s3_endpoint: str | None = None
    max_upload_bytes: int = Field(default=200 * 1024 * 1024, ge=1)
    upload_expires_seconds: int = Field(default=3600, ge=1, le=604_800)


class ArchiveSettings(Environment):
    """The bucket of what was archived and exported; `s3_endpoint` as for uploads. No event is sent of its objects."""

    archive_bucket: str
    s3_endpoint: str | None = None


class MalwareScanSettings(Environment):
    """Who scans uploaded objects for malware; where somebody does, nothing is read before it was found clean."""

    malware_scan: Literal["off", "guardduty"] = "off"


class QueueSettings(Environment):
    """Addresses of the queues that a function sends to; each function is given only those it may use."""

    sqs_endpoint: str | None = None
    intake_queue_url: str | None = None
    extract_queue_url: str | None = None
    embed_queue_url: str | None = None
    purge_queue_url: str | None = None
    mail_queue_url: str | None = None
    fetch_queue_url: str | None = None
    reconcile_queue_url: str | None = None
    jobs_queue_url: str | None = None
    webhooks_queue_url: str | None = None


class UploadCredentialsSettings(Environment):
    """Temporary AWS credentials for one bot's prefix, from the role `uploader_role_arn`.

    Lambda itself sets `aws_region`. A role that lends another role's credentials may do so for an hour at most.
    """

    uploader_role_arn: str
    aws_region: str = "us-east-1"
    sts_endpoint: str | None = None
    upload_credentials_seconds: int = Field(default=3600, ge=900, le=3600)
