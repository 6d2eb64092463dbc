"""What a function may do: what its entry in the catalog implies, each resource named."""

from typing import Final

from aws_cdk import Stack
from aws_cdk import aws_iam as iam

from chatsphere.settings import MailSettings, MalwareScanSettings, OcrSettings
from infra.catalog import FunctionSpec, ObjectAccess
from infra.cloud.constructs.acknowledge import acknowledge
from infra.cloud.platform import Platform
from infra.function_environment import function_secrets

BUCKET_ACTIONS: Final[dict[ObjectAccess, tuple[str, ...]]] = {
    "list": ("s3:ListBucket",),
    # Without the right to list, S3 answers a missing key with 403 in place of 404.
    "read": ("s3:ListBucket",),
    "write": (),
    "delete": ("s3:ListBucket", "s3:ListBucketVersions"),
}
OBJECT_ACTIONS: Final[dict[ObjectAccess, tuple[str, ...]]] = {
    "list": (),
    "read": ("s3:GetObject", "s3:GetObjectVersion"),
    # A large object goes in parts; what was begun in vain is taken back.
    "write": ("s3:AbortMultipartUpload", "s3:PutObject"),
    "delete": ("s3:DeleteObject", "s3:DeleteObjectVersion"),
}
ENCRYPT_ACTIONS: Final = ("kms:Decrypt", "kms:GenerateDataKey")
OBJECT_KEY_ACTIONS: Final[dict[ObjectAccess, tuple[str, ...]]] = {
    "list": (),
    "read": ("kms:Decrypt",),
    "write": ("kms:Decrypt", "kms:GenerateDataKey"),
    "delete": (),
}


def function_statements(spec: FunctionSpec, platform: Platform) -> list[iam.PolicyStatement]:
    """Return the statements of the function's policy, without those for its network interface and its trigger."""
    written = _written_secret_arns(spec, platform)
    queues = [platform.queues[queue.name].queue_arn for queue in spec.sends_to]
    return [
        *_allow("ConnectToDatabase", ["rds-db:connect"], _database_users(spec, platform)),
        *_allow("ReadSecrets", ["secretsmanager:GetSecretValue"], [*_secret_arns(spec, platform), *written]),
        *_allow("WriteSecrets", ["secretsmanager:PutSecretValue"], written),
        *_allow("SendMessages", ["sqs:SendMessage"], queues),
        *_allow("WatchQueues", ["sqs:GetQueueAttributes"], _watched_arns(spec, platform)),
        *_allow("UseBucket", _actions(spec.objects, BUCKET_ACTIONS), [platform.uploads_arn]),
        *_allow("UseObjects", _actions(spec.objects, OBJECT_ACTIONS), [objects_of(platform.uploads_arn)]),
        *_allow("UseArchive", _actions(spec.archived, BUCKET_ACTIONS), [platform.archive_arn]),
        *_allow("UseArchived", _actions(spec.archived, OBJECT_ACTIONS), [objects_of(platform.archive_arn)]),
        *_allow("ReadScans", _scan_actions(spec, platform), [objects_of(platform.uploads_arn)]),
        *_allow("SendMail", ["ses:SendEmail"], _mail_resources(spec, platform)),
        *_allow("ReadPictures", _ocr_actions(spec, platform), ["*"]),
        *_allow("UseKey", _key_actions(spec, platform), [platform.key.key_arn]),
    ]


def objects_of(bucket_arn: str) -> str:
    """Return what stands for every object of a bucket."""
    return f"{bucket_arn}/*"


def acknowledge_objects(role: iam.Role, bucket_arn: str) -> None:
    """Accept the wildcard of `objects_of` in the role's policy."""
    resource = Stack.of(role).resolve(objects_of(bucket_arn))
    written = "".join(part if isinstance(part, str) else f"<{part['Ref']}>" for part in resource["Fn::Join"][1])
    acknowledge(
        role, "Objects of one bucket, of every tenant: their keys are not known here.", f"IAM5[Resource::{written}]"
    )


def _allow(sid: str, actions: list[str], resources: list[str]) -> list[iam.PolicyStatement]:
    if not actions or not resources:
        return []
    return [iam.PolicyStatement(sid=sid, actions=actions, resources=resources)]


def _actions(granted: tuple[ObjectAccess, ...], by_access: dict[ObjectAccess, tuple[str, ...]]) -> list[str]:
    return sorted({action for access in granted for action in by_access[access]})


def _scan_actions(spec: FunctionSpec, platform: Platform) -> list[str]:
    if not platform.config.malware_scan or MalwareScanSettings not in spec.settings:
        return []
    return ["s3:GetObjectTagging", "s3:GetObjectVersionTagging"]


def _database_users(spec: FunctionSpec, platform: Platform) -> list[str]:
    declared = {name for group in spec.settings for name in group.variables()}
    return [arn for variable, arn in platform.database_user_arns.items() if variable in declared]


def _watched_arns(spec: FunctionSpec, platform: Platform) -> list[str]:
    names = [queue.name for queue in spec.watches]
    return [queues[name].queue_arn for queues in (platform.queues, platform.dead_letter_queues) for name in names]


def _secret_arns(spec: FunctionSpec, platform: Platform) -> list[str]:
    return [platform.secrets[name].secret_arn for name in sorted(function_secrets(spec, platform.secrets.keys()))]


def _mail_resources(spec: FunctionSpec, platform: Platform) -> list[str]:
    """Return what SES asks permission for: whichever identity of the sender is verified, and the configuration set."""
    mail = platform.config.mail
    if mail is None or MailSettings not in spec.settings:
        return []
    names = [("identity", mail.address), ("identity", mail.address.rpartition("@")[2])]
    if mail.configuration_set:
        names.append(("configuration-set", mail.configuration_set))
    stack = Stack.of(platform.key)
    return [stack.format_arn(service="ses", resource=kind, resource_name=name) for kind, name in names]


def _ocr_actions(spec: FunctionSpec, platform: Platform) -> list[str]:
    """Return the action of Textract, which knows no resources."""
    return ["textract:DetectDocumentText"] if platform.config.ocr == "textract" and OcrSettings in spec.settings else []


def _written_secret_arns(spec: FunctionSpec, platform: Platform) -> list[str]:
    """Return the secrets that the function writes: it is told the ARN where others are told the value."""
    declared = {name for group in spec.settings for name in group.variables()}
    return [secret.secret_arn for name, secret in platform.secrets.items() if f"{name}_ARN" in declared]


def _key_actions(spec: FunctionSpec, platform: Platform) -> list[str]:
    needed = set(_actions((*spec.objects, *spec.archived), OBJECT_KEY_ACTIONS))
    if function_secrets(spec, platform.secrets.keys()):
        needed.add("kms:Decrypt")
    if spec.sends_to or _written_secret_arns(spec, platform):
        needed.update(ENCRYPT_ACTIONS)
    return sorted(needed)
