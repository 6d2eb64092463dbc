"""What a receipt says of its subject: a salted hash, which only who knows the subject can compare."""

import hashlib
import secrets
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class SubjectMark:
    """`digest` is the SHA-256 of `salt` followed by the subject's id, both as text, in hexadecimal digits."""

    salt: str
    digest: str

    @classmethod
    def of(cls, subject: UUID | str) -> "SubjectMark":
        """Mark a subject with a new salt: two receipts about the same one have nothing in common."""
        salt = secrets.token_hex(16)
        return cls(salt, digest_of(salt, str(subject)))


def digest_of(salt: str, subject: str) -> str:
    """Return the digest that a receipt about this subject has."""
    return hashlib.sha256((salt + subject).encode()).hexdigest()
