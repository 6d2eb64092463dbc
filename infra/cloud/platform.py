"""What the stacks hand each other: everything that a function of the catalog may be given."""

from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sqs as sqs

from infra.cloud.assets import Assets
from infra.cloud.config import DeploymentConfig


@dataclass(frozen=True)
class Platform:
    """Made by the network and data stacks.

    `variables` holds a value for each environment variable that is no secret, `secrets` the secret behind each
    that is, `queues` each queue of the catalog by name. `database_user_arns` maps a connection variable such as
    `DATABASE_URL` to the `rds-db:connect` resource of its role. `uploads_arn` and `archive_arn` are made of the names.
    """

    config: DeploymentConfig
    assets: Assets
    vpc: ec2.IVpc
    functions_security_group: ec2.ISecurityGroup
    key: kms.IKey
    uploads: s3.IBucket
    uploads_arn: str
    archive_arn: str
    variables: Mapping[str, str]
    secrets: Mapping[str, secretsmanager.ISecret]
    queues: Mapping[str, sqs.IQueue]
    dead_letter_queues: Mapping[str, sqs.IQueue]
    database_user_arns: Mapping[str, str]
