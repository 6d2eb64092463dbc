"""The migration at a deployment: as the cluster's administrator, once the cluster is awake."""

import json
from collections.abc import Callable, Iterator
from time import monotonic, sleep
from typing import Final, TypeVar

import psycopg
from psycopg.conninfo import make_conninfo

from chatsphere.db.migrate import current_revision, migrate, with_iam
from chatsphere.errors import ConfigurationError, UnavailableError
from chatsphere.observability import logger
from chatsphere.settings import MigrationSettings

CONNECT_SECONDS: Final = 20
"""For one try: Aurora holds a connection back while it wakes up."""

PAUSE_SECONDS: Final = 2.0

NETWORK_SECONDS: Final = 180
"""A NAT instance that this deployment has just replaced boots for as long, and there is no other way to any secret."""

Result = TypeVar("Result")

Token = Callable[[str], str]
"""Signs a password by IAM for the user and host of a URL."""


def once_reachable(
    load: Callable[[], Result],
    *,
    seconds: float = NETWORK_SECONDS,
    pause: Callable[[float], None] = sleep,
    clock: Callable[[], float] = monotonic,
) -> Result:
    """Return what `load` returns, trying again for `seconds` while it is not available.

    Raises:
        UnavailableError: it still is not.
    """
    deadline = clock() + seconds
    while True:
        try:
            return load()
        except UnavailableError:
            if clock() > deadline:
                raise
        logger.info("not reachable yet")
        pause(PAUSE_SECONDS)


def migrate_as_administrator(settings: MigrationSettings, token: Token) -> str:
    """Bring the database to the newest revision, with roles that log in with IAM; return the revision.

    Doing it again changes nothing. The administrator logs in by password, or by `token` where that is refused: a
    server of RDS refuses the password of whoever is a member of a role with IAM, as PostgreSQL 16 makes who creates it.

    Raises:
        ConfigurationError: the credentials are none, or the server has no IAM authentication.
        UnavailableError: the cluster does not answer in time, or another migration does not end.
    """
    migrate(_url_that_works(settings, token), with_iam)
    revision = str(current_revision(_url_that_works(settings, token)))
    logger.info("database migrated", revision=revision)
    return revision


def _urls(settings: MigrationSettings, token: Token) -> Iterator[str]:
    try:
        credentials = json.loads(settings.admin_credentials)
        user, password = str(credentials["username"]), str(credentials["password"])
    except (ValueError, KeyError, TypeError):
        raise ConfigurationError("ADMIN_CREDENTIALS must be JSON with username and password.") from None
    url = make_conninfo(settings.admin_database_url, user=user, connect_timeout=CONNECT_SECONDS)
    yield make_conninfo(url, password=password)
    yield make_conninfo(url, password=token(url))


def _url_that_works(settings: MigrationSettings, token: Token) -> str:
    """Return how the administrator gets in, once the cluster is awake."""

    def knock() -> str:
        for url in _urls(settings, token):
            if _lets_in(url):
                return url
        raise UnavailableError("The database did not answer, or does not know the administrator.")

    return once_reachable(knock, seconds=settings.admin_wait_seconds)


def _lets_in(url: str) -> bool:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True
