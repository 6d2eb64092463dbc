"""How each role reaches the database."""

from typing import Literal

from pydantic import Field

from chatsphere.settings.environment import Environment, Secret


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


class EraserSettings(DatabaseConnectionSettings):
    """The role that deletes a person, and what logs say of one, in every tenant."""

    eraser_database_url: str


class MaintainerSettings(DatabaseConnectionSettings):
    """The role that keeps the database itself: partitions, statistics, and finding whose data is due to go."""

    maintainer_database_url: str


class PartitionSettings(Environment):
    """How tables are divided by time, how far ahead, and for how long each installation keeps what no tenant's policy
    is about (days).
    """

    partition_by: Literal["month", "day"] = "month"
    partitions_ahead_days: int = Field(default=62, ge=7, le=800)
    usage_kept_days: int = Field(default=400, ge=35)
    audit_kept_days: int = Field(default=730, ge=35)


class MigrationSettings(Environment):
    """What the migration function needs: the cluster itself, not a proxy, as its administrator.

    `admin_credentials` is JSON `{"username": …, "password": …}`, as RDS keeps its managed secret; `admin_database_url`
    names neither. A paused cluster is given `admin_wait_seconds` to wake up.
    """

    admin_database_url: str
    admin_credentials: Secret
    admin_wait_seconds: int = Field(default=180, ge=1, le=600)
