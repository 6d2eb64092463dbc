"""Secrets. No template holds a value: each is put in by whoever has it, after its secret was made empty."""

from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.cloud.config import DeploymentConfig
from infra.cloud.constructs.acknowledge import acknowledge
from infra.cloud.constructs.removal import removal_policy


def empty_secret(
    scope: Construct, construct_id: str, *, name: str, description: str, config: DeploymentConfig, key: kms.IKey
) -> secretsmanager.Secret:
    """Make the secret `<prefix>/<name>` without a value; reading it fails until there is one.

    No deployment overwrites the value. By the name's beginning the deploying role's policy knows the deployment's.
    """
    secret = secretsmanager.Secret(
        scope,
        construct_id,
        secret_name=f"{config.prefix}/{name}",
        description=description,
        encryption_key=key,
        removal_policy=removal_policy(config),
    )
    resource = secret.node.default_child
    assert isinstance(resource, secretsmanager.CfnSecret)
    # The library would put in a random password, which looks like a key and is none.
    resource.generate_secret_string = None
    acknowledge(secret, "Its value is no password of a database; the operators' page says how it is renewed.", "SMG4")
    return secret
