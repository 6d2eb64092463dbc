"""What messages that belong to one tenant have in common."""

from collections.abc import Mapping
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict


class TenantMessage(BaseModel):
    """Base of messages about one organization's work."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    organization_id: UUID

    @property
    def group(self) -> str:
        """The queue's fairness group: one tenant's backlog does not delay the others."""
        return str(self.organization_id)

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> Self:
        """Read a message; raises `ValueError` where it is none."""
        return cls.model_validate(body)

    def to_json(self) -> dict[str, Any]:
        """Return what is sent."""
        return self.model_dump(mode="json", exclude_none=True)
