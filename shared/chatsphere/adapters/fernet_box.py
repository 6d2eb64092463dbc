"""`SecretBox` with Fernet, AES-128-CBC with HMAC-SHA256 (cryptography)."""

import base64
import hashlib
from functools import cached_property
from typing import TYPE_CHECKING

from chatsphere.errors import ConfigurationError

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet


class FernetSecretBox:
    """`SecretBox` whose keys are derived from long random texts: the first seals, all open, so that one can change.

    Boxes of the same texts and different purposes have different keys: what one has sealed, no other opens.
    """

    def __init__(self, *keys: str, purpose: str = "") -> None:
        self._keys = keys
        self._purpose = purpose

    def seal(self, text: str) -> str:
        """See `SecretBox.seal`."""
        return self._box.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """See `SecretBox.open`."""
        from cryptography.fernet import InvalidToken

        try:
            return self._box.decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise ConfigurationError("No encryption key opens what is stored.") from None

    @cached_property
    def _box(self) -> "MultiFernet":
        from cryptography.fernet import Fernet, MultiFernet

        if not all(self._keys) or not self._keys:
            raise ConfigurationError("An encryption key is empty.")
        return MultiFernet([Fernet(_derived(text, self._purpose)) for text in self._keys])


def _derived(text: str, purpose: str) -> bytes:
    # The text is random: a slow derivation would only cost time.
    label = " ".join(filter(None, ("chatsphere secret box", purpose)))
    digest = hashlib.sha256(label.encode() + b"\x00" + text.encode()).digest()
    return base64.urlsafe_b64encode(digest)
