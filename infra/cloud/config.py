"""What may differ between two deployments, as one typed model. A wrong value stops synthesis and is named."""

import tomllib
from email.utils import parseaddr
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

DEPLOYMENTS: Final = Path(__file__).parent / "deployments"

Origin = Annotated[
    str, StringConstraints(pattern=r"^https://[a-z0-9.-]+(:\d+)?$|^http://(localhost|127\.0\.0\.1)(:\d+)?$")
]
Address = Annotated[str, StringConstraints(pattern=r"^https://[a-z0-9.-]+(:\d+)?(/[A-Za-z0-9._~/-]*)?$")]
Sender = Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9 ._-]+ <[^\s<>@]+@[^\s<>@]+>|[^\s<>@]+@[^\s<>@]+)$")]
Plan = Literal["Free", "Basic", "Pro", "Enterprise"]
Region = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[a-z]+)+-[1-9]$")]
Arn = Annotated[str, StringConstraints(pattern=r"^arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:\d{12}:.+$")]


class Profile(StrEnum):
    """How much is paid while nobody uses it, for how much readiness."""

    LEAN = "lean"
    SCALE = "scale"


class Stage(StrEnum):
    """Whether what is stored must outlive the stacks."""

    DEV = "dev"
    PROD = "prod"


class ConfigError(Exception):
    """A deployment's file is missing or holds a wrong value."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Domain(_Section):
    """A name of one's own for the API; the certificate must be in the deployment's region."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$")]
    certificate_arn: Arn


class Mail(_Section):
    """Mail through SES in the deployment's region, where the sender must be verified; no stack makes that.

    The identity of a domain exists once in an account and region: two deployments could not both have it.
    """

    sender: Sender
    link_base: Address | None = None
    configuration_set: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")] | None = None

    @property
    def address(self) -> str:
        """The sender without a name."""
        return parseaddr(self.sender)[1]


class Stripe(_Section):
    """Plans are paid for through Stripe: each one that is for sale by the id of its recurring price.

    `return_url` is the page that people come back to.
    """

    return_url: Address
    prices: dict[Plan, Annotated[str, StringConstraints(pattern=r"^price_[A-Za-z0-9]+$")]] = Field(min_length=1)


class DatabaseCapacity(_Section):
    """Aurora capacity units (ACU); a minimum of 0 lets the cluster pause after `pause_after_minutes`."""

    min_acu: float = Field(ge=0, le=256, multiple_of=0.5)
    max_acu: float = Field(ge=0.5, le=256, multiple_of=0.5)
    reader: bool = False
    proxy: bool = False
    pause_after_minutes: int = Field(default=5, ge=5, le=1440)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min_acu > self.max_acu:
            raise ValueError("min_acu is above max_acu")
        if self.proxy and self.min_acu == 0:
            raise ValueError(
                "RDS Proxy keeps connections open, so the cluster would never pause: min_acu must be above 0"
            )
        return self


PROFILE_DATABASES: Final = {
    Profile.LEAN: DatabaseCapacity(min_acu=0, max_acu=4),
    Profile.SCALE: DatabaseCapacity(min_acu=1, max_acu=32, reader=True, proxy=True),
}


STAGE_BACKUP_DAYS: Final = {Stage.DEV: 1, Stage.PROD: 14}


class DeploymentConfig(_Section):
    """One deployment of ChatSphere. Everything that is not said follows from profile and stage."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,20}$")] = "chatsphere"
    profile: Profile
    stage: Stage
    console_origins: tuple[Origin, ...] = ()
    domain: Domain | None = None
    mail: Mail | None = None
    stripe: Stripe | None = None
    default_plan: Plan = "Free"
    operator_organizations: tuple[UUID, ...] = ()
    alarm_email: Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$")] | None = None
    monthly_budget_dollars: int = Field(default=50, ge=1)
    waf: bool | None = None
    malware_scan: bool = False
    vector_store: Literal["pgvector", "pinecone", "qdrant"] | None = None
    qdrant_url: str | None = None
    cache: Literal["postgresql", "redis", "off"] = "postgresql"
    ocr: Literal["textract"] | None = None
    database: DatabaseCapacity | None = None
    backup_days: int | None = Field(default=None, ge=1, le=35)
    backup_copy_region: Region | None = None
    partition_by: Literal["month", "day"] = "month"
    usage_kept_days: int = Field(default=400, ge=35)
    audit_kept_days: int = Field(default=730, ge=35)
    log_retention_days: Literal[1, 3, 7, 14, 30, 60, 90, 180, 365] = 30
    api_requests_per_second: int = Field(default=50, ge=1, le=10_000)
    api_burst: int = Field(default=100, ge=1, le=5_000)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.vector_store == "qdrant" and not self.qdrant_url:
            raise ValueError("vector_store qdrant requires qdrant_url")
        if self.profile is Profile.LEAN and self.capacity.proxy:
            raise ValueError("the profile lean has no RDS Proxy")
        return self

    @property
    def capacity(self) -> DatabaseCapacity:
        """The database's capacity, the profile's unless the file has its own."""
        return self.database or PROFILE_DATABASES[self.profile]

    @property
    def chosen_vector_store(self) -> str:
        """Where vectors are kept."""
        return self.vector_store or ("pgvector" if self.profile is Profile.LEAN else "pinecone")

    @property
    def has_waf(self) -> bool:
        """Whether a web ACL stands before the API."""
        return self.profile is Profile.SCALE if self.waf is None else self.waf

    @property
    def keeps_data(self) -> bool:
        """Whether buckets, keys and the database outlive their stacks."""
        return self.stage is Stage.PROD

    @property
    def kept_backup_days(self) -> int:
        """For how many days any moment of the database can be restored."""
        return self.backup_days or STAGE_BACKUP_DAYS[self.stage]

    @property
    def prefix(self) -> str:
        """Begins the name of every stack and of every resource that must have a name."""
        return f"{self.name}-{self.stage}"


def load_config(name: str, folder: Path = DEPLOYMENTS) -> DeploymentConfig:
    """Read `<folder>/<name>.toml`.

    Raises:
        ConfigError: there is no such file, or it holds a wrong value; the message names file and field.
    """
    path = folder / f"{name}.toml"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in folder.glob("*.toml")))
        raise ConfigError(f"There is no deployment {name!r}; there are: {known}. Choose with -c deployment=<name>.")
    try:
        return DeploymentConfig.model_validate(tomllib.loads(path.read_text()))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path.name}: {error}") from None
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in error.errors(include_url=False)
        )
        raise ConfigError(f"{path.name}: {problems}") from None
