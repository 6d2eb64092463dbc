"""The deployment's custom resource, invoked as CDK's provider framework does."""

import importlib
import json
from collections.abc import Callable, Iterator
from threading import Thread
from typing import Any
from uuid import uuid4

import boto3
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from chatsphere.adapters.secrets_manager import forget_secrets
from chatsphere.bootstrap import container
from chatsphere.db.deployment import migrate_as_administrator
from chatsphere.errors import ConfigurationError, UnavailableError
from chatsphere.identity.token_keys import RotationError
from chatsphere.settings import MigrationSettings
from infra.catalog import FUNCTIONS, DeploymentTrigger
from tests.integration.cloud_runtime.conftest import ADMINISTRATOR, NEWEST, ManagedDatabase
from tests.integration.cloud_runtime.relay import Relay, running_relay
from tests.moto_server import running_moto
from tests.postgres import PASSWORD
from tests.waiting import wait_for

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]

CREATE = {"RequestType": "Create", "ResourceProperties": {}, "RequestId": "r", "LogicalResourceId": "Migration"}
UPDATE = {**CREATE, "RequestType": "Update", "PhysicalResourceId": "chatsphere-database"}


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    with running_moto() as endpoint:
        yield endpoint


@pytest.fixture
def secrets(moto: str) -> Any:
    return boto3.client("secretsmanager", endpoint_url=moto)


@pytest.fixture
def environment(
    secrets: Any, moto: str, managed_database: ManagedDatabase, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dict[str, str]]:
    """What the deployment gives the function; the keys' secrets are empty, as CloudFormation makes them."""
    administrator = {"username": ADMINISTRATOR, "password": PASSWORD, "engine": "postgres"}
    values = {
        "AWS_ENDPOINT_URL_SECRETS_MANAGER": moto,
        "ADMIN_DATABASE_URL": _without_user(managed_database.administrator),
        "ADMIN_CREDENTIALS_SECRET": _secret(secrets, json.dumps(administrator)),
        "ADMIN_WAIT_SECONDS": "60",
        "TOKEN_KEYS_ARN": _secret(secrets, "{}"),
        "TOKEN_PUBLIC_KEYS_ARN": _secret(secrets, "{}"),
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    forget_secrets()
    container.cache_clear()
    yield values
    container.cache_clear()
    forget_secrets()


@pytest.fixture
def handler(environment: dict[str, str]) -> Handler:
    (name,) = [spec.name for spec in FUNCTIONS if isinstance(spec.trigger, DeploymentTrigger)]
    found: Handler = importlib.import_module(f"functions.{name}.handler").handler
    return found


def test_the_first_deployment_makes_schema_roles_and_keys(
    handler: Handler,
    environment: dict[str, str],
    secrets: Any,
    empty_database: ManagedDatabase,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ADMIN_DATABASE_URL", _without_user(empty_database.administrator))
    answer = handler(CREATE, None)

    assert answer == {"PhysicalResourceId": "chatsphere-database", "Data": {"Revision": NEWEST}}
    with psycopg.connect(empty_database.superuser) as connection:
        assert connection.execute("SELECT count(*) FROM subscription_plans").fetchone() == (4,)
    private, public = (_keys(secrets, environment[name]) for name in ("TOKEN_KEYS_ARN", "TOKEN_PUBLIC_KEYS_ARN"))
    assert [key["kid"] for key in private] == [key["kid"] for key in public]
    assert "d" in private[0]
    assert "d" not in public[0]


def test_the_next_deployment_keeps_the_resource_and_the_keys(
    handler: Handler, environment: dict[str, str], secrets: Any
) -> None:
    handler(CREATE, None)
    before = _keys(secrets, environment["TOKEN_KEYS_ARN"])
    assert handler(UPDATE, None)["PhysicalResourceId"] == "chatsphere-database"
    assert _keys(secrets, environment["TOKEN_KEYS_ARN"]) == before


def test_a_deletion_touches_nothing(handler: Handler, managed_database: ManagedDatabase) -> None:
    handler(CREATE, None)
    event = {**UPDATE, "RequestType": "Delete", "PhysicalResourceId": "whatever was created"}
    assert handler(event, None) == {"PhysicalResourceId": "whatever was created"}
    with psycopg.connect(managed_database.superuser) as connection:
        assert connection.execute("SELECT count(*) FROM subscription_plans").fetchone() == (4,)


def test_it_waits_for_a_cluster_that_wakes_up(
    handler: Handler, managed_database: ManagedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatsphere.db.deployment.PAUSE_SECONDS", 0.01)
    target = int(str(conninfo_to_dict(managed_database.administrator)["port"]))
    with running_relay(Relay(target, refusals=3)) as relay:
        monkeypatch.setenv(
            "ADMIN_DATABASE_URL", make_conninfo(_without_user(managed_database.administrator), port=relay.port)
        )
        answers: list[dict[str, Any]] = []
        deployment = Thread(target=lambda: answers.append(handler(CREATE, None)))
        deployment.start()
        wait_for(lambda: answers, what="the deployment")
        deployment.join()
    assert (answers[0]["Data"], relay.refusals) == ({"Revision": NEWEST}, 0)


@pytest.mark.parametrize(
    ("credentials", "error"),
    [
        ('{"username": "administrator", "password": "wrong-canary"}', UnavailableError),
        ("wrong-canary", ConfigurationError),
        ('{"user": "wrong-canary"}', ConfigurationError),
    ],
)
def test_wrong_credentials_fail_the_deployment_and_are_not_shown(
    handler: Handler,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    credentials: str,
    error: type[Exception],
) -> None:
    monkeypatch.setenv("ADMIN_CREDENTIALS", credentials)
    monkeypatch.setenv("ADMIN_WAIT_SECONDS", "1")
    with pytest.raises(error) as failed:
        handler(CREATE, None)
    assert "canary" not in f"{failed.value}{failed.value.__cause__}{capfd.readouterr()}"


def test_an_administrator_whose_password_is_refused_logs_in_by_iam(managed_database: ManagedDatabase) -> None:
    settings = MigrationSettings(
        admin_database_url=_without_user(managed_database.administrator),
        admin_credentials=json.dumps({"username": ADMINISTRATOR, "password": "refused"}),
    )
    signed_for: set[str] = set()

    def token(url: str) -> str:
        signed_for.add(str(conninfo_to_dict(url)["user"]))
        return PASSWORD

    assert migrate_as_administrator(settings, token) == NEWEST
    assert signed_for == {ADMINISTRATOR}


def test_the_keys_are_rotated_by_invoking_it(handler: Handler) -> None:
    handler(CREATE, None)
    # The secret was written just now: a step must wait until every function has read it.
    with pytest.raises(RotationError, match="wait until"):
        handler({"RotateTokenKeys": "add"}, None)
    with pytest.raises(RotationError, match="add, promote, remove"):
        handler({"RotateTokenKeys": "now"}, None)


def _secret(secrets: Any, value: str) -> str:
    return str(secrets.create_secret(Name=uuid4().hex, SecretString=value)["ARN"])


def _keys(secrets: Any, arn: str) -> list[dict[str, Any]]:
    keys: list[dict[str, Any]] = json.loads(secrets.get_secret_value(SecretId=arn)["SecretString"])["keys"]
    return keys


def _without_user(url: str) -> str:
    parameters = conninfo_to_dict(url)
    del parameters["user"], parameters["password"]
    return make_conninfo("", **parameters)
