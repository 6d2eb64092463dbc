"""What concerns files before they are documents: who may upload them, and whether they do harm."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Protocol


class ScanVerdict(Enum):
    """What a malware scanner found out about an object."""

    CLEAN = auto()
    INFECTED = auto()
    NOT_SCANNED = auto()
    """It tried and could not: the object is encrypted, too large, or not to be read."""


class MalwareScanner(Protocol):
    """Knows which objects of the uploads bucket were scanned."""

    def verdict(self, key: str, version_id: str | None) -> ScanVerdict | None:
        """Return what the scan of this object found, or None where it has not ended (or the object is gone).

        Raises:
            UnavailableError: the verdict cannot be asked for at the moment.
        """
        ...


@dataclass(frozen=True, slots=True)
class TemporaryCredentials:
    """AWS credentials that may put objects under one prefix until they expire, and do nothing else."""

    access_key_id: str
    secret_access_key: str
    session_token: str
    expires_at: datetime


class UploadCredentials(Protocol):
    """Lends people and programs the right to put files into the bucket with any S3 client."""

    def lend(self, prefix: str, *, session_name: str) -> TemporaryCredentials:
        """Return credentials for the keys under `prefix` (`{organization}/{bot}/`).

        `session_name` stands in CloudTrail beside what was done with them: 2 to 64 of letters, digits and `_+=,.@-`.

        Raises:
            UnavailableError: the token service does not answer.
        """
        ...
