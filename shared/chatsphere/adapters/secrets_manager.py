"""Secrets from AWS Secrets Manager, with botocore alone: importing boto3 costs a third more."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from threading import Lock
from time import monotonic
from typing import Any, Final

from chatsphere.errors import ConfigurationError, UnavailableError
from chatsphere.observability import logger
from chatsphere.ports.vault import StoredSecret

KEPT_SECONDS: Final = 300.0
"""How long a process goes on with a value: a rotation reaches every process within this time."""

_WRONG: Final = frozenset(
    {"ResourceNotFoundException", "AccessDeniedException", "InvalidRequestException", "ValidationException"}
)
"""Answers that the next try will not change."""


@dataclass(frozen=True, slots=True)
class _Kept:
    value: str
    until: float


_kept: dict[str, _Kept] = {}
_lock = Lock()


def fetch_secret(arn: str) -> str:
    """Return the secret's present value, asked for at most every few minutes.

    If it cannot be asked for again, the value known so far is returned once more.

    Raises:
        ConfigurationError: there is no such secret, it has no text, or this function may not read it.
        UnavailableError: Secrets Manager does not answer, and never did.
    """
    with _lock:
        known = _kept.get(arn)
        if known is not None and monotonic() < known.until:
            return known.value
        try:
            value = _text(arn, _get(arn))
        except UnavailableError:
            if known is None:
                raise
            logger.warning("secret not renewed", secret=arn)
            value = known.value
        _kept[arn] = _Kept(value, monotonic() + KEPT_SECONDS)
        return value


class SecretsManagerVault:
    """The `Vault` port on one secret; connects when first used."""

    def __init__(self, arn: str) -> None:
        self._arn = arn

    def read(self) -> StoredSecret | None:
        """See `Vault.read`."""
        try:
            answer = _get(self._arn)
        except _NoValueError:
            return None
        stored_at: datetime = answer["CreatedDate"]
        return StoredSecret(_text(self._arn, answer), stored_at)

    def write(self, value: str) -> None:
        """See `Vault.write`."""
        _call("put_secret_value", SecretId=self._arn, SecretString=value)


class _NoValueError(ConfigurationError):
    """There is no such secret, or it never had a value."""


def _get(arn: str) -> dict[str, Any]:
    return _call("get_secret_value", SecretId=arn)


def _text(arn: str, answer: dict[str, Any]) -> str:
    if "SecretString" not in answer:
        raise ConfigurationError(f"The secret {arn} holds no text.")
    return str(answer["SecretString"])


def _call(operation: str, **parameters: str) -> dict[str, Any]:
    """Raise our own errors: botocore's quote the request, and that may be a secret."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        answer: dict[str, Any] = getattr(_client(), operation)(**parameters)
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code == "ResourceNotFoundException":
            raise _NoValueError(f"There is no secret {parameters['SecretId']}, or it has no value.") from None
        if code in _WRONG:
            raise ConfigurationError(f"The secret {parameters['SecretId']} cannot be used: {code}.") from None
        raise UnavailableError("Secrets Manager does not answer.") from None
    except BotoCoreError:
        raise UnavailableError("Secrets Manager does not answer.") from None
    return answer


@lru_cache(maxsize=1)
def _client() -> Any:
    from botocore.config import Config
    from botocore.session import get_session

    config = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 4})
    return get_session().create_client("secretsmanager", config=config)


def forget_secrets() -> None:
    """Ask anew for every secret, and by a new client."""
    with _lock:
        _kept.clear()
        _client.cache_clear()
