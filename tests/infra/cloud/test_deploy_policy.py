"""What who deploys may do, against what the templates have."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.cloud.deploy_policy import (
    MAX_CHARACTERS,
    UncoveredTypeError,
    cloudformation_policies,
    load_grants,
    policies,
)
from tests.infra.cloud.templates import Deployment, many

WRITTEN = Path(__file__).parents[3] / "docs" / "deploy-policy.json"
UNNAMED = {"EventSources", "Network", "Keys", "KeyUse", "BackupKeys", "Unnamed"}
"""Grants whose calls know no resource, or whose resources get their names from AWS."""


@pytest.fixture
def types(lean: Deployment, scale: Deployment, everything: Deployment) -> set[str]:
    return {
        resource["Type"]
        for deployment in (lean, scale, everything)
        for stack in deployment.stacks.values()
        for resource in stack.body["Resources"].values()
    }


def statements(policy: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from policy["Statement"]


def test_every_resource_type_of_the_templates_is_covered(types: set[str]) -> None:
    cloudformation_policies(types)


def test_nothing_is_granted_that_no_template_needs(types: set[str]) -> None:
    for grant in load_grants():
        for granted in grant.types:
            assert any(granted == used or (granted == "Custom::" and used.startswith(granted)) for used in types), (
                f"{grant.sid} covers {granted}, which no template has"
            )


def test_an_uncovered_type_is_named() -> None:
    with pytest.raises(UncoveredTypeError, match="AWS::Redshift::Cluster"):
        cloudformation_policies({"AWS::Redshift::Cluster"})


def test_the_written_policy_is_the_derived_one(types: set[str]) -> None:
    assert json.loads(WRITTEN.read_text()) == policies(types), "run: python -m infra.cloud.deploy_policy"


def test_iam_takes_each_as_one_managed_policy(types: set[str]) -> None:
    for policy in policies(types).values():
        assert len(json.dumps(policy, separators=(",", ":"))) <= MAX_CHARACTERS


def test_only_what_has_no_name_is_granted_on_everything(types: set[str]) -> None:
    for policy in cloudformation_policies(types).values():
        for statement in statements(policy):
            assert "*" not in many(statement["Action"])
            assert ("*" in many(statement["Resource"])) <= (statement["Sid"] in UNNAMED), statement["Sid"]


def test_neither_reads_what_customers_or_providers_entrusted(types: set[str]) -> None:
    for policy in policies(types).values():
        for statement in statements(policy):
            for action in many(statement["Action"]):
                assert action not in {"secretsmanager:GetSecretValue", "secretsmanager:*", "s3:*", "sqs:*", "iam:*"}
                if action == "s3:GetObject":
                    assert many(statement["Resource"]) == ["arn:aws:s3:::cdk-*-assets-*/*"]


def test_the_deployer_only_takes_on_roles_of_the_cdk(types: set[str]) -> None:
    for statement in statements(policies(types)["deployer"]):
        if "sts:AssumeRole" in many(statement["Action"]):
            assert all(resource.startswith("arn:aws:iam::*:role/cdk-") for resource in many(statement["Resource"]))


def test_roles_get_no_policies_of_aws_but_service_roles(
    lean: Deployment, scale: Deployment, everything: Deployment
) -> None:
    for deployment in (lean, scale, everything):
        for stack, _, role in deployment.of("AWS::IAM::Role"):
            for arn in role["Properties"].get("ManagedPolicyArns", []):
                assert ":policy/service-role/" in deployment.text(stack, arn)


def test_what_has_a_name_begins_with_the_deployments(everything: Deployment) -> None:
    named = {
        "AWS::Lambda::Function": "FunctionName",
        "AWS::SQS::Queue": "QueueName",
        "AWS::SecretsManager::Secret": "Name",
        "AWS::RDS::DBCluster": "DBClusterIdentifier",
        "AWS::CloudWatch::Dashboard": "DashboardName",
        "AWS::WAFv2::WebACL": "Name",
    }
    for type_, property_ in named.items():
        names = [r["Properties"].get(property_) for _, _, r in everything.of(type_)]
        assert any(names), type_
        assert all(name.startswith(everything.config.prefix) for name in filter(None, names)), type_
