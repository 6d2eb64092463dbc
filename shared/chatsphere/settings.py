"""What a function may read from its environment, as small typed models.

Nothing else in the package reads `os.environ`. A function's entry in `infra/catalog.py` names the groups it
uses; the runner (one machine or CDK) sets exactly the variables of those groups. A field `uploads_bucket` is
read from the variable `UPLOADS_BUCKET`.
"""

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from chatsphere.errors import ConfigurationError


class Environment(BaseModel):
    """Base of every settings group; fields without a default are required."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    @classmethod
    def variables(cls) -> dict[str, bool]:
        """Return each environment variable of the group and whether it is required."""
        return {name.upper(): info.is_required() for name, info in cls.model_fields.items()}

    @classmethod
    def load(cls, environment: Mapping[str, str]) -> Self:
        """Read the group from `environment`.

        Raises:
            ConfigurationError: a variable is missing or has a wrong value; names the variable, not the value.
        """
        present: dict[str, Any] = {
            name: environment[name.upper()] for name in cls.model_fields if environment.get(name.upper(), "") != ""
        }
        try:
            return cls.model_validate(present)
        except ValidationError as error:
            problems = "; ".join(f"{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors())
            raise ConfigurationError(f"{cls.__name__}: {problems}") from None


class DatabaseSettings(Environment):
    """The application's own role: sees only the tenant that the unit of work names."""

    database_url: str


class AuthenticatorSettings(Environment):
    """The role that finds a credential before its tenant is known."""

    authenticator_database_url: str


class ReaperSettings(Environment):
    """The role that finds stalled work of every tenant; it can change nothing."""

    reaper_database_url: str


class TokenSettings(Environment):
    """Access tokens (JWT). `token_keys` is a private JWK set; the first key signs, all of them verify."""

    token_keys: str
    token_issuer: str = "chatsphere"  # noqa: S105 - a name, not a secret
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


class EmbeddingSettings(Environment):
    """Which embedder turns text into vectors."""

    embedder: Literal["minilm"] = "minilm"


class VectorStoreSettings(Environment):
    """Which store holds the vectors."""

    vector_store: Literal["pgvector"] = "pgvector"


class AnswerSettings(Environment):
    """Which model writes the answer from the passages."""

    answer_model: Literal["extractive"] = "extractive"


class ApiSettings(Environment):
    """What the API says of itself."""

    public_url: str = "http://127.0.0.1:8000"
