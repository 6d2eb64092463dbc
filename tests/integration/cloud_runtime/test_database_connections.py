"""How a function reaches the database in the cloud: verified TLS, and a password for each connection."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import boto3
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from chatsphere.adapters.rds_iam import RdsIamPassword
from chatsphere.bootstrap import Container
from chatsphere.db.database import Database
from chatsphere.errors import ConfigurationError, UnavailableError
from tests.integration.cloud_runtime.certificates import Authority
from tests.integration.cloud_runtime.relay import Relay, running_relay
from tests.postgres import PASSWORD, DatabaseUrls

URL = "postgresql://chatsphere_app@db.cluster-x.eu-central-1.rds.amazonaws.com:5432/chatsphere"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIATEST",
    "AWS_SECRET_ACCESS_KEY": "test-only",
    "AWS_SESSION_TOKEN": "session/+=",
    "AWS_REGION": "eu-central-1",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)


# ------------------------------------------------------------------------------------------------------ IAM


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize(("url", "port"), [(URL, 5432), (URL.replace(":5432", ":6000"), 6000)])
def test_the_token_is_the_one_that_boto3_makes(monkeypatch: pytest.MonkeyPatch, url: str, port: int) -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: moment)
    rds = boto3.Session().client("rds")

    theirs = rds.generate_db_auth_token(
        DBHostname="db.cluster-x.eu-central-1.rds.amazonaws.com", Port=port, DBUsername="chatsphere_app"
    )

    assert RdsIamPassword(url)() == theirs
    assert "20260102T030405Z" in theirs
    assert "X-Amz-Security-Token" in theirs


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize("url", ["postgresql://db.example/x", "dbname=x user=y"])
def test_a_url_without_user_or_host_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError):
        RdsIamPassword(url)()


def test_without_credentials_there_is_no_token(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in CREDENTIALS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with pytest.raises(UnavailableError):
        RdsIamPassword(URL)()


def test_each_new_connection_is_given_a_password_of_its_own(database_urls: DatabaseUrls) -> None:
    # Given: a URL without a password
    asked: list[str] = []

    def password() -> str:
        asked.append(PASSWORD)
        return PASSWORD

    parameters: dict[str, Any] = conninfo_to_dict(database_urls.app)
    del parameters["password"]
    database = Database(make_conninfo("", **parameters), password=password)
    # When: it is used twice, and once more after its connection was lost
    first = _backend(database)
    assert _backend(database) == first
    with psycopg.connect(database_urls.admin, autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(%s, 10000)", (first,))
    assert _backend(database) != first
    database.close()
    # Then
    assert asked == [PASSWORD, PASSWORD]


@pytest.mark.usefixtures("credentials")
def test_with_iam_the_container_signs_for_the_roles_own_url(database_urls: DatabaseUrls) -> None:
    seen: list[str] = []

    class Recording(RdsIamPassword):
        def __call__(self) -> str:
            seen.append(super().__call__())
            return PASSWORD

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("chatsphere.adapters.rds_iam.RdsIamPassword", Recording)
        variables = {"REAPER_DATABASE_URL": database_urls.reaper, "DATABASE_AUTHENTICATION": "iam"}
        database = Container(variables).reaper_database
        _backend(database)
        database.close()
    (token,) = seen
    assert "DBUser=chatsphere_reaper" in token


# ------------------------------------------------------------------------------------------------------ TLS


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.make(tmp_path / "ca.pem")


@pytest.fixture(params=["localhost"])
def tls_port(
    request: pytest.FixtureRequest, authority: Authority, database_urls: DatabaseUrls, tmp_path: Path
) -> Iterator[int]:
    """Port of the test database behind TLS, on a host that proves to be the parameter."""
    target = int(str(conninfo_to_dict(database_urls.app)["port"]))
    with running_relay(Relay(target, authority.server_context(request.param, tmp_path))) as relay:
        yield relay.port


def _verified(urls: DatabaseUrls, port: int, authority: Path) -> Database:
    return Database(
        make_conninfo(
            urls.app,
            host="localhost",
            hostaddr="127.0.0.1",
            port=port,
            sslmode="verify-full",
            sslrootcert=str(authority),
        )
    )


def test_the_server_is_verified(database_urls: DatabaseUrls, tls_port: int, authority: Authority) -> None:
    database = _verified(database_urls, tls_port, authority.path)
    assert _backend(database) > 0
    database.close()


@pytest.mark.parametrize("tls_port", ["somewhere.else"], indirect=True)
def test_a_server_of_another_name_is_refused(database_urls: DatabaseUrls, tls_port: int, authority: Authority) -> None:
    with pytest.raises(UnavailableError):
        _backend(_verified(database_urls, tls_port, authority.path))


def test_a_server_of_another_authority_is_refused(database_urls: DatabaseUrls, tls_port: int, tmp_path: Path) -> None:
    stranger = Authority.make(tmp_path / "stranger.pem")
    with pytest.raises(UnavailableError):
        _backend(_verified(database_urls, tls_port, stranger.path))


def test_a_server_without_tls_is_refused(database_urls: DatabaseUrls, authority: Authority) -> None:
    port = int(str(conninfo_to_dict(database_urls.app)["port"]))
    with pytest.raises(UnavailableError):
        _backend(_verified(database_urls, port, authority.path))


def _backend(database: Database) -> int:
    """Return which server process serves the connection."""
    with database.transaction(None) as connection:
        row = connection.execute("SELECT pg_backend_pid() AS pid").fetchone()
    assert row is not None
    return int(row["pid"])
