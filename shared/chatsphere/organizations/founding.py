"""How an organization comes to be: always with an owner, on the deployment's first plan."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chatsphere.access.permissions import Role
from chatsphere.db.database import Connection
from chatsphere.errors import ConfigurationError
from chatsphere.organizations import queries

MAX_NAME = 200


@dataclass(frozen=True, slots=True)
class Founding:
    """A new organization and its first owner. `plan` is a plan's name."""

    organization_id: UUID
    owner_id: UUID
    name: str
    plan: str
    is_personal: bool = False


def found(connection: Connection, founding: Founding, now: datetime) -> None:
    """Make the organization in a transaction of its own tenant.

    Raises:
        ConfigurationError: there is no such plan.
    """
    organization = {
        "id": founding.organization_id,
        "name": founding.name,
        "plan": founding.plan,
        "is_personal": founding.is_personal,
        "now": now,
    }
    if connection.execute(queries.INSERT_ORGANIZATION, organization).rowcount == 0:
        raise ConfigurationError(f"There is no plan {founding.plan}.")
    owner = {"user_id": founding.owner_id, "role": Role.OWNER.text, "now": now}
    connection.execute(queries.INSERT_MEMBERSHIP, owner)


def personal_name(first_name: str, last_name: str, email: str) -> str:
    """Return how a person's own organization is called until they rename it."""
    return (f"{first_name} {last_name}".strip() or email.partition("@")[0])[:MAX_NAME]
