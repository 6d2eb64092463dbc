"""What must not be lost: the database, the buckets, the messages; and the migration that comes before all code."""

from typing import Final

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_rds as rds
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.catalog import BUCKET_NOTIFICATIONS, FUNCTIONS, QUEUES, DeploymentTrigger
from infra.cloud.assets import Assets
from infra.cloud.config import DeploymentConfig
from infra.cloud.constructs.buckets import Buckets
from infra.cloud.constructs.catalog_function import CatalogFunction, construct_id
from infra.cloud.constructs.database import Database
from infra.cloud.constructs.malware_scan import MalwareScan
from infra.cloud.constructs.migration import Migration
from infra.cloud.constructs.queues import CatalogQueue
from infra.cloud.constructs.secrets import empty_secret, random_secret
from infra.cloud.platform import Platform
from infra.cloud.stacks.network import NetworkStack
from infra.cloud.stacks.secrets import SecretsStack

MADE_AT_DEPLOYMENT: Final = {
    "TOKEN_KEYS": "Keys that sign access tokens; made by the migration function",
    "TOKEN_PUBLIC_KEYS": "What verifies access tokens; made by the migration function",
}


class DataStack(Stack):
    """Makes the platform that every function stands on."""

    def __init__(
        self,
        scope: Construct,
        stack_id: str,
        *,
        config: DeploymentConfig,
        assets: Assets,
        network: NetworkStack,
        secrets: SecretsStack,
    ) -> None:
        super().__init__(
            scope,
            stack_id,
            description="ChatSphere: database, buckets and queues",
            termination_protection=config.keeps_data,
        )
        self._config = config
        self._key: kms.IKey = secrets.key
        self._database = Database(
            self, config=config, vpc=network.vpc, functions=network.functions_security_group, key=self._key
        )
        self._buckets = Buckets(self, config, key=self._key)
        self._queues = {queue.name: CatalogQueue(self, queue, key=self._key, prefix=config.prefix) for queue in QUEUES}
        reports = self._queues[BUCKET_NOTIFICATIONS.name].queue
        self._buckets.notify(reports)
        if config.malware_scan:
            uploads, arn = self._buckets.uploads, self._buckets.uploads_arn
            MalwareScan(self, uploads=uploads, uploads_arn=arn, key=self._key, results=reports)
        self.platform = self._platform(assets, network, {**secrets.provider_keys, **self._secrets()})
        self.functions = {
            spec.name: CatalogFunction(self, spec, self.platform)
            for spec in FUNCTIONS
            if isinstance(spec.trigger, DeploymentTrigger)
        }
        for function in self.functions.values():
            self._migrate(function)
        # Where a proxy is added, this stack is deployed before those that still import the cluster's own address.
        self.export_value(self.cluster.cluster_endpoint.hostname)
        self.export_value(self.cluster.cluster_resource_identifier)
        CfnOutput(self, "UploadsBucket", value=self._buckets.uploads.bucket_name)
        CfnOutput(self, "ArchiveBucket", value=self._buckets.archive.bucket_name)

    @property
    def cluster(self) -> rds.DatabaseCluster:
        """The database cluster."""
        return self._database.cluster

    @property
    def proxy(self) -> rds.DatabaseProxy | None:
        """The proxy before it, if the deployment has one."""
        return self._database.proxy

    def _secrets(self) -> dict[str, secretsmanager.ISecret]:
        config, key = self._config, self._key
        made = {
            variable: empty_secret(
                self,
                construct_id(variable),
                name=variable.lower().replace("_", "-"),
                description=description,
                config=config,
                key=key,
            )
            for variable, description in MADE_AT_DEPLOYMENT.items()
        }
        # Without it nobody who has a second factor could log in: it has the database's life.
        second_factors = random_secret(
            self,
            "MfaEncryptionKey",
            name="mfa-encryption-key",
            description="Encrypts the secrets of second factors; the first of several seals",
            config=config,
            key=key,
        )
        return {
            "ADMIN_CREDENTIALS": self._database.administrator,
            "MFA_ENCRYPTION_KEY": second_factors,
            **made,
        }

    def _platform(self, assets: Assets, network: NetworkStack, secrets: dict[str, secretsmanager.ISecret]) -> Platform:
        return Platform(
            config=self._config,
            assets=assets,
            vpc=network.vpc,
            functions_security_group=network.functions_security_group,
            key=self._key,
            uploads=self._buckets.uploads,
            uploads_arn=self._buckets.uploads_arn,
            archive_arn=self._buckets.archive_arn,
            variables={
                **self._database.variables,
                **_model_variables(self._config),
                **_account_variables(self._config),
                **_partition_variables(self._config),
                **{f"{name.upper()}_QUEUE_URL": made.queue.queue_url for name, made in self._queues.items()},
                "UPLOADS_BUCKET": self._buckets.uploads.bucket_name,
                "ARCHIVE_BUCKET": self._buckets.archive.bucket_name,
                **{f"{variable}_ARN": secrets[variable].secret_arn for variable in MADE_AT_DEPLOYMENT},
            },
            secrets=secrets,
            queues={name: made.queue for name, made in self._queues.items()},
            dead_letter_queues={name: made.dead for name, made in self._queues.items()},
            database_user_arns=self._database.user_arns,
        )

    def _migrate(self, function: CatalogFunction) -> None:
        migration = Migration(self, function, self.platform)
        # It needs a server that answers, not only a cluster.
        migration.node.add_dependency(self.cluster)


def _model_variables(config: DeploymentConfig) -> dict[str, str]:
    """Return which models, vector store and scanner are used; the local ones stay on one machine."""
    qdrant = {"QDRANT_URL": config.qdrant_url} if config.qdrant_url else {}
    return {
        "EMBEDDER": "gemini",
        "ANSWER_MODEL": "gemini",
        "VECTOR_STORE": config.chosen_vector_store,
        "PINECONE_INDEX": config.prefix,
        "QDRANT_COLLECTION": config.prefix,
        "MALWARE_SCAN": "guardduty" if config.malware_scan else "off",
        "OCR": config.ocr or "off",
        "CACHE": config.cache,
        **qdrant,
    }


def _partition_variables(config: DeploymentConfig) -> dict[str, str]:
    """Return how tables are divided by time, and what stays how long."""
    return {
        "PARTITION_BY": config.partition_by,
        "USAGE_KEPT_DAYS": str(config.usage_kept_days),
        "AUDIT_KEPT_DAYS": str(config.audit_kept_days),
    }


def _account_variables(config: DeploymentConfig) -> dict[str, str]:
    """Return what accounts begin with, who writes to them, and where people come back to after paying.

    Where no mail is sent, nobody can be asked to prove an address.
    """
    variables = {"DEFAULT_PLAN": config.default_plan, "MAILER": "ses" if config.mail else "none"}
    if config.operator_organizations:
        variables["OPERATOR_ORGANIZATIONS"] = ",".join(map(str, config.operator_organizations))
    if config.mail:
        variables["MAIL_FROM"] = config.mail.sender
        if config.mail.link_base:
            variables["MAIL_LINK_BASE"] = config.mail.link_base
        if config.mail.configuration_set:
            variables["SES_CONFIGURATION_SET"] = config.mail.configuration_set
    else:
        variables["REQUIRE_VERIFIED_EMAIL"] = "false"
    if config.stripe:
        variables["BILLING_RETURN_URL"] = config.stripe.return_url
        variables["STRIPE_PRICE_IDS"] = ",".join(f"{plan}={price}" for plan, price in config.stripe.prices.items())
    return variables
