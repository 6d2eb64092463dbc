"""Access tokens as JWTs signed with ES256 (joserfc)."""

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet

from chatsphere.errors import ConfigurationError, TokenExpiredError, UnauthorizedError
from chatsphere.settings import TokenSettings, TokenVerificationSettings

ALGORITHM = "ES256"
CURVE = "P-256"
TYPE = "JWT"
"""The header's `typ` of an access token."""
MAX_TOKEN_LENGTH = 4096


class JwtTokenSigner:
    """`TokenSigner` over a set of private P-256 keys, of which the first signs."""

    def __init__(self, settings: TokenSettings) -> None:
        self._settings = settings

    def sign(self, claims: Mapping[str, Any], *, now: datetime) -> str:
        """See `TokenSigner.sign`."""
        issued = int(now.timestamp())
        key = self._keys.keys[0]
        return jwt.encode(
            {"alg": ALGORITHM, "kid": key.kid, "typ": TYPE},
            {
                **claims,
                "iss": self._settings.token_issuer,
                "iat": issued,
                "exp": issued + self._settings.access_token_seconds,
            },
            key,
            algorithms=[ALGORITHM],
        )

    @cached_property
    def _keys(self) -> KeySet:
        return read_key_set("TOKEN_KEYS", self._settings.token_keys, private=True)


class JwtTokenVerifier:
    """`TokenVerifier` over a set of public P-256 keys, all of which verify, so that keys can be rotated."""

    def __init__(self, settings: TokenVerificationSettings) -> None:
        self._settings = settings

    def verify(self, token: str, *, now: datetime) -> Mapping[str, Any]:
        """See `TokenVerifier.verify`."""
        if len(token) > MAX_TOKEN_LENGTH:
            raise UnauthorizedError
        try:
            read = jwt.decode(token, self._keys, algorithms=[ALGORITHM])
            kind, claims = read.header.get("typ"), read.claims
        except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            # The header is the client's own JSON: what joserfc makes of odd types in it is not one error.
            raise UnauthorizedError from None
        # The same keys sign receipts, which are of another type.
        if kind != TYPE or claims.get("iss") != self._settings.token_issuer or not isinstance(claims.get("exp"), int):
            raise UnauthorizedError
        if claims["exp"] <= now.timestamp():
            raise TokenExpiredError
        return claims

    def public_keys(self) -> Mapping[str, Any]:
        """See `TokenVerifier.public_keys`."""
        return {
            "keys": [
                {**key.as_dict(private=False), "kid": key.kid, "alg": ALGORITHM, "use": "sig"}
                for key in self._keys.keys
            ]
        }

    @cached_property
    def _keys(self) -> KeySet:
        return read_key_set("TOKEN_PUBLIC_KEYS", self._settings.token_public_keys, private=False)


def generate_key() -> dict[str, Any]:
    """Return a new private key as a JWK."""
    key = ECKey.generate_key(CURVE, parameters={"use": "sig", "alg": ALGORITHM}, auto_kid=True)
    return dict(key.as_dict(private=True))


def read_key_set(variable: str, text: str, *, private: bool) -> KeySet:
    """Return a variable's JWK set.

    Raises:
        ConfigurationError: it is none, or not of private or public P-256 keys.
    """
    kind = "private" if private else "public"
    try:
        keys = [ECKey.import_key(key) for key in json.loads(text)["keys"]]
    except (JoseError, ValueError, TypeError, KeyError):
        raise ConfigurationError(f"{variable} is not a JWK set of P-256 keys.") from None
    if not keys or any(key.is_private is not private or key.curve_name != CURVE for key in keys):
        raise ConfigurationError(f"{variable} must hold at least one key, and only {kind} P-256 keys.")
    return KeySet(list(keys))
