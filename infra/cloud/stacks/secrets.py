"""What people put in by hand: the keys of the providers. And the key that encrypts everything.

A stack of its own, before the database: the migration already talks to the vector store.
"""

from typing import Final

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.cloud.config import DeploymentConfig
from infra.cloud.constructs.encryption_key import encryption_key
from infra.cloud.constructs.secrets import empty_secret

PROVIDER_KEYS: Final = {
    "gemini": "GEMINI_API_KEY",
    "pinecone": "PINECONE_API_KEY",
    "qdrant": "QDRANT_API_KEY",
}


class SecretsStack(Stack):
    """The KMS key, and an empty secret for each provider that the deployment uses."""

    def __init__(self, scope: Construct, construct_id: str, *, config: DeploymentConfig) -> None:
        super().__init__(scope, construct_id, description="ChatSphere: keys", termination_protection=config.keeps_data)
        self.key = encryption_key(self, config)
        self.provider_keys: dict[str, secretsmanager.ISecret] = {}
        for provider in ("gemini", config.chosen_vector_store):
            if provider in PROVIDER_KEYS:
                self._provider_key(provider, config)

    def _provider_key(self, provider: str, config: DeploymentConfig) -> None:
        secret = empty_secret(
            self,
            f"{provider.title()}Key",
            name=f"{provider}-api-key",
            description=f"API key of {provider.title()}: put it in by hand",
            config=config,
            key=self.key,
        )
        self.provider_keys[PROVIDER_KEYS[provider]] = secret
        CfnOutput(self, f"{provider.title()}KeySecret", value=secret.secret_arn)
