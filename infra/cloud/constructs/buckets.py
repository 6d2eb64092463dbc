"""The buckets: of uploads, of what was archived, and of the log of who reached them."""

from typing import Final

from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.cloud.config import DeploymentConfig
from infra.cloud.constructs.removal import removal_policy

ABORT_UPLOADS_AFTER: Final = Duration.days(2)
OLD_VERSIONS_KEPT: Final = Duration.days(30)
ARCHIVED_COLD_AFTER: Final = Duration.days(90)
TRANSFERS_KEPT: Final = Duration.days(7)
"""Exports and imports of bots: they are fetched, or read, once."""

OVER_AT_ONCE: Final = Duration.days(1)
REPORTS_KEPT: Final = Duration.days(400)
NOTIFIED: Final = ("s3:ObjectCreated:*", "s3:ObjectRemoved:*", "s3:LifecycleExpiration:*")


class Buckets(Construct):
    """Encrypted, versioned, closed to the public and to plain HTTP."""

    def __init__(self, scope: Construct, config: DeploymentConfig, *, key: kms.IKey) -> None:
        super().__init__(scope, "Buckets")
        self._config = config
        self._key = key
        self._log = self._access_log()
        self.uploads = self._bucket(
            "Uploads",
            cors=self._cors(),
            rules=[
                s3.LifecycleRule(
                    abort_incomplete_multipart_upload_after=ABORT_UPLOADS_AFTER,
                    noncurrent_version_expiration=OLD_VERSIONS_KEPT,
                    expired_object_delete_marker=True,
                )
            ],
        )
        self.archive = self._bucket("Archive", cors=self._cors(s3.HttpMethods.GET), rules=_archive_rules())

    def notify(self, queue: sqs.Queue) -> None:
        """Report created and removed objects of the uploads bucket to the queue.

        Written as properties of the bucket: the library's own way is a function that may change every bucket.
        """
        stack = Stack.of(self)
        queue.add_to_resource_policy(
            iam.PolicyStatement(
                sid="Notify",
                principals=[iam.ServicePrincipal("s3.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[queue.queue_arn],
                conditions={
                    "StringEquals": {"aws:SourceAccount": stack.account},
                    "ArnLike": {"aws:SourceArn": self.uploads_arn},
                },
            )
        )
        resource = self.uploads.node.default_child
        assert isinstance(resource, s3.CfnBucket)
        resource.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
            queue_configurations=[
                s3.CfnBucket.QueueConfigurationProperty(event=event, queue=queue.queue_arn) for event in NOTIFIED
            ]
        )
        permission = queue.node.find_child("Policy").node.default_child
        assert isinstance(permission, sqs.CfnQueuePolicy)
        resource.add_resource_dependency(permission)

    @property
    def uploads_arn(self) -> str:
        """The ARN of the uploads bucket, made of its name: known before there is a bucket."""
        return self._arn("uploads")

    @property
    def archive_arn(self) -> str:
        """The ARN of the archive bucket, made of its name."""
        return self._arn("archive")

    def _arn(self, name: str) -> str:
        return f"arn:{Stack.of(self).partition}:s3:::{self._name(name)}"

    def _name(self, name: str) -> str:
        stack = Stack.of(self)
        return f"{self._config.prefix}-{name}-{stack.account}-{stack.region}"

    def _bucket(self, name: str, *, cors: list[s3.CorsRule], rules: list[s3.LifecycleRule]) -> s3.Bucket:
        return s3.Bucket(
            self,
            name,
            # With a name, policies can name it, and whatever would replace it by an empty one fails instead.
            bucket_name=self._name(name.lower()),
            encryption=s3.BucketEncryption.KMS,
            encryption_key=self._key,
            # One call of KMS for many objects.
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            versioned=True,
            cors=cors,
            lifecycle_rules=rules,
            server_access_logs_bucket=self._log,
            server_access_logs_prefix=f"{name.lower()}/",
            removal_policy=removal_policy(self._config),
            auto_delete_objects=not self._config.keeps_data,
        )

    def _access_log(self) -> s3.Bucket:
        return s3.Bucket(
            self,
            "AccessLog",
            # S3 writes its log with no other key than its own.
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            lifecycle_rules=[s3.LifecycleRule(expiration=Duration.days(self._config.log_retention_days))],
            removal_policy=removal_policy(self._config),
            auto_delete_objects=not self._config.keeps_data,
        )

    def _cors(self, *besides: s3.HttpMethods) -> list[s3.CorsRule]:
        if not self._config.console_origins:
            return []
        return [
            s3.CorsRule(
                allowed_origins=[*self._config.console_origins],
                allowed_methods=[s3.HttpMethods.POST, s3.HttpMethods.PUT, *besides],
                allowed_headers=["*"],
                exposed_headers=["ETag"],
                max_age=3600,
            )
        ]


def _archive_rules() -> list[s3.LifecycleRule]:
    """Return how long what is archived stays: for ever, by S3's own reckoning, but for transfers and reports.

    Of rules that overlap, S3 takes the one that ends an object first. An archive's own end is the product's matter.
    """
    cold = s3.Transition(storage_class=s3.StorageClass.GLACIER_INSTANT_RETRIEVAL, transition_after=ARCHIVED_COLD_AFTER)
    transfers = [
        s3.LifecycleRule(prefix=prefix, expiration=TRANSFERS_KEPT, noncurrent_version_expiration=OVER_AT_ONCE)
        for prefix in ("exports/", "imports/")
    ]
    return [
        s3.LifecycleRule(
            abort_incomplete_multipart_upload_after=ABORT_UPLOADS_AFTER,
            noncurrent_version_expiration=OLD_VERSIONS_KEPT,
            expired_object_delete_marker=True,
        ),
        s3.LifecycleRule(prefix="archive/", transitions=[cold]),
        *transfers,
        s3.LifecycleRule(prefix="operations/", expiration=REPORTS_KEPT),
    ]
