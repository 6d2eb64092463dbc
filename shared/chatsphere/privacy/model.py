"""Erasures as the rest of ChatSphere sees them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from psycopg.types.json import Jsonb

PERSON: Final = "person"
ORGANIZATION: Final = "organization"
END_USER: Final = "end_user"
DOCUMENT: Final = "document"
BOT: Final = "bot"

OF_A_TENANT: Final = frozenset({END_USER, DOCUMENT, BOT})
"""Kinds of what is a part of an organization, which goes on."""

ERASURE_LEASE: Final = timedelta(minutes=6)
"""How long an erasure that shows no sign of life is left alone: longer than its function lives."""

UPLOADS_END: Final = timedelta(hours=2)
"""After this nothing that was permitted before the erasure can come into the bucket: forms and lent credentials are
valid for an hour, and an upload may have begun at its end."""

LATE_WRITES_END: Final = timedelta(minutes=20)
"""The same where nothing is uploaded: from the receipt to the last look. By then no answer, no archive file and no
vector is on its way that was begun before, and every store shows what was written."""

KEPT_OUT: Final = timedelta(minutes=10)
"""How long after the receipt nothing is written for an erased end user: longer than an answer may take."""

HELD_AGAIN: Final = timedelta(minutes=15)
"""How long an erasure that a legal hold stands against is left alone before it is tried again."""

BACKUPS: Final = "Backups that were made before the erasure keep what they hold until they expire."
"""What every receipt says of them."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """The deletion of a person, an organization, or a part of one.

    `receipt` is None until it is done; then {"removed": {store: number}, "left": {store: 0}, "checked_at", …}.
    `tenant_id` and `bot_id` are set for a part of an organization. `subject_hash` is the SHA-256, as hexadecimal
    digits, of `subject_salt` followed by the subject's id; erasures of former releases have neither.
    """

    id: UUID
    kind: str
    status: str
    requested_at: datetime
    finished_at: datetime | None
    receipt: Mapping[str, Any] | None
    tenant_id: UUID | None = None
    bot_id: UUID | None = None
    subject_salt: str | None = None
    subject_hash: str | None = None
    signed_receipt: str | None = None


@dataclass(frozen=True, slots=True)
class ErasureWork:
    """An erasure as the job has it. `found` is what the looks before the deletion found, None before the first."""

    id: UUID
    kind: str
    status: str
    subject_id: UUID | None
    organizations: Sequence[UUID]
    requested_at: datetime
    finished_at: datetime | None
    found: dict[str, Any] | None
    receipt: dict[str, Any] | None
    tenant_id: UUID | None = None
    bot_id: UUID | None = None
    end_user_id: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """What of an organization is erased: an end user (of one bot, or without one of all), a document, or a bot.

    `asked_at`: from then on nothing more was written for the subject. `until`: only what is older is the erasure's;
    None: everything.
    """

    kind: str
    organization_id: UUID
    bot_id: UUID | None
    asked_at: datetime
    document_id: UUID | None = None
    end_user_id: str | None = None
    until: datetime | None = None

    @classmethod
    def of(cls, work: ErasureWork, asked_at: datetime) -> "Part":
        """Return what a tenant's erasure is about."""
        assert work.tenant_id is not None
        return cls(
            kind=work.kind,
            organization_id=work.tenant_id,
            bot_id=work.bot_id,
            asked_at=asked_at,
            document_id=work.subject_id if work.kind == DOCUMENT else None,
            end_user_id=work.end_user_id,
            until=work.finished_at,
        )

    @property
    def values(self) -> dict[str, Any]:
        """Return it as the parameters of SQL."""
        return {
            "organization_id": self.organization_id,
            "bot_id": self.bot_id,
            "document_id": self.document_id,
            "end_user_id": self.end_user_id,
            "asked_at": self.asked_at,
            "until": self.until,
            "wanted": Jsonb([{"document_id": str(self.document_id)}]),
        }
