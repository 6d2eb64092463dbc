"""Passwords, tokens and signatures."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


class PasswordHasher(Protocol):
    """Hashes passwords so that a stolen table is of little use."""

    def hash(self, password: str) -> str:
        """Return an encoded hash with its own salt and parameters."""
        ...

    def verify(self, encoded: str | None, password: str) -> bool:
        """Return whether the password fits. With None (unknown user) it takes as long and returns False."""
        ...

    def needs_rehash(self, encoded: str) -> bool:
        """Return whether the hash was made with other parameters than today's."""
        ...


class TokenSigner(Protocol):
    """Signs access tokens (JWT, asymmetric)."""

    def sign(self, claims: Mapping[str, Any], *, now: datetime) -> str:
        """Return a token with the claims, issued at `now` and expiring after the set time."""
        ...


class TokenVerifier(Protocol):
    """Verifies access tokens; it holds no private key."""

    def verify(self, token: str, *, now: datetime) -> Mapping[str, Any]:
        """Return the claims of a valid token.

        Raises:
            TokenExpiredError: the signature is right and the token has expired.
            UnauthorizedError: anything else is wrong with it.
        """
        ...

    def public_keys(self) -> Mapping[str, Any]:
        """Return the JWK set with which others can verify."""
        ...


@dataclass(frozen=True, slots=True)
class SignedText:
    """A JWS (compact serialization) and the public key, as JWK with its `kid`, that verifies it."""

    text: str
    key: Mapping[str, Any]


class ReceiptSigner(Protocol):
    """Signs receipts, so that they are no access tokens."""

    def sign(self, content: Mapping[str, Any]) -> SignedText:
        """Return the content, as JSON, with a signature."""
        ...
