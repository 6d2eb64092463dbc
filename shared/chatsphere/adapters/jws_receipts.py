"""Signed receipts as JWS (ES256, joserfc), by the key that signs access tokens."""

import json
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final

from joserfc import jws
from joserfc.jwk import KeySet

from chatsphere.adapters.jwt_tokens import ALGORITHM, read_key_set
from chatsphere.ports.credentials import SignedText
from chatsphere.settings import TokenSettings

TYPE: Final = "chatsphere-erasure+jws"
"""The header's `typ`; an access token has another. Nor has a receipt an `exp`: no verifier of tokens accepts it."""


class JwsReceiptSigner:
    """`ReceiptSigner` over the set of private keys, of which the first signs."""

    def __init__(self, settings: TokenSettings) -> None:
        self._settings = settings

    def sign(self, content: Mapping[str, Any]) -> SignedText:
        """See `ReceiptSigner.sign`."""
        key = self._keys.keys[0]
        signed = {"iss": self._settings.token_issuer, **content}
        # The same content is the same text.
        payload = json.dumps(signed, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        text = jws.serialize_compact({"alg": ALGORITHM, "kid": key.kid, "typ": TYPE}, payload, key)
        public = {**key.as_dict(private=False), "kid": key.kid, "alg": ALGORITHM, "use": "sig"}
        return SignedText(text, public)

    @cached_property
    def _keys(self) -> KeySet:
        return read_key_set("TOKEN_KEYS", self._settings.token_keys, private=True)
