"""What every command is given: where the API is, who is asking, how to print."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from chatsphere.cli.authorization import authorization_for
from chatsphere.cli.credentials import CredentialStore
from chatsphere.cli.environment import Environment
from chatsphere.cli.errors import UnauthenticatedError
from chatsphere.cli.output import Output
from chatsphere.cli.target import Target, resolve

if TYPE_CHECKING:
    from chatsphere.cli.client import Client


@dataclass(frozen=True, slots=True)
class CommonOptions:
    """The options that every command takes."""

    api: str | None = None
    api_key: str | None = None
    as_json: bool = False
    debug: bool = False

    def or_else(self, other: "CommonOptions") -> "CommonOptions":
        """Return these options, completed by those that were given before the command's name."""
        return CommonOptions(
            self.api or other.api,
            self.api_key or other.api_key,
            self.as_json or other.as_json,
            self.debug or other.debug,
        )


class Session:
    """One run of a command. Nothing is read or opened before it is asked for."""

    def __init__(self, options: CommonOptions, environment: Environment | None = None) -> None:
        self.options = options
        self.output = Output(as_json=options.as_json)
        self._environment = environment

    @cached_property
    def environment(self) -> Environment:
        """The process's environment."""
        return self._environment or Environment.load()

    @cached_property
    def store(self) -> CredentialStore:
        """The stored logins."""
        return CredentialStore(self.environment.config_directory)

    @cached_property
    def target(self) -> Target:
        """The API and the identity that this run uses."""
        return resolve(self.environment, self.store, api=self.options.api, api_key=self.options.api_key)

    @cached_property
    def anonymous(self) -> "Client":
        """A client for the public routes."""
        # httpx takes longer to import than everything else: `--help` goes without it.
        from chatsphere.cli.client import Client

        return Client.to(self.target.api)

    @cached_property
    def client(self) -> "Client":
        """A client with the caller's credential."""
        if self.target.identity is None:
            raise UnauthenticatedError(
                f"There is no credential for {self.target.api}. "
                f"Tried --api-key, CHATSPHERE_API_KEY, the logins in {self.store.path}, a one-machine run's demo key.",
                hint="Log in with `chatsphere login` (with --register for a new account).",
                code="no_credential",
            )
        anonymous = self.anonymous
        authorization = authorization_for(
            self.target, self.store, lambda token: anonymous.post("/auth/refresh", {"refresh_token": token})
        )
        return anonymous.asking_as(authorization)

    def close(self) -> None:
        """Close what was opened."""
        if "anonymous" in self.__dict__:
            self.anonymous.close()
