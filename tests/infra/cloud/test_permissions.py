"""What each function may do, as a table for a reviewer; and no wildcard but those with a stated reason."""

import re
from typing import Any

import pytest

from infra.catalog import FUNCTIONS, DeploymentTrigger, FunctionSpec
from tests.infra.cloud.templates import Deployment, Stack, actions, many

EVERY_FUNCTION = {
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
}
CONNECT = {"rds-db:connect"}
READ_SECRETS = {"secretsmanager:GetSecretValue", "kms:Decrypt"}
SEND = {"sqs:SendMessage", "kms:Decrypt", "kms:GenerateDataKey"}
TAKE = {
    "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ReceiveMessage",
    "kms:Decrypt",
}
READ_OBJECTS = {"s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket", "kms:Decrypt"}
PUT_OBJECTS = {"s3:AbortMultipartUpload", "s3:PutObject"}
WRITE_OBJECTS = PUT_OBJECTS | {"kms:Decrypt", "kms:GenerateDataKey"}
DELETE_OBJECTS = {"s3:DeleteObject", "s3:DeleteObjectVersion", "s3:ListBucket", "s3:ListBucketVersions"}

LEAN = {
    "authorize_request": CONNECT | READ_SECRETS,
    "manage_identity": CONNECT | READ_SECRETS | SEND,
    "manage_organizations": CONNECT | SEND,
    "describe_api": CONNECT | READ_SECRETS | {"s3:ListBucket", "sqs:GetQueueAttributes"},
    "manage_bots": CONNECT | SEND | READ_OBJECTS | WRITE_OBJECTS,
    "manage_documents": CONNECT
    | READ_SECRETS
    | SEND
    | READ_OBJECTS
    | DELETE_OBJECTS
    | PUT_OBJECTS
    | {"sts:AssumeRole"},
    "manage_conversations": CONNECT | SEND,
    "answer_question": CONNECT | READ_SECRETS | SEND,
    "manage_retention": CONNECT | SEND | READ_OBJECTS,
    "show_insights": CONNECT,
    "manage_webhooks": CONNECT | SEND | READ_SECRETS,
    "register_object": CONNECT | SEND | TAKE | READ_OBJECTS | DELETE_OBJECTS,
    "extract_document": CONNECT | SEND | TAKE | READ_OBJECTS | READ_SECRETS,
    "embed_chunks": CONNECT | SEND | TAKE | READ_SECRETS,
    "purge_deleted": CONNECT | SEND | TAKE | READ_OBJECTS | WRITE_OBJECTS | DELETE_OBJECTS,
    "run_jobs": CONNECT | SEND | TAKE | READ_OBJECTS | WRITE_OBJECTS | DELETE_OBJECTS | READ_SECRETS,
    "deliver_webhooks": CONNECT | SEND | TAKE | READ_SECRETS,
    "fetch_pages": CONNECT | SEND | TAKE | READ_OBJECTS | DELETE_OBJECTS | PUT_OBJECTS,
    "reconcile_stores": CONNECT | SEND | TAKE | READ_OBJECTS | DELETE_OBJECTS,
    "send_mail": CONNECT | TAKE,
    "reap_stalled": CONNECT | SEND,
    "enforce_retention": CONNECT | SEND | READ_OBJECTS | WRITE_OBJECTS | DELETE_OBJECTS,
    "roll_up_usage": CONNECT | SEND,
    "maintain_database": CONNECT | SEND | WRITE_OBJECTS,
    "migrate_database": CONNECT | READ_SECRETS | {"secretsmanager:PutSecretValue", "kms:GenerateDataKey"},
}
PINECONE_USERS = {
    "describe_api",
    "manage_documents",
    "answer_question",
    "register_object",
    "embed_chunks",
    "purge_deleted",
    "fetch_pages",
    "reconcile_stores",
    "run_jobs",
}

ARCHIVE = {
    "describe_api": {"s3:ListBucket"},
    "manage_bots": READ_OBJECTS | WRITE_OBJECTS,
    "manage_retention": READ_OBJECTS,
    "purge_deleted": READ_OBJECTS | WRITE_OBJECTS | DELETE_OBJECTS,
    "run_jobs": READ_OBJECTS | WRITE_OBJECTS | DELETE_OBJECTS,
    "enforce_retention": READ_OBJECTS | WRITE_OBJECTS | DELETE_OBJECTS,
    "maintain_database": WRITE_OBJECTS,
}
"""Who may do what in the archive's bucket; nobody else reaches it."""

DATABASE_ROLES = {
    "authorize_request": {"chatsphere_authenticator"},
    "manage_identity": {"chatsphere_app", "chatsphere_authenticator"},
    "manage_organizations": {"chatsphere_app", "chatsphere_authenticator"},
    "purge_deleted": {"chatsphere_app", "chatsphere_eraser"},
    "send_mail": {"chatsphere_authenticator"},
    "reap_stalled": {"chatsphere_app", "chatsphere_reaper"},
    "enforce_retention": {"chatsphere_app", "chatsphere_maintainer"},
    "roll_up_usage": {"chatsphere_app", "chatsphere_reaper"},
    "maintain_database": {"chatsphere_maintainer"},
    "migrate_database": {"chatsphere_admin"},
}

WILDCARDS = {
    # EC2's calls for network interfaces, and X-Ray's, take no resource.
    r"\*": EVERY_FUNCTION,
    # Objects of a bucket: their keys are the tenants'.
    r"arn:\S+:s3:::chatsphere-\w+-(uploads|archive)-\S+/\*": READ_OBJECTS | DELETE_OBJECTS | PUT_OBJECTS,
}

every_function = pytest.mark.parametrize("spec", FUNCTIONS, ids=lambda spec: spec.name)


def _resources(deployment: Deployment, function: str, action: str) -> set[str]:
    stack, _, _ = deployment.functions[function]
    return {
        deployment.text(stack, resource)
        for statement in deployment.statements(function)
        if action in many(statement["Action"])
        for resource in many(statement["Resource"])
    }


@every_function
def test_a_function_may_do_what_the_table_says_and_no_more(
    lean: Deployment, scale: Deployment, spec: FunctionSpec
) -> None:
    with_pinecone = READ_SECRETS if spec.name in PINECONE_USERS else set()

    assert set(actions(lean.statements(spec.name))) == EVERY_FUNCTION | LEAN[spec.name]
    assert set(actions(scale.statements(spec.name))) == EVERY_FUNCTION | LEAN[spec.name] | with_pinecone


@every_function
def test_a_function_does_in_the_archive_what_the_table_says_and_no_more(
    deployment: Deployment, spec: FunctionSpec
) -> None:
    allowed = {
        action
        for statement in deployment.statements(spec.name)
        for resource in many(statement["Resource"])
        if "-archive-" in deployment.text(deployment.functions[spec.name][0], resource)
        for action in many(statement["Action"])
    }

    assert allowed == {action for action in ARCHIVE.get(spec.name, set()) if action.startswith("s3:")}
    assert ("ARCHIVE_BUCKET" in deployment.environment(spec.name)) == (spec.name in ARCHIVE)


@every_function
def test_a_function_logs_in_with_its_own_roles_only(deployment: Deployment, spec: FunctionSpec) -> None:
    users = _resources(deployment, spec.name, "rds-db:connect")

    assert {user.rpartition("/")[2] for user in users} == DATABASE_ROLES.get(spec.name, {"chatsphere_app"})
    by_proxy = deployment.config.capacity.proxy and not isinstance(spec.trigger, DeploymentTrigger)
    reached = "DatabaseProxy" if by_proxy else "DatabaseCluster"
    assert all(reached in user for user in users)


@every_function
def test_a_function_reads_the_secrets_that_its_environment_names(deployment: Deployment, spec: FunctionSpec) -> None:
    named = {
        value for name, value in deployment.environment(spec.name).items() if name.endswith(("_SECRET", "_KEYS_ARN"))
    }

    assert _resources(deployment, spec.name, "secretsmanager:GetSecretValue") == named


@every_function
def test_a_wildcard_has_a_reason(deployment: Deployment, spec: FunctionSpec) -> None:
    stack, _, _ = deployment.functions[spec.name]
    for statement in deployment.statements(spec.name):
        assert not [action for action in many(statement["Action"]) if "*" in action]
        for resource in (deployment.text(stack, found) for found in many(statement["Resource"])):
            if "*" in resource:
                [permitted] = [known for pattern, known in WILDCARDS.items() if re.fullmatch(pattern, resource)]
                assert set(many(statement["Action"])) <= permitted


def test_only_the_uploader_role_and_only_for_one_function_can_be_assumed_by_another_role(
    deployment: Deployment,
) -> None:
    roles = [
        (stack, statement)
        for stack, _, found in deployment.of("AWS::IAM::Role")
        for statement in found["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        if "AWS" in statement["Principal"]
    ]

    [(stack, trust)] = roles
    assert deployment.text(stack, trust["Principal"]["AWS"]) == deployment.text(
        stack, deployment.functions["manage_documents"][2]["Properties"]["Role"]
    )
    assert _resources(deployment, "manage_documents", "sts:AssumeRole") == {
        deployment.environment("manage_documents")["UPLOADER_ROLE_ARN"]
    }


def test_only_the_function_that_sends_mail_may_and_only_as_the_sender(everything: Deployment) -> None:
    senders = {spec.name for spec in FUNCTIONS if "ses:SendEmail" in set(actions(everything.statements(spec.name)))}

    assert senders == {"send_mail"}
    every = "arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:"
    assert _resources(everything, "send_mail", "ses:SendEmail") == {
        f"{every}identity/no-reply@example.com",
        f"{every}identity/example.com",
        f"{every}configuration-set/accounts",
    }


def test_scanned_pages_go_to_textract_where_the_deployment_says_so_and_from_one_function(
    everything: Deployment, lean: Deployment
) -> None:
    action = "textract:DetectDocumentText"
    readers = {spec.name for spec in FUNCTIONS if action in set(actions(everything.statements(spec.name)))}

    assert readers == {"extract_document"}
    assert everything.environment("extract_document")["OCR"] == "textract"
    assert lean.environment("extract_document")["OCR"] == "off"


def test_stripes_secrets_reach_the_functions_that_use_them_and_no_other(everything: Deployment) -> None:
    told = {spec.name for spec in FUNCTIONS if "STRIPE_API_KEY_SECRET" in everything.environment(spec.name)}

    assert told == {"manage_organizations", "purge_deleted"}
    assert set(actions(everything.statements("manage_organizations"))) == EVERY_FUNCTION | CONNECT | SEND | READ_SECRETS


def _plain_secrets(stack: Stack, value: Any) -> list[str]:
    if isinstance(value, dict):
        return [found for inner in value.values() for found in _plain_secrets(stack, inner)]
    if isinstance(value, list):
        return [found for inner in value for found in _plain_secrets(stack, inner)]
    return re.findall(r"\{\{resolve:\S+|://[^/\s:@]+:[^/\s@]+@|PRIVATE KEY|AIza\w{10}", str(value))


def test_no_template_holds_or_resolves_a_secret(deployment: Deployment) -> None:
    for stack in deployment.stacks.values():
        assert _plain_secrets(stack, stack.body) == []
    generated = set()
    for _, _, found in deployment.of("AWS::SecretsManager::Secret"):
        assert "SecretString" not in found["Properties"]
        if "GenerateSecretString" in found["Properties"]:
            generated.add(found["Properties"]["Name"])
    # Asked for differently, CloudFormation makes another value, and nobody's second factor is right any more.
    assert generated == {f"{deployment.config.prefix}/mfa-encryption-key"}


def test_the_key_of_second_factors_is_asked_for_as_ever_and_outlives_a_deployment_that_keeps_data(
    scale: Deployment,
) -> None:
    ((_, _, secret),) = (
        found
        for found in scale.of("AWS::SecretsManager::Secret")
        if found[2]["Properties"].get("Name", "").endswith("/mfa-encryption-key")
    )

    assert secret["Properties"]["GenerateSecretString"] == {"ExcludePunctuation": True, "PasswordLength": 64}
    assert (secret["DeletionPolicy"], secret["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
