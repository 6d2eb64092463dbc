"""PostgreSQL in place of the Aurora cluster: its administrator is no superuser, and may make `rds_iam` members."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import conninfo, sql

from chatsphere.db.migrate import IAM_ROLE, LOGIN_ROLES
from infra.cloud.constructs.database import ADMINISTRATOR, NAME, ROLES
from tests.postgres import PASSWORD, running_server


@dataclass(frozen=True)
class Cluster:
    """`superuser`: the URL for the one whom the service keeps to itself."""

    superuser: str

    @property
    def urls(self) -> dict[str, str]:
        """The value of each environment variable with an address of the cluster; the administrator's names nobody."""
        hosts = conninfo.conninfo_to_dict(self.superuser)
        host = f"{hosts['host']}:{hosts['port']}/{NAME}"
        roles = {variable: f"postgresql://{role}:{PASSWORD}@{host}" for variable, role in ROLES.items()}
        return {**roles, "ADMIN_DATABASE_URL": f"postgresql://{host}"}

    @property
    def administrator(self) -> dict[str, str]:
        """The administrator's credentials, as RDS keeps them."""
        return {"username": ADMINISTRATOR, "password": PASSWORD}

    def permit_passwords(self) -> None:
        """Give the roles passwords: the migration made them for IAM, which nobody here can sign for."""
        with psycopg.connect(self.superuser, autocommit=True) as connection:
            for role in LOGIN_ROLES:
                statement = sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(PASSWORD))
                connection.execute(statement)


@contextmanager
def running_cluster() -> Iterator[Cluster]:
    """Start the server with an empty database that the administrator owns; `vector` is at hand, as RDS has it."""
    with running_server() as server:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"CREATE ROLE {ADMINISTRATOR} LOGIN PASSWORD '{PASSWORD}' CREATEROLE CREATEDB")
            connection.execute(f"CREATE ROLE {IAM_ROLE} NOLOGIN")
            connection.execute(f"GRANT {IAM_ROLE} TO {ADMINISTRATOR} WITH ADMIN OPTION")
            connection.execute(f"CREATE DATABASE {NAME} OWNER {ADMINISTRATOR}")
        superuser = conninfo.make_conninfo(server, dbname=NAME)
        with psycopg.connect(superuser, autocommit=True) as connection:
            connection.execute("CREATE EXTENSION vector")
        yield Cluster(superuser)
