"""What stores something is encrypted, closed to plain HTTP and to the public, and outlives its stack where it must."""

import pytest

from tests.infra.cloud.templates import Deployment

KEYED = {
    "AWS::SQS::Queue": "KmsMasterKeyId",
    "AWS::SecretsManager::Secret": "KmsKeyId",
    "AWS::SNS::Topic": "KmsMasterKeyId",
    "AWS::RDS::DBCluster": "KmsKeyId",
}
NEEDED_BY_CLUSTER = (
    "AWS::RDS::DBInstance",
    "AWS::RDS::DBSubnetGroup",
    "AWS::RDS::DBClusterParameterGroup",
    "AWS::EC2::SecurityGroup",
)
HOLDS_DATA = (
    "AWS::RDS::DBCluster",
    "AWS::S3::Bucket",
    "AWS::KMS::Key",
    "AWS::SecretsManager::Secret",
    "AWS::Logs::LogGroup",
)


@pytest.mark.parametrize("kind", KEYED)
def test_it_is_encrypted_with_the_key_of_the_deployment(deployment: Deployment, kind: str) -> None:
    found = deployment.of(kind)

    assert found
    for stack, name, resource in found:
        key = deployment.text(stack, resource["Properties"][KEYED[kind]])
        assert key.startswith("${secrets.Key"), name


def test_there_is_one_key_and_it_rotates(deployment: Deployment) -> None:
    [(_, _, key)] = deployment.of("AWS::KMS::Key")

    assert key["Properties"]["EnableKeyRotation"] is True


def test_functions_logs_are_encrypted_kept_for_the_stated_time_and_permitted_by_the_key(deployment: Deployment) -> None:
    [(stack, _, key)] = deployment.of("AWS::KMS::Key")
    [permission] = [found for found in key["Properties"]["KeyPolicy"]["Statement"] if found.get("Sid") == "EncryptLogs"]
    permitted = permission["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"]
    prefixes = [deployment.text(stack, arn).split(":log-group:")[1].rstrip("*") for arn in permitted]

    for owner, name, group in deployment.of("AWS::Logs::LogGroup"):
        properties = group["Properties"]
        assert properties["RetentionInDays"] == deployment.config.log_retention_days, name
        if "KmsKeyId" in properties:
            given = properties.get("LogGroupName", f"{deployment.config.prefix}-{owner.name}-{name}-random")
            assert any(given.startswith(prefix) for prefix in prefixes), name
    for stack, _, function in deployment.functions.values():
        group = stack.resources("AWS::Logs::LogGroup")[function["Properties"]["LoggingConfig"]["LogGroup"]["Ref"]]
        assert "KmsKeyId" in group["Properties"]
        assert function["Properties"]["LoggingConfig"]["LogFormat"] == "JSON"


def test_buckets_are_encrypted_versioned_and_closed_to_the_public(deployment: Deployment) -> None:
    for _, name, bucket in deployment.of("AWS::S3::Bucket"):
        properties = bucket["Properties"]
        [rule] = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        is_log = "LoggingConfiguration" not in properties
        assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == ("AES256" if is_log else "aws:kms"), name
        assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
        assert len(properties["PublicAccessBlockConfiguration"]) == 4
        if not is_log:
            assert rule["BucketKeyEnabled"] is True
            assert properties["VersioningConfiguration"] == {"Status": "Enabled"}


@pytest.mark.parametrize(
    ("kind", "policy", "targets"),
    [
        ("AWS::SQS::Queue", "AWS::SQS::QueuePolicy", "Queues"),
        ("AWS::S3::Bucket", "AWS::S3::BucketPolicy", "Bucket"),
        ("AWS::SNS::Topic", "AWS::SNS::TopicPolicy", "Topics"),
    ],
)
def test_plain_http_is_refused(deployment: Deployment, kind: str, policy: str, targets: str) -> None:
    refusing = set()
    for stack, _, found in deployment.of(policy):
        if any(
            statement["Effect"] == "Deny" and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
            for statement in found["Properties"]["PolicyDocument"]["Statement"]
        ):
            named = found["Properties"][targets]
            refusing |= {(stack.name, target["Ref"]) for target in (named if isinstance(named, list) else [named])}

    assert refusing == {(stack.name, name) for stack, name, _ in deployment.of(kind)}


@pytest.mark.parametrize("kind", HOLDS_DATA)
def test_dev_is_destroyed_cleanly_and_prod_keeps_what_it_stores(lean: Deployment, scale: Deployment, kind: str) -> None:
    assert {found["DeletionPolicy"] for _, _, found in lean.of(kind)} == {"Delete"}
    assert {(found["DeletionPolicy"], found["UpdateReplacePolicy"]) for _, _, found in scale.of(kind)} == {
        ("RetainExceptOnCreate", "Retain")
    }


@pytest.mark.parametrize("kind", NEEDED_BY_CLUSTER)
def test_what_a_kept_cluster_stands_on_is_kept_with_it(scale: Deployment, kind: str) -> None:
    found = scale.stacks["data"].resources(kind)

    assert found
    assert {resource["DeletionPolicy"] for resource in found.values()} == {"RetainExceptOnCreate"}


def test_dev_empties_its_buckets_and_prod_has_nothing_that_could(lean: Deployment, scale: Deployment) -> None:
    assert len(lean.of("Custom::S3AutoDeleteObjects")) == len(lean.of("AWS::S3::Bucket"))
    assert scale.of("Custom::S3AutoDeleteObjects") == []


def test_a_browser_may_upload_from_the_consoles_origins_only(lean: Deployment, scale: Deployment) -> None:
    def rules(deployment: Deployment) -> list[dict[str, list[str]]]:
        return [
            rule
            for _, _, found in deployment.of("AWS::S3::Bucket")
            for rule in found["Properties"].get("CorsConfiguration", {}).get("CorsRules", [])
        ]

    uploads, archive = rules(lean)
    assert uploads["AllowedOrigins"] == archive["AllowedOrigins"] == [*lean.config.console_origins]
    assert set(uploads["AllowedMethods"]) == {"POST", "PUT"}
    assert set(archive["AllowedMethods"]) == {"GET", "POST", "PUT"}
    assert rules(scale) == []


def test_what_lies_in_the_archive_for_a_time_goes_by_itself_and_archives_do_not(deployment: Deployment) -> None:
    data = deployment.stacks["data"]
    [bucket] = [
        found["Properties"]
        for found in data.resources("AWS::S3::Bucket").values()
        if "-archive-" in deployment.text(data, found["Properties"].get("BucketName", ""))
    ]
    rules = bucket["LifecycleConfiguration"]["Rules"]

    ends = {rule.get("Prefix"): rule["ExpirationInDays"] for rule in rules if "ExpirationInDays" in rule}
    assert ends == {"exports/": 7, "imports/": 7, "operations/": 400}
    [former] = [rule["NoncurrentVersionExpiration"] for rule in rules if "Prefix" not in rule]
    assert former == {"NoncurrentDays": 30}
    [cold] = [rule for rule in rules if "Transitions" in rule]
    assert cold["Prefix"] == "archive/"
