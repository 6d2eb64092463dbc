"""What every part of the container is made from."""

from collections.abc import Mapping
from typing import TypeVar

from chatsphere import settings

Group = TypeVar("Group", bound=settings.Environment)


class EnvironmentParts:
    """The settings of one execution environment, read from its variables."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def _load(self, group: type[Group]) -> Group:
        return group.load(self._environment, self._fetch_secret)

    def _fetch_secret(self, arn: str) -> str:
        from chatsphere.adapters.secrets_manager import fetch_secret

        return fetch_secret(arn)
