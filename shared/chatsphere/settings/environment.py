"""The base of all settings groups: typed fields, each from one variable."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from chatsphere.errors import ConfigurationError

SECRET_SUFFIX: Final = "_SECRET"  # noqa: S105 - a name, not a secret

FetchSecret = Callable[[str], str]
"""Takes the ARN of a secret and returns its value."""


class _SecretMark:
    """Marks a field whose value may come from Secrets Manager."""


Secret = Annotated[str, _SecretMark()]


def _sendable(key: str | None) -> str | None:
    """Return a vendor's key as an HTTP header takes it; files and pastes like to end one with a line break."""
    key = key.strip() if key else key
    if key and not (key.isascii() and key.isprintable()):
        raise ValueError("holds a character that no key has")
    return key


VendorKey = Annotated[str | None, _SecretMark(), AfterValidator(_sendable)]


def _no_secrets(_arn: str) -> str:
    raise ConfigurationError("This process cannot read secrets.")


class Environment(BaseModel):
    """Base of every settings group; fields without a default are required."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    @classmethod
    def variables(cls) -> dict[str, bool]:
        """Return each environment variable of the group and whether it is required."""
        return {name.upper(): info.is_required() for name, info in cls.model_fields.items()}

    @classmethod
    def secrets(cls) -> frozenset[str]:
        """Return the variables of the group that hold secrets."""
        return frozenset(
            name.upper()
            for name, info in cls.model_fields.items()
            if any(isinstance(mark, _SecretMark) for mark in info.metadata)
        )

    @classmethod
    def load(cls, environment: Mapping[str, str], fetch_secret: FetchSecret = _no_secrets) -> Self:
        """Read the group from `environment`; a secret that is only named there is fetched.

        Raises:
            ConfigurationError: a variable is missing or has a wrong value; names the variable, not the value.
            UnavailableError: a secret cannot be fetched at the moment.
        """
        present: dict[str, Any] = {
            name: environment[name.upper()] for name in cls.model_fields if environment.get(name.upper(), "") != ""
        }
        for name in cls.secrets():
            arn = environment.get(name + SECRET_SUFFIX, "")
            if arn and name.lower() not in present:
                present[name.lower()] = fetch_secret(arn)
        try:
            return cls.model_validate(present)
        except ValidationError as error:
            problems = "; ".join(_problem(e) for e in error.errors(include_input=False))
            raise ConfigurationError(f"{cls.__name__}: {problems}") from None


def _problem(error: Any) -> str:
    where = str(error["loc"][0]).upper() + ": " if error["loc"] else ""
    return where + str(error["msg"]).removeprefix("Value error, ")
