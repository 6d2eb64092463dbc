"""Erasures as the rest of ChatSphere sees them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

PERSON: Final = "person"
ORGANIZATION: Final = "organization"

ERASURE_LEASE: Final = timedelta(minutes=6)
"""How long an erasure that shows no sign of life is left alone: longer than its function lives."""

UPLOADS_END: Final = timedelta(hours=2)
"""After this nothing that was permitted before the erasure can come into the bucket: forms and lent credentials are
valid for an hour, and an upload may have begun at its end."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """The deletion of a person or of an organization.

    `receipt` is None until it is done; then {"removed": {store: number}, "left": {store: 0}, "checked_at", …}.
    """

    id: UUID
    kind: str
    status: str
    requested_at: datetime
    finished_at: datetime | None
    receipt: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class ErasureWork:
    """An erasure as the job has it. `found` is what the looks before the deletion found, None before the first."""

    id: UUID
    kind: str
    status: str
    subject_id: UUID
    organizations: Sequence[UUID]
    requested_at: datetime
    found: dict[str, Any] | None
    receipt: dict[str, Any] | None
