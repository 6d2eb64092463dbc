"""What people put in by hand: the keys of the providers. And the key that encrypts everything.

A stack of its own, before the database: the migration already talks to the vector store.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.cloud.config import DeploymentConfig
from infra.cloud.constructs.encryption_key import encryption_key
from infra.cloud.constructs.secrets import empty_secret


@dataclass(frozen=True, slots=True)
class ProviderSecret:
    """A secret of a provider: its construct, its name after the prefix, what it is, and the variable that is read."""

    construct_id: str
    name: str
    description: str
    variable: str


PROVIDER_SECRETS: Final[Mapping[str, tuple[ProviderSecret, ...]]] = {
    "gemini": (ProviderSecret("GeminiKey", "gemini-api-key", "API key of Gemini", "GEMINI_API_KEY"),),
    "pinecone": (ProviderSecret("PineconeKey", "pinecone-api-key", "API key of Pinecone", "PINECONE_API_KEY"),),
    "qdrant": (ProviderSecret("QdrantKey", "qdrant-api-key", "API key of Qdrant", "QDRANT_API_KEY"),),
    "redis": (ProviderSecret("CacheUrl", "cache-url", "Address of the Redis server, with its password", "CACHE_URL"),),
    "stripe": (
        ProviderSecret("StripeKey", "stripe-api-key", "API key of Stripe", "STRIPE_API_KEY"),
        ProviderSecret(
            "StripeWebhook", "stripe-webhook-secret", "What signs Stripe's webhooks", "STRIPE_WEBHOOK_SECRET"
        ),
    ),
}


class SecretsStack(Stack):
    """The KMS key, and an empty secret for each key of a provider that the deployment uses."""

    def __init__(self, scope: Construct, construct_id: str, *, config: DeploymentConfig) -> None:
        super().__init__(scope, construct_id, description="ChatSphere: keys", termination_protection=config.keeps_data)
        self.key = encryption_key(self, config)
        self.provider_keys: dict[str, secretsmanager.ISecret] = {}
        for provider in ("gemini", config.chosen_vector_store, config.cache, *(["stripe"] if config.stripe else [])):
            for described in PROVIDER_SECRETS.get(provider, ()):
                self._empty(described, config)

    def _empty(self, described: ProviderSecret, config: DeploymentConfig) -> None:
        secret = empty_secret(
            self,
            described.construct_id,
            name=described.name,
            description=f"{described.description}: put it in by hand",
            config=config,
            key=self.key,
        )
        self.provider_keys[described.variable] = secret
        CfnOutput(self, f"{described.construct_id}Secret", value=secret.secret_arn)
