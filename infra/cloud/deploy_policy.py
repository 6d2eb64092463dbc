"""The policies that a deployment needs, derived from the resource types of its templates.

`python -m infra.cloud.deploy_policy` prints docs/deploy-policy.json: `deployer` is for who runs `cdk deploy`,
`cloudformation` and `cloudformation-options` for `cdk bootstrap --cloudformation-execution-policies`.
"""

import json
import sys
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

GRANTS: Final = Path(__file__).parent / "deploy_grants.toml"
NEEDS_NOTHING: Final = frozenset({"AWS::CDK::Metadata"})
NAME: Final = "chatsphere"
BOOTSTRAP_ROLES: Final = ("deploy", "file-publishing", "lookup")
MAX_CHARACTERS: Final = 6_144
"""What IAM takes as one managed policy, white space not counted."""

Document = dict[str, Any]


class Grant(BaseModel):
    """One statement: what the resource types of `types` need."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sid: str
    types: tuple[str, ...]
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    condition: Mapping[str, Any] = Field(default_factory=dict)
    policy: Literal["cloudformation", "cloudformation-options"] = "cloudformation"


class UncoveredTypeError(Exception):
    """A template has a resource type that no grant covers."""


def load_grants() -> tuple[Grant, ...]:
    """Read every grant that there is."""
    return tuple(Grant.model_validate(entry) for entry in tomllib.loads(GRANTS.read_text())["grants"])


def cloudformation_policies(types: Iterable[str], name: str = NAME) -> dict[str, Document]:
    """Return what CloudFormation may do: only what the resource types need, on resources that bear our name.

    Two policies, for IAM takes so many characters in one; the second holds what only some deployments have.

    Raises:
        UncoveredTypeError: names the types without a grant.
    """
    used, known = set(types) - NEEDS_NOTHING, load_grants()
    uncovered = sorted(type_ for type_ in used if not any(_covers(grant, type_) for grant in known))
    if uncovered:
        raise UncoveredTypeError(f"Give these resource types a grant in infra/cloud/deploy_grants.toml: {uncovered}")
    documents = {"cloudformation": _document(_assets()), "cloudformation-options": _document([])}
    for grant in known:
        if any(_covers(grant, type_) for type_ in used):
            documents[grant.policy]["Statement"].append(_statement(grant, name))
    return documents


def deployer_policy(name: str = NAME) -> Document:
    """Return what the deploying person or pipeline may do: use the CDK's roles, and put in the providers' keys."""
    return _document(
        [
            {
                "Sid": "UseTheRolesOfCdk",
                "Effect": "Allow",
                "Action": "sts:AssumeRole",
                "Resource": [f"arn:aws:iam::*:role/cdk-*-{role}-role-*" for role in BOOTSTRAP_ROLES],
            },
            {
                "Sid": "PutInTheKeysOfProviders",
                "Effect": "Allow",
                "Action": ["secretsmanager:DescribeSecret", "secretsmanager:PutSecretValue"],
                "Resource": [
                    f"arn:aws:secretsmanager:*:*:secret:{name}-*-{what}-*" for what in ("api-key", "webhook-secret")
                ],
            },
            {
                "Sid": "EncryptThem",
                "Effect": "Allow",
                "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
                "Resource": "*",
                "Condition": {"StringLike": {"kms:ViaService": "secretsmanager.*.amazonaws.com"}},
            },
        ]
    )


def policies(types: Iterable[str], name: str = NAME) -> dict[str, Document]:
    """Return all of them, by name."""
    return {"deployer": deployer_policy(name), **cloudformation_policies(types, name)}


def _covers(grant: Grant, type_: str) -> bool:
    return any(type_ == known or (known.endswith("::") and type_.startswith(known)) for known in grant.types)


def _statement(grant: Grant, name: str) -> Document:
    statement = {
        "Sid": grant.sid,
        "Effect": "Allow",
        "Action": list(grant.actions),
        "Resource": list(grant.resources),
        **({"Condition": grant.condition} if grant.condition else {}),
    }
    filled: Document = json.loads(json.dumps(statement).replace("{name}", name))
    return filled


def _assets() -> list[Document]:
    """Return the reading of what the CDK has uploaded, of its version, and of Amazon's image for the NAT instance."""
    return [
        {"Sid": "Assets", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::cdk-*-assets-*/*"},
        {
            "Sid": "Parameters",
            "Effect": "Allow",
            "Action": "ssm:GetParameter*",
            "Resource": [
                "arn:aws:ssm:*:*:parameter/cdk-bootstrap/*",
                "arn:aws:ssm:*::parameter/aws/service/ami-amazon-linux-latest/*",
            ],
        },
    ]


def _document(statements: list[Document]) -> Document:
    return {"Version": "2012-10-17", "Statement": statements}


def main() -> int:
    """Print the policies for every deployment that there is a file for, and for all options together."""
    from infra.cloud.cost.synthesis import synthesize_all
    from infra.cloud.cost.templates import read_deployments

    with TemporaryDirectory() as folder:
        synthesize_all(Path(folder))
        types = {resource.type for deployment in read_deployments(Path(folder)) for resource in deployment.resources}
    optional = {
        "AWS::ApiGateway::BasePathMapping",
        "AWS::ApiGateway::DomainName",
        "AWS::Backup::BackupPlan",
        "AWS::Backup::BackupSelection",
        "AWS::Backup::BackupVault",
        "AWS::Events::Rule",
        "AWS::GuardDuty::MalwareProtectionPlan",
        "AWS::SNS::Subscription",
    }
    print(json.dumps(policies(types | optional), indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
