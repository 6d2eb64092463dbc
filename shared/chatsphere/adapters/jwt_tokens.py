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
from chatsphere.settings import TokenSettings

ALGORITHM = "ES256"
CURVE = "P-256"
MAX_TOKEN_LENGTH = 4096


class JwtTokenSigner:
    """`TokenSigner` over a set of P-256 keys: the first signs, all verify, so that keys can be rotated."""

    def __init__(self, settings: TokenSettings) -> None:
        self._settings = settings

    def sign(self, claims: Mapping[str, Any], *, now: datetime) -> str:
        """See `TokenSigner.sign`."""
        issued = int(now.timestamp())
        key = self._keys.keys[0]
        return jwt.encode(
            {"alg": ALGORITHM, "kid": key.kid},
            {
                **claims,
                "iss": self._settings.token_issuer,
                "iat": issued,
                "exp": issued + self._settings.access_token_seconds,
            },
            key,
            algorithms=[ALGORITHM],
        )

    def verify(self, token: str, *, now: datetime) -> Mapping[str, Any]:
        """See `TokenSigner.verify`."""
        if len(token) > MAX_TOKEN_LENGTH:
            raise UnauthorizedError
        try:
            claims = jwt.decode(token, self._keys, algorithms=[ALGORITHM]).claims
        except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            # The header is the client's own JSON: what joserfc makes of odd types in it is not one error.
            raise UnauthorizedError from None
        if claims.get("iss") != self._settings.token_issuer or not isinstance(claims.get("exp"), int):
            raise UnauthorizedError
        if claims["exp"] <= now.timestamp():
            raise TokenExpiredError
        return claims

    def public_keys(self) -> Mapping[str, Any]:
        """See `TokenSigner.public_keys`."""
        return {
            "keys": [
                {**key.as_dict(private=False), "kid": key.kid, "alg": ALGORITHM, "use": "sig"}
                for key in self._keys.keys
            ]
        }

    @cached_property
    def _keys(self) -> KeySet:
        try:
            keys = [ECKey.import_key(key) for key in json.loads(self._settings.token_keys)["keys"]]
        except (JoseError, ValueError, TypeError, KeyError):
            raise ConfigurationError("TOKEN_KEYS is not a JWK set of P-256 keys.") from None
        if not keys or any(not key.is_private or key.curve_name != CURVE for key in keys):
            raise ConfigurationError("TOKEN_KEYS must hold at least one key, and only private P-256 keys.")
        return KeySet(list(keys))


def generate_token_keys() -> str:
    """Return a new private JWK set with one key, as `TOKEN_KEYS` takes it."""
    key = ECKey.generate_key(CURVE, auto_kid=True)
    return json.dumps({"keys": [key.as_dict(private=True)]})
