"""Secrets. No template holds a value: it is put in by whoever has it, or made by Secrets Manager itself."""

from typing import Final

from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.cloud.config import DeploymentConfig
from infra.cloud.constructs.acknowledge import acknowledge
from infra.cloud.constructs.removal import removal_policy

RANDOM_CHARACTERS: Final = 64


def empty_secret(
    scope: Construct, construct_id: str, *, name: str, description: str, config: DeploymentConfig, key: kms.IKey
) -> secretsmanager.Secret:
    """Make the secret `<prefix>/<name>` without a value; reading it fails until there is one.

    No deployment overwrites the value. By the name's beginning the deploying role's policy knows the deployment's.
    """
    secret = random_secret(scope, construct_id, name=name, description=description, config=config, key=key)
    resource = secret.node.default_child
    assert isinstance(resource, secretsmanager.CfnSecret)
    # A random password would look like a key and be none.
    resource.generate_secret_string = None
    return secret


def random_secret(
    scope: Construct, construct_id: str, *, name: str, description: str, config: DeploymentConfig, key: kms.IKey
) -> secretsmanager.Secret:
    """Make the secret `<prefix>/<name>` with a random text that nobody needs to see.

    CloudFormation makes another value when what is asked for here changes: it must stay as it is.
    """
    secret = secretsmanager.Secret(
        scope,
        construct_id,
        secret_name=f"{config.prefix}/{name}",
        description=description,
        encryption_key=key,
        generate_secret_string=secretsmanager.SecretStringGenerator(
            password_length=RANDOM_CHARACTERS, exclude_punctuation=True
        ),
        removal_policy=removal_policy(config),
    )
    acknowledge(secret, "Its value is no password of a database; the operators' page says how it is renewed.", "SMG4")
    return secret
