"""Every function of ChatSphere, once.

The one-machine run (`infra/local`) and the CDK application read this list and nothing else, so the two
cannot drift apart. A handler lives in `functions/<name>/handler.py`.
"""

from dataclasses import dataclass, field
from typing import Literal

from chatsphere import settings

Layer = Literal[
    "core", "identity", "parsers", "streaming", "local_models", "providers", "migrations", "billing", "archive"
]
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
ObjectAccess = Literal["list", "read", "write", "delete"]


@dataclass(frozen=True, slots=True)
class Queue:
    """An SQS queue; its dead-letter queue is `<name>-dead` and always exists."""

    name: str
    max_receive_count: int = 5


INTAKE = Queue("intake")
EXTRACT = Queue("extract")
EMBED = Queue("embed")
PURGE = Queue("purge")
MAIL = Queue("mail")
FETCH = Queue("fetch")
RECONCILE = Queue("reconcile")
JOBS = Queue("jobs")
WEBHOOKS = Queue("webhooks")
QUEUES = (INTAKE, EXTRACT, EMBED, PURGE, MAIL, FETCH, RECONCILE, JOBS, WEBHOOKS)

BUCKET_NOTIFICATIONS = INTAKE
"""Where the uploads bucket reports created and removed objects."""


@dataclass(frozen=True, slots=True)
class Route:
    """One method and path of the HTTP API; `public` routes are reached without a credential."""

    method: Method
    path: str
    public: bool = False


@dataclass(frozen=True, slots=True)
class HttpTrigger:
    """Requests through the REST API.

    `streaming`: the handler module's `app` is an ASGI application, run under the Lambda Web Adapter, whose
    response is streamed to the client; otherwise `handler` takes one API Gateway REST proxy event.
    """

    routes: tuple[Route, ...]
    streaming: bool = False


@dataclass(frozen=True, slots=True)
class AuthorizerTrigger:
    """The REST API's REQUEST authorizer, asked before every route that is not public."""


@dataclass(frozen=True, slots=True)
class QueueTrigger:
    """Messages of one queue, in batches, with partial batch responses (`ReportBatchItemFailures`)."""

    queue: Queue
    batch_size: int = 1
    max_concurrency: int = 2


@dataclass(frozen=True, slots=True)
class ScheduleTrigger:
    """An EventBridge schedule.

    `every_minutes_lean`: how often where each run wakes a database that has paused, which costs money; the work
    is still found by its queues, this is the net below them.
    """

    every_minutes: int
    every_minutes_lean: int


@dataclass(frozen=True, slots=True)
class DeploymentTrigger:
    """Each deployment, before any other function's new code is live; a failure fails the deployment.

    CloudFormation invokes it as a custom resource. The one-machine run has its own call of the same use case.
    """


Trigger = HttpTrigger | AuthorizerTrigger | QueueTrigger | ScheduleTrigger | DeploymentTrigger


@dataclass(frozen=True, slots=True)
class FunctionSpec:
    """One Lambda function: what starts it, what it may read from its environment, and its limits.

    What it may do follows from these: the secrets and the database role that its settings name, `sends_to`, `watches`
    (to see how long those queues and their dead-letter queues are), `objects` in the uploads bucket and `archived` in
    the archive's (`delete` includes listing and removing versions).
    """

    name: str
    trigger: Trigger
    settings: tuple[type[settings.Environment], ...]
    layers: tuple[Layer, ...] = ("core",)
    memory_mb: int = 512
    timeout_seconds: int = 29
    sends_to: tuple[Queue, ...] = field(default=())
    watches: tuple[Queue, ...] = field(default=())
    objects: tuple[ObjectAccess, ...] = field(default=())
    archived: tuple[ObjectAccess, ...] = field(default=())

    @property
    def provider_limits(self) -> dict[str, str]:
        """Limits of vendor calls where the defaults are too long: the function needs time left to answer itself."""
        if self.timeout_seconds > 60:
            return {}
        return {"PROVIDER_TOTAL_SECONDS": "8", "PROVIDER_READ_SECONDS": "6", "VECTOR_VISIBLE_SECONDS": "3"}


def _routes(*lines: str, public: bool = False) -> tuple[Route, ...]:
    """Read routes written as `METHOD /path`."""
    return tuple(Route(method, path, public) for method, path in (line.split() for line in lines))  # type: ignore[arg-type]


FUNCTIONS: tuple[FunctionSpec, ...] = (
    FunctionSpec(
        "authorize_request",
        AuthorizerTrigger(),
        settings=(settings.AuthenticatorSettings, settings.TokenVerificationSettings),
        layers=("core", "identity"),
        memory_mb=512,
    ),
    FunctionSpec(
        "manage_identity",
        HttpTrigger(
            _routes(
                "POST /v1/auth/register",
                "POST /v1/auth/login",
                "POST /v1/auth/refresh",
                "POST /v1/auth/logout",
                "POST /v1/auth/verify-email",
                "POST /v1/auth/password/forgot",
                "POST /v1/auth/password/reset",
                "POST /v1/auth/mfa/verify",
                "POST /v1/erasures/receipt",
                public=True,
            )
            + _routes(
                "POST /v1/auth/resend-verification",
                "POST /v1/auth/switch",
                "POST /v1/auth/mfa/enroll",
                "POST /v1/auth/mfa/disable",
                "POST /v1/auth/mfa/recovery-codes",
                "GET /v1/me",
                "PATCH /v1/me",
                "DELETE /v1/me",
                "GET /v1/me/export",
                "POST /v1/me/email",
                "POST /v1/me/password",
                "GET /v1/me/sessions",
                "DELETE /v1/me/sessions",
                "DELETE /v1/me/sessions/{session_id}",
                "POST /v1/api-keys",
                "GET /v1/api-keys",
                "GET /v1/api-keys/{api_key_id}",
                "PATCH /v1/api-keys/{api_key_id}",
                "DELETE /v1/api-keys/{api_key_id}",
                "POST /v1/api-keys/{api_key_id}/rotate",
                # Here, where passwords and second factors are asked for.
                "DELETE /v1/organizations/{organization_id}",
                # Here, where the key is that signs their receipts.
                "POST /v1/erasures",
                "GET /v1/erasures",
                "GET /v1/erasures/{erasure_id}",
            )
        ),
        settings=(
            settings.DatabaseSettings,
            settings.AuthenticatorSettings,
            settings.TokenSettings,
            settings.PasswordSettings,
            settings.MfaSettings,
            settings.CredentialThrottleSettings,
            settings.AccountSettings,
            settings.PlanSettings,
            settings.QueueSettings,
            settings.BrowserSettings,
        ),
        layers=("core", "identity"),
        sends_to=(MAIL, PURGE),
    ),
    FunctionSpec(
        "manage_organizations",
        HttpTrigger(
            _routes("GET /v1/plans", "POST /v1/billing/stripe-webhook", public=True)
            + _routes(
                "GET /v1/organizations",
                "POST /v1/organizations",
                "GET /v1/organizations/{organization_id}",
                "PATCH /v1/organizations/{organization_id}",
                "POST /v1/organizations/{organization_id}/transfer",
                "POST /v1/organizations/{organization_id}/leave",
                "GET /v1/organizations/{organization_id}/members",
                "PATCH /v1/organizations/{organization_id}/members/{user_id}",
                "DELETE /v1/organizations/{organization_id}/members/{user_id}",
                "GET /v1/organizations/{organization_id}/invitations",
                "POST /v1/organizations/{organization_id}/invitations",
                "DELETE /v1/organizations/{organization_id}/invitations/{invitation_id}",
                "POST /v1/invitations/accept",
                "GET /v1/organizations/{organization_id}/usage",
                "PUT /v1/organizations/{organization_id}/plan",
                "POST /v1/organizations/{organization_id}/billing/checkout",
                "POST /v1/organizations/{organization_id}/billing/portal",
                "GET /v1/audit-log",
                "GET /v1/audit-log/export",
            )
        ),
        settings=(
            settings.DatabaseSettings,
            settings.AuthenticatorSettings,
            settings.AccountSettings,
            settings.PlanSettings,
            settings.StripeSettings,
            settings.QueueSettings,
            settings.BrowserSettings,
        ),
        layers=("core", "billing"),
        sends_to=(MAIL,),
    ),
    FunctionSpec(
        "describe_api",
        HttpTrigger(
            _routes(
                "GET /v1/openapi.json",
                "GET /docs",
                "GET /.well-known/jwks.json",
                "GET /v1/health/live",
                "GET /v1/health/ready",
                public=True,
            )
            + _routes("GET /v1/health/deep")
        ),
        settings=(
            settings.DatabaseSettings,
            settings.TokenVerificationSettings,
            settings.ApiSettings,
            settings.BrowserSettings,
            # Asked by deep health, and loaded by nothing else.
            settings.OperatorSettings,
            settings.PartitionSettings,
            settings.VectorStoreSettings,
            settings.StorageSettings,
            settings.ArchiveSettings,
            settings.QueueSettings,
            settings.EmbeddingSettings,
            settings.AnswerSettings,
            settings.CacheServerSettings,
        ),
        layers=("core", "identity", "providers"),
        watches=QUEUES,
        objects=("list",),
        archived=("list",),
    ),
    FunctionSpec(
        "manage_bots",
        HttpTrigger(
            _routes(
                "POST /v1/bots",
                "GET /v1/bots",
                "GET /v1/bots/{bot_id}",
                "PATCH /v1/bots/{bot_id}",
                "DELETE /v1/bots/{bot_id}",
                "POST /v1/bots/{bot_id}/publish",
                "POST /v1/bots/{bot_id}/unpublish",
                "POST /v1/bots/{bot_id}/archive",
                "POST /v1/bots/{bot_id}/restore",
                "POST /v1/bots/{bot_id}/rollback",
                "GET /v1/bots/{bot_id}/versions",
                "GET /v1/bots/{bot_id}/versions/{version}",
                "GET /v1/bots/{bot_id}/versions/{version}/diff",
                "GET /v1/bots/{bot_id}/members",
                "PUT /v1/bots/{bot_id}/members/{user_id}",
                "DELETE /v1/bots/{bot_id}/members/{user_id}",
                "GET /v1/bots/{bot_id}/cache",
                "DELETE /v1/bots/{bot_id}/cache",
                "POST /v1/bots/{bot_id}/evaluation-sets",
                "GET /v1/bots/{bot_id}/evaluation-sets",
                "GET /v1/bots/{bot_id}/evaluation-sets/{set_id}",
                "PATCH /v1/bots/{bot_id}/evaluation-sets/{set_id}",
                "DELETE /v1/bots/{bot_id}/evaluation-sets/{set_id}",
                "POST /v1/bots/{bot_id}/evaluation-sets/{set_id}/cases",
                "GET /v1/bots/{bot_id}/evaluation-sets/{set_id}/cases",
                "PUT /v1/bots/{bot_id}/evaluation-sets/{set_id}/cases/{case_id}",
                "DELETE /v1/bots/{bot_id}/evaluation-sets/{set_id}/cases/{case_id}",
                "POST /v1/bots/{bot_id}/evaluation-sets/{set_id}/import-feedback",
                "POST /v1/bots/{bot_id}/exports",
                "GET /v1/bots/{bot_id}/exports",
                "GET /v1/bots/{bot_id}/exports/{export_id}",
                "POST /v1/bot-imports",
                "GET /v1/bot-imports",
                "GET /v1/bot-imports/{import_id}",
                "POST /v1/bot-imports/{import_id}/start",
            )
            + _routes("GET /v1/public/bots/{bot_id}", public=True)
        ),
        settings=(
            settings.DatabaseSettings,
            settings.AccountSettings,
            settings.QueueSettings,
            settings.BrowserSettings,
            settings.CacheSettings,
            settings.ArchiveSettings,
        ),
        sends_to=(PURGE, JOBS, WEBHOOKS),
        archived=("read", "write"),
    ),
    FunctionSpec(
        "manage_documents",
        HttpTrigger(
            _routes(
                "POST /v1/bots/{bot_id}/documents",
                "GET /v1/bots/{bot_id}/documents",
                "GET /v1/bots/{bot_id}/documents/{document_id}",
                "PATCH /v1/bots/{bot_id}/documents/{document_id}",
                "DELETE /v1/bots/{bot_id}/documents/{document_id}",
                "GET /v1/bots/{bot_id}/documents/{document_id}/source",
                "GET /v1/bots/{bot_id}/documents/{document_id}/chunks",
                "POST /v1/bots/{bot_id}/documents/{document_id}/reprocess",
                "GET /v1/bots/{bot_id}/documents/{document_id}/history",
                "POST /v1/bots/{bot_id}/upload-credentials",
                "POST /v1/bots/{bot_id}/sources",
                "GET /v1/bots/{bot_id}/sources",
                "GET /v1/bots/{bot_id}/sources/{source_id}",
                "PATCH /v1/bots/{bot_id}/sources/{source_id}",
                "DELETE /v1/bots/{bot_id}/sources/{source_id}",
                "GET /v1/bots/{bot_id}/sources/{source_id}/pages",
                "POST /v1/bots/{bot_id}/sources/{source_id}/sync",
                "GET /v1/embedding-models",
                "PUT /v1/embedding-models/{model}/calibration",
                "DELETE /v1/embedding-models/{model}/calibration",
                "POST /v1/bots/{bot_id}/training-runs",
                "GET /v1/bots/{bot_id}/training-runs",
                "GET /v1/bots/{bot_id}/training-runs/{run_id}",
                "POST /v1/bots/{bot_id}/training-runs/{run_id}/cancel",
                "GET /v1/bots/{bot_id}/ingestion",
                "POST /v1/bots/{bot_id}/redrive",
                "POST /v1/bots/{bot_id}/reconcile",
                "GET /v1/bots/{bot_id}/reconciliations",
                "GET /v1/bots/{bot_id}/reconciliations/{reconciliation_id}",
                "GET /v1/deletions",
                "GET /v1/deletions/{deletion_id}",
            )
        ),
        settings=(
            settings.DatabaseSettings,
            settings.StorageSettings,
            settings.QueueSettings,
            settings.VectorStoreSettings,
            settings.EmbeddingSettings,
            settings.UploadCredentialsSettings,
            settings.BrowserSettings,
            settings.WebSettings,
            settings.MalwareScanSettings,
        ),
        layers=("core", "providers"),
        sends_to=(EXTRACT, EMBED, PURGE, FETCH, RECONCILE, WEBHOOKS),
        objects=("read", "write", "delete"),
    ),
    FunctionSpec(
        "manage_conversations",
        HttpTrigger(
            _routes(
                "GET /v1/bots/{bot_id}/conversations",
                "GET /v1/bots/{bot_id}/end-users",
                "GET /v1/bots/{bot_id}/feedback",
                "GET /v1/bots/{bot_id}/unanswered-questions",
                "PATCH /v1/bots/{bot_id}/unanswered-questions/{question_id}",
                "GET /v1/conversations/{conversation_id}",
                "PATCH /v1/conversations/{conversation_id}",
                "DELETE /v1/conversations/{conversation_id}",
                "GET /v1/conversations/{conversation_id}/messages",
                "GET /v1/messages/{message_id}",
                "PUT /v1/messages/{message_id}/feedback",
                "DELETE /v1/messages/{message_id}/feedback",
            )
        ),
        settings=(settings.DatabaseSettings, settings.QueueSettings, settings.BrowserSettings),
        sends_to=(PURGE, WEBHOOKS),
    ),
    FunctionSpec(
        "answer_question",
        HttpTrigger(
            _routes(
                "POST /v1/bots/{bot_id}/chat",
                "POST /v1/bots/{bot_id}/search",
                "GET /v1/bots/{bot_id}/ingestion/stream",
                "POST /v1/chat/{message_id}/stop",
                "GET /v1/chat/{message_id}/stream",
                "POST /v1/conversations/search",
                "POST /v1/chat/completions",
                "POST /v1/responses",
                "GET /v1/responses/{response_id}",
                "GET /v1/models",
                "GET /v1/models/{model_id}",
            )
            + _routes("POST /v1/public/bots/{bot_id}/chat", public=True),
            streaming=True,
        ),
        settings=(
            settings.DatabaseSettings,
            settings.EmbeddingSettings,
            settings.VectorStoreSettings,
            settings.AnswerSettings,
            settings.QueueSettings,
            settings.BrowserSettings,
            settings.CacheServerSettings,
        ),
        layers=("core", "streaming", "providers", "local_models"),
        memory_mb=1024,
        timeout_seconds=120,
        sends_to=(EMBED, WEBHOOKS),
    ),
    FunctionSpec(
        "manage_retention",
        HttpTrigger(
            _routes(
                "GET /v1/retention/policy",
                "PUT /v1/retention/policy",
                "GET /v1/bots/{bot_id}/retention-policy",
                "PUT /v1/bots/{bot_id}/retention-policy",
                "DELETE /v1/bots/{bot_id}/retention-policy",
                "POST /v1/retention/runs",
                "GET /v1/retention/runs",
                "GET /v1/retention/runs/{retention_run_id}",
                "GET /v1/retention/runs/{retention_run_id}/items",
                "POST /v1/legal-holds",
                "GET /v1/legal-holds",
                "GET /v1/legal-holds/{hold_id}",
                "DELETE /v1/legal-holds/{hold_id}",
                "GET /v1/archive/files",
                "GET /v1/archive/files/{file_id}",
                "GET /v1/archive/files/{file_id}/rows",
                "POST /v1/archive/restores",
                "GET /v1/archive/restores",
                "GET /v1/archive/restores/{restore_id}",
            )
        ),
        settings=(
            settings.DatabaseSettings,
            settings.ArchiveSettings,
            settings.QueueSettings,
            settings.BrowserSettings,
        ),
        layers=("core", "archive"),
        sends_to=(JOBS, PURGE),
        archived=("read",),
    ),
    FunctionSpec(
        "show_insights",
        HttpTrigger(
            _routes(
                "GET /v1/insights/usage",
                "GET /v1/insights/cost",
                "GET /v1/insights/latency",
                "GET /v1/insights/quality",
                "GET /v1/insights/sources",
                "GET /v1/insights/unanswered",
                "GET /v1/insights/errors",
            )
        ),
        settings=(settings.DatabaseSettings, settings.BrowserSettings),
    ),
    FunctionSpec(
        "manage_webhooks",
        HttpTrigger(
            _routes(
                "GET /v1/webhook-event-types",
                "POST /v1/webhooks",
                "GET /v1/webhooks",
                "GET /v1/webhooks/{webhook_id}",
                "PATCH /v1/webhooks/{webhook_id}",
                "DELETE /v1/webhooks/{webhook_id}",
                "POST /v1/webhooks/{webhook_id}/rotate-secret",
                "POST /v1/webhooks/{webhook_id}/test",
                "POST /v1/webhooks/{webhook_id}/replay",
                "GET /v1/webhooks/{webhook_id}/deliveries",
                "GET /v1/webhooks/{webhook_id}/deliveries/{delivery_id}",
                "POST /v1/webhooks/{webhook_id}/deliveries/{delivery_id}/replay",
            )
        ),
        settings=(
            settings.DatabaseSettings,
            settings.QueueSettings,
            settings.BrowserSettings,
            settings.WebSettings,
            settings.MfaSettings,
        ),
        layers=("core", "providers"),
        sends_to=(WEBHOOKS,),
    ),
    FunctionSpec(
        "register_object",
        # S3's notifications have no group, so that this queue is not fair: it must be short (decision 0089).
        QueueTrigger(INTAKE, batch_size=10, max_concurrency=10),
        settings=(
            settings.DatabaseSettings,
            settings.StorageSettings,
            settings.QueueSettings,
            settings.VectorStoreSettings,
        ),
        layers=("core", "providers"),
        timeout_seconds=30,
        sends_to=(EXTRACT, WEBHOOKS),
        objects=("read", "delete"),
    ),
    FunctionSpec(
        "extract_document",
        QueueTrigger(EXTRACT),
        settings=(
            settings.DatabaseSettings,
            settings.StorageSettings,
            settings.QueueSettings,
            settings.EmbeddingSettings,
            settings.MalwareScanSettings,
            settings.OcrSettings,
        ),
        layers=("core", "parsers", "local_models"),
        memory_mb=2048,
        timeout_seconds=300,
        sends_to=(EMBED, EXTRACT, WEBHOOKS),
        objects=("read",),
    ),
    FunctionSpec(
        "embed_chunks",
        QueueTrigger(EMBED),
        settings=(
            settings.DatabaseSettings,
            settings.EmbeddingSettings,
            settings.VectorStoreSettings,
            settings.QueueSettings,
        ),
        layers=("core", "providers", "local_models"),
        memory_mb=1024,
        timeout_seconds=120,
        sends_to=(EMBED, WEBHOOKS),
    ),
    FunctionSpec(
        "purge_deleted",
        QueueTrigger(PURGE),
        settings=(
            settings.DatabaseSettings,
            settings.EraserSettings,
            settings.StorageSettings,
            settings.VectorStoreSettings,
            settings.ArchiveSettings,
            settings.CacheServerSettings,
            settings.QueueSettings,
            settings.StripeSettings,
        ),
        layers=("core", "providers", "archive", "billing"),
        timeout_seconds=300,
        sends_to=(WEBHOOKS,),
        objects=("delete",),
        archived=("read", "write", "delete"),
    ),
    FunctionSpec(
        "run_jobs",
        QueueTrigger(JOBS),
        settings=(
            settings.DatabaseSettings,
            settings.StorageSettings,
            settings.QueueSettings,
            settings.VectorStoreSettings,
            settings.EmbeddingSettings,
            settings.ArchiveSettings,
        ),
        layers=("core", "providers", "archive", "local_models"),
        memory_mb=1024,
        timeout_seconds=300,
        sends_to=(JOBS, EXTRACT, EMBED, PURGE, WEBHOOKS),
        objects=("read", "write", "delete"),
        archived=("read", "write", "delete"),
    ),
    FunctionSpec(
        "deliver_webhooks",
        QueueTrigger(WEBHOOKS, max_concurrency=5),
        settings=(settings.DatabaseSettings, settings.QueueSettings, settings.WebSettings, settings.MfaSettings),
        layers=("core", "providers"),
        timeout_seconds=60,
        sends_to=(WEBHOOKS,),
    ),
    FunctionSpec(
        "fetch_pages",
        QueueTrigger(FETCH),
        settings=(
            settings.DatabaseSettings,
            settings.StorageSettings,
            settings.QueueSettings,
            settings.VectorStoreSettings,
            settings.WebSettings,
        ),
        layers=("core", "parsers", "providers"),
        timeout_seconds=120,
        sends_to=(EXTRACT, FETCH, PURGE, WEBHOOKS),
        objects=("read", "write", "delete"),
    ),
    FunctionSpec(
        "reconcile_stores",
        QueueTrigger(RECONCILE),
        settings=(
            settings.DatabaseSettings,
            settings.StorageSettings,
            settings.QueueSettings,
            settings.VectorStoreSettings,
        ),
        layers=("core", "providers"),
        timeout_seconds=300,
        sends_to=(EXTRACT, EMBED, PURGE, RECONCILE, WEBHOOKS),
        objects=("read", "delete"),
    ),
    FunctionSpec(
        "send_mail",
        QueueTrigger(MAIL, batch_size=5),
        settings=(settings.AuthenticatorSettings, settings.MailSettings, settings.AccountSettings),
        timeout_seconds=30,
    ),
    FunctionSpec(
        "reap_stalled",
        ScheduleTrigger(every_minutes=5, every_minutes_lean=360),
        settings=(settings.DatabaseSettings, settings.ReaperSettings, settings.QueueSettings),
        timeout_seconds=60,
        sends_to=(EXTRACT, EMBED, PURGE, FETCH, RECONCILE, JOBS, WEBHOOKS),
    ),
    FunctionSpec(
        "enforce_retention",
        ScheduleTrigger(every_minutes=1440, every_minutes_lean=1440),
        settings=(
            settings.DatabaseSettings,
            settings.MaintainerSettings,
            settings.QueueSettings,
            settings.ArchiveSettings,
            settings.PartitionSettings,
        ),
        layers=("core", "archive"),
        memory_mb=1024,
        timeout_seconds=840,
        sends_to=(JOBS, WEBHOOKS),
        archived=("read", "write", "delete"),
    ),
    FunctionSpec(
        "roll_up_usage",
        ScheduleTrigger(every_minutes=15, every_minutes_lean=360),
        settings=(settings.DatabaseSettings, settings.ReaperSettings),
        timeout_seconds=300,
    ),
    FunctionSpec(
        "maintain_database",
        ScheduleTrigger(every_minutes=1440, every_minutes_lean=10080),
        settings=(settings.MaintainerSettings, settings.ArchiveSettings),
        timeout_seconds=300,
        archived=("write",),
    ),
    FunctionSpec(
        "migrate_database",
        DeploymentTrigger(),
        settings=(settings.MigrationSettings, settings.TokenKeyVaultSettings, settings.VectorStoreSettings),
        layers=("core", "identity", "providers", "migrations"),
        timeout_seconds=840,
    ),
)
