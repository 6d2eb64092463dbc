"""Where secrets are kept, and what seals them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class StoredSecret:
    """A secret's present value, and since when it has it."""

    value: str
    stored_at: datetime


class Vault(Protocol):
    """One secret of the secret store, for whoever may replace it."""

    def read(self) -> StoredSecret | None:
        """Return the present value, None before the first.

        Raises:
            UnavailableError: the secret store does not answer.
        """
        ...

    def write(self, value: str) -> None:
        """Replace the value.

        Raises:
            UnavailableError: the secret store does not answer; whether the value was taken is not known.
        """
        ...


class SecretBox(Protocol):
    """Encrypts small secrets that the database keeps."""

    def seal(self, text: str) -> str:
        """Return the text encrypted and authenticated, printable."""
        ...

    def open(self, sealed: str) -> str:
        """Return the text.

        Raises:
            ConfigurationError: it was sealed with another key, or changed.
        """
        ...
