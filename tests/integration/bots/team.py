"""An organization with members of every role, who ask the API as the authorizer would have established them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from chatsphere.access.permissions import Role
from chatsphere.access.principal import Principal
from chatsphere.db.database import Database
from tests.builders.running_api import Answer, RunningApi

ENTERPRISE = UUID("01970000-0000-7000-8000-000000000004")
"""A plan without limits."""


@dataclass(frozen=True)
class Team:
    """Members by role, one of each; more may join."""

    api: RunningApi
    organization_id: UUID
    members: dict[Role, Principal] = field(default_factory=dict)

    @property
    def owner(self) -> Principal:
        return self.members[Role.OWNER]

    def join(self, role: Role) -> Principal:
        """Let somebody new join."""
        user_id = self.api.container.ids.new()
        email = f"{user_id}@example.com"
        with self.database.transaction(self.organization_id, user_id) as connection:
            connection.execute(
                "INSERT INTO users (id, email, password_hash) VALUES (%s, %s, 'x')",
                (user_id, email),
            )
            connection.execute(
                "INSERT INTO memberships (organization_id, user_id, role) VALUES (%s, %s, %s)",
                (self.organization_id, user_id, role.text),
            )
        return Principal(self.organization_id, user_id, role)

    def leave(self, member: Principal) -> None:
        """Let somebody go."""
        with self.database.transaction(self.organization_id) as connection:
            connection.execute("DELETE FROM memberships WHERE user_id = %s", (member.user_id,))

    def ask(self, caller: Principal, method: str, path: str, body: Any = None, **fields: Any) -> Answer:
        """Send a request of a member."""
        return self.api.request(method, f"/v1{path}", body, caller=caller, **fields)

    def bot(self, caller: Principal | None = None, **fields: Any) -> dict[str, Any]:
        """Make a bot, the owner's unless said otherwise."""
        answer = self.ask(caller or self.owner, "POST", "/bots", {"name": "Bot", **fields})
        assert answer.status == 201, answer.text
        made: dict[str, Any] = answer.json
        return made

    def change(self, bot: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
        """Change a bot as the owner."""
        answer = self.ask(self.owner, "PATCH", f"/bots/{bot['id']}", fields)
        assert answer.status == 200, answer.text
        changed: dict[str, Any] = answer.json
        return changed

    def grant(self, bot: Mapping[str, Any], member: Principal, permission: str) -> None:
        """Grant a permission as the owner."""
        path = f"/bots/{bot['id']}/members/{member.user_id}"
        answer = self.ask(self.owner, "PUT", path, {"permission": permission})
        assert answer.status == 200, answer.text

    @property
    def database(self) -> Database:
        return self.api.container.database


def new_team(api: RunningApi, plan: UUID = ENTERPRISE) -> Team:
    """Found an organization with an owner, an admin, an editor and a viewer."""
    team = Team(api, api.container.ids.new())
    with team.database.transaction(team.organization_id) as connection:
        connection.execute(
            "INSERT INTO organizations (id, name, plan_id) VALUES (%s, 'Team', %s)", (team.organization_id, plan)
        )
    team.members.update({role: team.join(role) for role in Role})
    return team
