"""Organizations for people who belong to none any more: removed from the last, or left behind when it was deleted.

Without one nobody could log in, not even to export or delete what is theirs.
"""

from dataclasses import dataclass
from uuid import UUID

from chatsphere.access.permissions import Role
from chatsphere.db.database import Database
from chatsphere.errors import UnauthorizedError
from chatsphere.identity import queries
from chatsphere.identity.model import Member
from chatsphere.organizations.founding import Founding, found, personal_name
from chatsphere.ports.system import Clock, Ids


@dataclass(frozen=True, slots=True)
class Homes:
    """What making somebody an organization needs. `database` is the application's; `plan` is a plan's name."""

    database: Database
    ids: Ids
    clock: Clock
    plan: str

    def make(self, user_id: UUID) -> Member:
        """Make the person an organization of their own, as at registration. Of two logins at once each makes one.

        Raises:
            UnauthorizedError: there is no such person any more.
        """
        organization_id = self.ids.new()
        with self.database.transaction(organization_id, user_id) as connection:
            person = connection.execute(queries.OWN_NAMES, {"user_id": user_id}).fetchone()
            if person is None:
                raise UnauthorizedError
            founding = Founding(organization_id, user_id, personal_name(**person), self.plan, is_personal=True)
            found(connection, founding, self.clock.now())
        return Member(organization_id, user_id, Role.OWNER.text)
