"""The database server of a home: the one that runs, or one that is started for the length of a block."""

from collections.abc import Iterator
from contextlib import contextmanager

from infra.local.backup.errors import BackupError
from infra.local.endpoints import Endpoints
from infra.local.errors import HomeInUseError
from infra.local.home import Home
from infra.local.log_file import LogFile
from infra.local.postgres import Postgres
from infra.local.postgres_cluster import SUPERUSER
from infra.local.postgres_thread import serving


@contextmanager
def reachable(home: Home) -> Iterator[str]:
    """Yield the superuser's URL, whether the product runs in the home or not.

    Raises:
        BackupError: there is no database, or the product is just starting.
    """
    if not (home.database / "PG_VERSION").exists():
        raise BackupError(f"{home.root} holds no database: is it the right home?")
    try:
        with home.held():
            home.check_whole()
            with started(home) as url:
                yield url
    except HomeInUseError:
        if not home.endpoints.exists():
            raise BackupError("the product is starting, or a restore is under way; try again in a moment") from None
        yield Endpoints.read(home.endpoints).database_url


@contextmanager
def started(home: Home) -> Iterator[str]:
    """Run the server of a home that the caller holds, and yield the superuser's URL."""
    home.logs.mkdir(mode=0o700, exist_ok=True)
    log = LogFile(home.logs / "postgres.log")
    server = Postgres(home.database, lambda: home.port("postgres"), home.secret(SUPERUSER), log)
    try:
        with serving(server) as url:
            yield url
    finally:
        log.close()
