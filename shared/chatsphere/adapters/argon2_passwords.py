"""Passwords hashed with argon2id (argon2-cffi)."""

from argon2 import PasswordHasher as Argon2
from argon2.exceptions import InvalidHashError, VerificationError

from chatsphere.settings import PasswordSettings


class Argon2PasswordHasher:
    """`PasswordHasher` with argon2id, one lane: a Lambda function has no second core to give."""

    def __init__(self, settings: PasswordSettings) -> None:
        self._argon2 = Argon2(time_cost=settings.argon2_passes, memory_cost=settings.argon2_memory_kib, parallelism=1)
        self._nobody: str | None = None

    def hash(self, password: str) -> str:
        """See `PasswordHasher.hash`."""
        return self._argon2.hash(password)

    def verify(self, encoded: str | None, password: str) -> bool:
        """See `PasswordHasher.verify`."""
        # Made on the first call whoever it is for, or the first unknown user would be told by the time it takes.
        nobody = self._hash_of_nobody()
        try:
            fits = self._argon2.verify(nobody if encoded is None else encoded, password)
        except (VerificationError, InvalidHashError):
            return False
        return fits and encoded is not None

    def needs_rehash(self, encoded: str) -> bool:
        """See `PasswordHasher.needs_rehash`."""
        return self._argon2.check_needs_rehash(encoded)

    def _hash_of_nobody(self) -> str:
        if self._nobody is None:
            self._nobody = self._argon2.hash("")
        return self._nobody
