"""Secrets from Secrets Manager, by its own protocol."""

import json
import socket
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import boto3
import pytest

from chatsphere.adapters import secrets_manager
from chatsphere.adapters.secrets_manager import KEPT_SECONDS, SecretsManagerVault, fetch_secret, forget_secrets
from chatsphere.bootstrap import Container
from chatsphere.errors import ConfigurationError, UnavailableError
from chatsphere.settings import MigrationSettings
from tests.moto_server import running_moto

ENDPOINT = "AWS_ENDPOINT_URL_SECRETS_MANAGER"
CANARY = "canary-5f1c"


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    with running_moto() as endpoint:
        yield endpoint


@pytest.fixture
def service(moto: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client of the stand-in, which the adapter talks to as well."""
    monkeypatch.setenv(ENDPOINT, moto)
    forget_secrets()
    yield boto3.client("secretsmanager", endpoint_url=moto)
    forget_secrets()


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let time pass for the adapter."""
    passed = [0.0]
    monkeypatch.setattr(secrets_manager, "monotonic", lambda: passed[0])

    def wait(seconds: float) -> None:
        passed[0] += seconds

    return wait


def make(service: Any, value: str | None) -> str:
    arguments = {} if value is None else {"SecretString": value}
    return str(service.create_secret(Name=uuid4().hex, **arguments)["ARN"])


def test_a_secret_is_fetched(service: Any) -> None:
    assert fetch_secret(make(service, CANARY)) == CANARY


def test_a_settings_group_gets_the_secret_that_is_named_and_prefers_a_direct_value(service: Any) -> None:
    arn = make(service, '{"username": "admin", "password": "secret"}')
    named = {"ADMIN_DATABASE_URL": "postgresql://db/x", "ADMIN_CREDENTIALS_SECRET": arn}

    assert "secret" in Container(named).migration_settings.admin_credentials
    assert Container(named | {"ADMIN_CREDENTIALS": "direct"}).migration_settings.admin_credentials == "direct"


def test_a_group_without_secrets_asks_for_none() -> None:
    def refuse(arn: str) -> str:
        raise AssertionError(arn)

    values = {"ADMIN_DATABASE_URL": "x", "ADMIN_CREDENTIALS": "y", "OTHER_SECRET": "arn"}
    assert MigrationSettings.load(values, refuse).admin_credentials == "y"


def test_a_value_is_kept_for_a_while_and_then_asked_for_again(service: Any, later: Callable[[float], None]) -> None:
    arn = make(service, "old")
    assert fetch_secret(arn) == "old"
    service.put_secret_value(SecretId=arn, SecretString="new")
    later(KEPT_SECONDS - 1)
    assert fetch_secret(arn) == "old"
    later(1)
    assert fetch_secret(arn) == "new"


def test_rotated_keys_reach_a_running_process(service: Any, later: Callable[[float], None]) -> None:
    from chatsphere.adapters.jwt_tokens import generate_key
    from chatsphere.identity.token_keys import key_set, public_part

    public = [public_part(key_set([generate_key()])) for _ in range(2)]
    arn = make(service, public[0])
    container = Container({"TOKEN_PUBLIC_KEYS_SECRET": arn})
    verifier = container.token_verifier
    assert container.token_verifier is verifier
    service.put_secret_value(SecretId=arn, SecretString=public[1])
    later(KEPT_SECONDS)
    assert container.token_verifier.public_keys()["keys"][0]["kid"] == json.loads(public[1])["keys"][0]["kid"]


def test_while_the_service_is_away_the_known_value_serves_on(
    service: Any, later: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    arn = make(service, "known")
    fetch_secret(arn)
    _point_to_nothing(monkeypatch)
    later(KEPT_SECONDS)
    assert fetch_secret(arn) == "known"


def test_a_service_that_never_answered_is_unavailable(service: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _point_to_nothing(monkeypatch)
    with pytest.raises(UnavailableError):
        fetch_secret("arn:aws:secretsmanager:us-east-1:123456789012:secret:x")


@pytest.mark.parametrize("value", [None, "binary"])
def test_a_secret_without_text_is_a_configuration_error(service: Any, value: str | None) -> None:
    arn = make(service, None)
    if value:
        service.put_secret_value(SecretId=arn, SecretBinary=value.encode())
    with pytest.raises(ConfigurationError, match="secret"):
        fetch_secret(arn)


def test_a_wrong_value_is_refused_without_showing_it(service: Any) -> None:
    arn = make(service, CANARY)
    container = Container({"TOKEN_PUBLIC_KEYS_SECRET": arn})
    with pytest.raises(ConfigurationError) as refused:
        container.token_verifier.public_keys()
    assert CANARY not in str(refused.value)
    assert refused.value.__cause__ is None


def test_a_vault_that_holds_no_text_is_not_taken_for_an_empty_one(service: Any) -> None:
    arn = make(service, None)
    service.put_secret_value(SecretId=arn, SecretBinary=b"binary")
    with pytest.raises(ConfigurationError):
        SecretsManagerVault(arn).read()


def test_a_vault_is_read_and_written(service: Any) -> None:
    vault = SecretsManagerVault(make(service, None))
    assert vault.read() is None
    vault.write("first")
    vault.write("second")
    stored = vault.read()
    assert stored is not None
    assert stored.value == "second"
    assert stored.stored_at.tzinfo is not None


def _point_to_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Send the adapter to a port where nobody listens, and do not wait between its tries."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setenv(ENDPOINT, f"http://127.0.0.1:{unused.getsockname()[1]}")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    secrets_manager._client.cache_clear()
