"""Who runs the deployment."""

from typing import Self
from uuid import UUID

from pydantic import model_validator

from chatsphere.settings.environment import Environment

EVERYBODY = "*"


class OperatorSettings(Environment):
    """`operator_organizations` are the organizations of those who run the deployment, by their ids with commas: what
    concerns the whole installation is shown to their admins. `*`: to every organization's, as on one machine.
    """

    operator_organizations: str = ""

    def runs_deployment(self, organization_id: UUID) -> bool:
        """Return whether the members of an organization are operators."""
        return self.operator_organizations == EVERYBODY or organization_id in self._ids

    @property
    def _ids(self) -> frozenset[UUID]:
        named = (each.strip() for each in self.operator_organizations.split(","))
        return frozenset(UUID(each) for each in named if each)

    @model_validator(mode="after")
    def _readable(self) -> Self:
        if self.operator_organizations != EVERYBODY:
            _ = self._ids
        return self
