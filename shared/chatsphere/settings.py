"""What a function may read from its environment, as small typed models.

Nothing else in the package reads `os.environ`. A function's entry in `infra/catalog.py` names the groups it
uses; the runner (one machine or CDK) sets exactly the variables of those groups. A field `uploads_bucket` is
read from the variable `UPLOADS_BUCKET`. A `Secret` field `token_keys` may instead be named by `TOKEN_KEYS_SECRET`,
the ARN of a Secrets Manager secret: in the cloud no secret stands in a function's configuration.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from chatsphere.errors import ConfigurationError

SECRET_SUFFIX: Final = "_SECRET"  # noqa: S105 - a name, not a secret

FetchSecret = Callable[[str], str]
"""Takes the ARN of a secret and returns its value."""


class _SecretMark:
    """Marks a field whose value may come from Secrets Manager."""


Secret = Annotated[str, _SecretMark()]


def _sendable(key: str | None) -> str | None:
    """Return a vendor's key as an HTTP header takes it; files and pastes like to end one with a line break."""
    key = key.strip() if key else key
    if key and not (key.isascii() and key.isprintable()):
        raise ValueError("holds a character that no key has")
    return key


VendorKey = Annotated[str | None, _SecretMark(), AfterValidator(_sendable)]


def _no_secrets(_arn: str) -> str:
    raise ConfigurationError("This process cannot read secrets.")


class Environment(BaseModel):
    """Base of every settings group; fields without a default are required."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    @classmethod
    def variables(cls) -> dict[str, bool]:
        """Return each environment variable of the group and whether it is required."""
        return {name.upper(): info.is_required() for name, info in cls.model_fields.items()}

    @classmethod
    def secrets(cls) -> frozenset[str]:
        """Return the variables of the group that hold secrets."""
        return frozenset(
            name.upper()
            for name, info in cls.model_fields.items()
            if any(isinstance(mark, _SecretMark) for mark in info.metadata)
        )

    @classmethod
    def load(cls, environment: Mapping[str, str], fetch_secret: FetchSecret = _no_secrets) -> Self:
        """Read the group from `environment`; a secret that is only named there is fetched.

        Raises:
            ConfigurationError: a variable is missing or has a wrong value; names the variable, not the value.
            UnavailableError: a secret cannot be fetched at the moment.
        """
        present: dict[str, Any] = {
            name: environment[name.upper()] for name in cls.model_fields if environment.get(name.upper(), "") != ""
        }
        for name in cls.secrets():
            arn = environment.get(name + SECRET_SUFFIX, "")
            if arn and name.lower() not in present:
                present[name.lower()] = fetch_secret(arn)
        try:
            return cls.model_validate(present)
        except ValidationError as error:
            problems = "; ".join(_problem(e) for e in error.errors(include_input=False))
            raise ConfigurationError(f"{cls.__name__}: {problems}") from None


def _problem(error: Any) -> str:
    where = str(error["loc"][0]).upper() + ": " if error["loc"] else ""
    return where + str(error["msg"]).removeprefix("Value error, ")


class DatabaseConnectionSettings(Environment):
    """How every role reaches the database.

    With `iam` the URL holds no password: each new connection signs a token of its own. `verify-full` and the
    certificate authority stand in the URL. A paused Aurora cluster needs about 15 s to wake up.
    """

    database_authentication: Literal["password", "iam"] = "password"
    database_connect_seconds: int = Field(default=5, ge=1, le=60)


class DatabaseSettings(DatabaseConnectionSettings):
    """The application's own role: sees only the tenant that the unit of work names."""

    database_url: str


class AuthenticatorSettings(DatabaseConnectionSettings):
    """The role that finds a credential before its tenant is known."""

    authenticator_database_url: str


class ReaperSettings(DatabaseConnectionSettings):
    """The role that finds stalled work of every tenant; it can change nothing."""

    reaper_database_url: str


class MigrationSettings(Environment):
    """What the migration function needs: the cluster itself, not a proxy, as its administrator.

    `admin_credentials` is JSON `{"username": …, "password": …}`, as RDS keeps its managed secret; `admin_database_url`
    names neither. A paused cluster is given `admin_wait_seconds` to wake up.
    """

    admin_database_url: str
    admin_credentials: Secret
    admin_wait_seconds: int = Field(default=180, ge=1, le=600)


class TokenKeyVaultSettings(Environment):
    """ARNs of the secrets that hold `token_keys` and `token_public_keys`, for what makes and rotates them.

    How long tokens are valid says how long a rotation must wait.
    """

    token_keys_arn: str
    token_public_keys_arn: str
    access_token_seconds: int = Field(default=600, ge=1, le=86_400)


class TokenIssuerSettings(Environment):
    """Who issues access tokens (JWT)."""

    token_issuer: str = "chatsphere"  # noqa: S105 - a name, not a secret


class TokenVerificationSettings(TokenIssuerSettings):
    """Verifying access tokens. `token_public_keys` is a public JWK set.

    It is no secret; it is kept where secrets are because it changes with `token_keys`, not with a deployment.
    """

    token_public_keys: Secret


class TokenSettings(TokenIssuerSettings):
    """Signing access tokens. `token_keys` is a private JWK set, of which the first key signs."""

    token_keys: Secret
    access_token_seconds: int = Field(default=600, ge=1, le=86_400)
    refresh_token_seconds: int = Field(default=30 * 86_400, ge=60)


class PasswordSettings(Environment):
    """Cost of argon2id (OWASP's second profile: 19 MiB, two passes, one lane)."""

    argon2_memory_kib: int = Field(default=19_456, ge=8)
    argon2_passes: int = Field(default=2, ge=1)


class StorageSettings(Environment):
    """The uploads bucket. `s3_endpoint` is set only where S3 is not AWS's."""

    uploads_bucket: str
    s3_endpoint: str | None = None
    max_upload_bytes: int = Field(default=200 * 1024 * 1024, ge=1)
    upload_expires_seconds: int = Field(default=3600, ge=1, le=604_800)


class QueueSettings(Environment):
    """Addresses of the queues that a function sends to; each function is given only those it may use."""

    sqs_endpoint: str | None = None
    intake_queue_url: str | None = None
    extract_queue_url: str | None = None
    embed_queue_url: str | None = None
    purge_queue_url: str | None = None


class UploadCredentialsSettings(Environment):
    """Temporary AWS credentials for one bot's prefix, from the role `uploader_role_arn`.

    Lambda itself sets `aws_region`. A role that lends another role's credentials may do so for an hour at most.
    """

    uploader_role_arn: str
    aws_region: str = "us-east-1"
    sts_endpoint: str | None = None
    upload_credentials_seconds: int = Field(default=3600, ge=900, le=3600)


class ProviderSettings(Environment):
    """How vendors are called over HTTP: one call's limits, its retries, and when to stop asking.

    A call is tried up to `provider_attempts` times within `provider_total_seconds`, with full jitter between the
    tries; after `provider_breaker_failures` failures in a row none is made for `provider_breaker_seconds`.
    """

    provider_connect_seconds: float = Field(default=3.0, gt=0, le=60)
    provider_read_seconds: float = Field(default=20.0, gt=0, le=300)
    provider_total_seconds: float = Field(default=45.0, gt=0, le=600)
    provider_attempts: int = Field(default=4, ge=1, le=10)
    provider_backoff_seconds: float = Field(default=0.3, ge=0, le=10)
    provider_breaker_failures: int = Field(default=8, ge=1)
    provider_breaker_seconds: float = Field(default=15.0, gt=0, le=300)


class GeminiSettings(ProviderSettings):
    """Google's Gemini API. The key is required by what uses Gemini."""

    gemini_api_key: VendorKey = None
    gemini_url: str = "https://generativelanguage.googleapis.com"


class EmbeddingSettings(GeminiSettings):
    """Which embedder turns text into vectors."""

    embedder: Literal["minilm", "gemini"] = "minilm"
    gemini_embedding_model: str = "gemini-embedding-2"
    gemini_embedding_dimensions: Literal[768] = 768

    @model_validator(mode="after")
    def _has_key(self) -> Self:
        if self.embedder == "gemini" and not self.gemini_api_key:
            raise ValueError("the embedder gemini requires GEMINI_API_KEY")
        return self


class VectorStoreSettings(ProviderSettings):
    """Which store holds the vectors.

    Pinecone: `pinecone_host` is the index's own address; without it the control plane is asked once for that of
    `pinecone_index`, and cloud and region say where a missing index is made. `vector_visible_seconds` is how long a
    write may take to be seen before the caller goes on without. Qdrant: one collection, the namespace as payload.
    """

    vector_store: Literal["pgvector", "pinecone", "qdrant"] = "pgvector"
    pinecone_api_key: VendorKey = None
    pinecone_index: str = "chatsphere"
    pinecone_host: str | None = None
    pinecone_control_url: str = "https://api.pinecone.io"
    pinecone_cloud: str = "aws"
    pinecone_region: str = "us-east-1"
    qdrant_url: str | None = None
    qdrant_api_key: VendorKey = None
    qdrant_collection: str = "chatsphere"
    vector_dimensions: int = Field(default=768, ge=1, le=4096)
    vector_visible_seconds: float = Field(default=10.0, ge=0, le=60)

    @model_validator(mode="after")
    def _has_access(self) -> Self:
        if self.vector_store == "pinecone" and not self.pinecone_api_key:
            raise ValueError("the vector store pinecone requires PINECONE_API_KEY")
        if self.vector_store == "qdrant" and not self.qdrant_url:
            raise ValueError("the vector store qdrant requires QDRANT_URL")
        return self


class AnswerSettings(GeminiSettings):
    """Which model writes the answer from the passages.

    The prices are in micro-dollars for a million tokens; set both for a model whose price is not known.
    """

    answer_model: Literal["extractive", "gemini"] = "extractive"
    gemini_answer_model: str = "gemini-3.5-flash-lite"
    gemini_input_microdollars: int | None = Field(default=None, ge=0)
    gemini_output_microdollars: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _has_key(self) -> Self:
        if self.answer_model == "gemini" and not self.gemini_api_key:
            raise ValueError("the answer model gemini requires GEMINI_API_KEY")
        return self


class ApiSettings(Environment):
    """What the API says of itself."""

    public_url: str = "http://127.0.0.1:8000"


class BrowserSettings(Environment):
    """Pages of which other origins may read answers in a browser: `https://host[:port]`, separated by commas."""

    console_origins: str = ""

    @property
    def origins(self) -> frozenset[str]:
        """The origins, none by default."""
        return frozenset(filter(None, map(str.strip, self.console_origins.split(","))))
