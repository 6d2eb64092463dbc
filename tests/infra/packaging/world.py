"""What packaged functions work on: a database, a bucket, queues, and one tenant."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3

from chatsphere.access.permissions import Role
from chatsphere.access.principal import Principal
from chatsphere.bootstrap import Container
from chatsphere.identity.token_keys import public_part
from chatsphere.knowledge.ingestion.deletion import Eraser
from chatsphere.knowledge.ingestion.events import parse_events
from chatsphere.knowledge.ingestion.register import Registrar
from chatsphere.transfers import exports
from infra.catalog import QUEUES, FunctionSpec
from infra.function_environment import function_variables, queue_url_variable
from infra.local.token_keys import token_keys
from tests.builders.pdf import make_pdf
from tests.conftest import Tenant
from tests.loopback.gemini_server import GeminiServer
from tests.moto_server import make_bucket, make_queue, receive_all
from tests.postgres import DatabaseUrls

BUCKET = "packaged-uploads"
ARCHIVE_BUCKET = "packaged-archive"
SENDER = "no-reply@example.com"
UPLOADER_ROLE = "arn:aws:iam::123456789012:role/uploader"


@dataclass(frozen=True)
class World:
    """`values`: what any function's settings may take a value from; `secrets`: the ARNs of those that are secret."""

    tenant: Tenant
    endpoint: str
    values: dict[str, str]
    secrets: dict[str, str]

    @property
    def principal(self) -> dict[str, str]:
        """The tenant's owner, as the authorizer hands them on."""
        return Principal(self.tenant.organization_id, self.tenant.user_id, Role.OWNER).to_context()

    @property
    def adapter_headers(self) -> dict[str, str]:
        """What the Web Adapter adds to a request of the tenant's owner."""
        context = {"requestId": "request-1", "authorizer": self.principal}
        return {"x-amzn-request-context": json.dumps(context), "x-amzn-lambda-context": "{}"}

    @property
    def namespace(self) -> dict[str, str]:
        """The tenant's bot, as messages name it."""
        return {"organization_id": str(self.tenant.organization_id), "bot_id": str(self.tenant.bot_id)}

    def settings_of(self, spec: FunctionSpec) -> dict[str, str]:
        """Return the variables of a function's settings, as the cloud sets them: secrets by their ARN."""
        endpoint = {"AWS_ENDPOINT_URL_SECRETS_MANAGER": self.endpoint}
        return function_variables(spec, self.values, self.secrets) | endpoint

    def put_pdf(self) -> dict[str, Any]:
        """Put a document into the bucket and return S3's notification of it."""
        key = f"{self.tenant.organization_id}/{self.tenant.bot_id}/{uuid4().hex}.pdf"
        client = boto3.client("s3", endpoint_url=self.endpoint)
        version = client.put_object(Bucket=BUCKET, Key=key, Body=make_pdf(["The Falcon plan costs 49 EUR."]))
        described = {"key": key, "versionId": version["VersionId"], "sequencer": uuid4().hex[:16].upper()}
        record = {
            "eventName": "ObjectCreated:Put",
            "eventTime": datetime.now(UTC).isoformat(),
            "s3": {"bucket": {"name": BUCKET}, "object": described},
        }
        return {"Records": [record]}

    def registered_pdf(self) -> dict[str, Any]:
        """Register a document as `register_object` would, and return the message that asks for its extraction."""
        notification, c = self.put_pdf(), Container(self.values)
        queue, objects = c.extract_queue, c.object_store
        eraser = Eraser(c.database, objects, c.vector_store, c.clock)
        limit = c.storage_settings.max_upload_bytes
        registrar = Registrar(c.database, objects, queue, eraser, c.clock, c.ids, limit)
        for event in parse_events(notification):
            registrar.register(event)
        c.database.close()
        message: dict[str, Any] = json.loads(self.messages("EXTRACT_QUEUE_URL")[-1]["Body"])
        return message

    def lost_pdf(self) -> dict[str, Any]:
        """Register a document whose message was lost long ago; return what would ask for its extraction again."""
        message, c = self.registered_pdf(), Container(self.values)
        lost = {"lease_expires_at": c.clock.now() - timedelta(minutes=5), **message}
        with c.database.transaction(self.tenant.organization_id) as connection:
            connection.execute(
                "UPDATE documents SET lease_expires_at = %(lease_expires_at)s WHERE id = %(document_id)s", lost
            )
        c.database.close()
        return message

    def asked_for_export(self) -> dict[str, Any]:
        """Note that the tenant's bot is to be exported, and return the message that asks for it."""
        c, export_id = Container(self.values), uuid4()
        with c.database.transaction(self.tenant.organization_id) as connection:
            exports.ask_for(connection, self.tenant.bot_id, [], export_id=export_id, now=c.clock.now())
        c.database.close()
        return self.namespace | {"export_id": str(export_id)}

    def archived(self, prefix: str) -> list[str]:
        """Return the keys of the archive bucket that begin so."""
        found = boto3.client("s3", endpoint_url=self.endpoint).list_objects_v2(Bucket=ARCHIVE_BUCKET, Prefix=prefix)
        return [entry["Key"] for entry in found.get("Contents", [])]

    def mails_sent(self) -> int:
        """Return how many mails SES took so far."""
        return int(boto3.client("ses", endpoint_url=self.endpoint).get_send_quota()["SentLast24Hours"])

    def messages(self, queue: str) -> list[dict[str, Any]]:
        """Take what was sent to a queue."""
        return receive_all(self.endpoint, self.values[queue])


def make_world(tenant: Tenant, databases: DatabaseUrls, moto: str, gemini: GeminiServer, folder: Path) -> World:
    """Set everything up for one tenant, with the cloud's choice of adapters but for the vector store."""
    make_bucket(moto, BUCKET)
    make_bucket(moto, ARCHIVE_BUCKET)
    boto3.client("ses", endpoint_url=moto).verify_email_identity(EmailAddress=SENDER)
    queues = {queue_url_variable(queue): make_queue(moto, f"packaged-{queue.name}") for queue in QUEUES}
    keys = token_keys(folder / "token_keys.json")
    values = {
        "DATABASE_URL": databases.app,
        "AUTHENTICATOR_DATABASE_URL": databases.authenticator,
        "REAPER_DATABASE_URL": databases.reaper,
        "ERASER_DATABASE_URL": databases.eraser,
        "MAINTAINER_DATABASE_URL": databases.maintainer,
        "UPLOADS_BUCKET": BUCKET,
        "ARCHIVE_BUCKET": ARCHIVE_BUCKET,
        "UPLOADER_ROLE_ARN": UPLOADER_ROLE,
        "S3_ENDPOINT": moto,
        "SQS_ENDPOINT": moto,
        "STS_ENDPOINT": moto,
        "MAILER": "ses",
        "MAIL_FROM": f"ChatSphere <{SENDER}>",
        "SES_ENDPOINT": moto,
        "STRIPE_PRICE_IDS": "Pro=price_1",
        "BILLING_RETURN_URL": "https://console.example.com/billing",
        "EMBEDDER": "gemini",
        "ANSWER_MODEL": "gemini",
        "GEMINI_URL": gemini.url,
        "VECTOR_STORE": "pgvector",
        "VECTOR_DIMENSIONS": "768",
        **queues,
    }
    secrets = {
        "TOKEN_KEYS": keys,
        "TOKEN_PUBLIC_KEYS": public_part(keys),
        "GEMINI_API_KEY": gemini.key,
        "MFA_ENCRYPTION_KEY": uuid4().hex,
        "STRIPE_API_KEY": "sk_test_packaged",
        "STRIPE_WEBHOOK_SECRET": "whsec_packaged",
    }
    return World(tenant, moto, values, {name: make_secret(moto, value) for name, value in secrets.items()})


def make_secret(endpoint: str, value: str) -> str:
    """Keep a secret in Secrets Manager and return its ARN."""
    client = boto3.client("secretsmanager", endpoint_url=endpoint)
    arn: str = client.create_secret(Name=uuid4().hex, SecretString=value)["ARN"]
    return arn
