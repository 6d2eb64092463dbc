"""The model's state: what there is, and who may do what with it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from tests.integration.access_model.rules import BY_ROLE, LEVEL, RANK, RULES

OK: Final = 0
"""Nothing stands in the way."""


@dataclass(eq=False)
class Person:
    """Somebody with an account."""

    id: str
    email: str
    password: str


@dataclass(eq=False)
class Organization:
    """A tenant; `roles` by person."""

    id: str
    roles: dict[Person, str]

    def owners(self) -> list[Person]:
        return [person for person, role in self.roles.items() if role == "owner"]


@dataclass(eq=False)
class Bot:
    """A bot; `grants` are levels by person."""

    id: str
    organization: Organization
    visibility: str
    grants: dict[Person, str]
    documents: set[str] = field(default_factory=set)
    deleted: bool = False


@dataclass(eq=False)
class Credential:
    """A session's access token or, with `scopes`, an API key. `bots` is None where it may use all."""

    text: str
    organization: Organization
    person: Person
    id: str = ""
    refresh_token: str = ""
    scopes: frozenset[str] | None = None
    bots: frozenset[Bot] | None = None
    expires: datetime | None = None
    rotated: bool = False
    ended: bool = False

    @property
    def is_key(self) -> bool:
        return self.scopes is not None


@dataclass(eq=False)
class Invitation:
    """An invitation, and the token that was mailed."""

    id: str
    token: str
    organization: Organization
    email: str
    role: str
    inviter: Person
    closed: bool = False


@dataclass
class World:
    """Everything that the API was made to hold."""

    people: list[Person] = field(default_factory=list)
    organizations: list[Organization] = field(default_factory=list)
    bots: list[Bot] = field(default_factory=list)
    credentials: list[Credential] = field(default_factory=list)
    invitations: list[Invitation] = field(default_factory=list)

    def alive(self, credential: Credential) -> bool:
        return not credential.ended and credential.person in credential.organization.roles

    def level(self, credential: Credential, bot: Bot) -> int:
        if bot.deleted or bot.organization is not credential.organization:
            return 0
        if credential.bots is not None and bot not in credential.bots:
            return 0
        granted = bot.grants.get(credential.person)
        return max(BY_ROLE[self.role(credential), bot.visibility], LEVEL[granted] if granted else 0)

    def refusal(
        self, credential: Credential, operation: str, *, of: Organization | None = None, bot: Bot | None = None
    ) -> int:
        """Return the status that an operation is refused with, `OK` where it is not."""
        rule = RULES[operation]
        if not self.alive(credential):
            return 401
        if credential.scopes is not None and (rule.scope is None or rule.scope not in {"", *credential.scopes}):
            return 403
        if RANK[self.role(credential)] < RANK[rule.role]:
            return 403
        if of is not None and of is not credential.organization:
            return 404
        if bot is None:
            return OK
        level = self.level(credential, bot)
        return 404 if level == 0 else 403 if level < rule.level else OK

    def visible_bots(self, credential: Credential) -> set[str]:
        return {bot.id for bot in self.bots if self.level(credential, bot) > 0}

    def role(self, credential: Credential) -> str:
        return credential.organization.roles[credential.person]

    def keys(self, credential: Credential) -> list[Credential]:
        """Return the keys that somebody manages: an admin all of the organization's, others their own."""
        return [
            key
            for key in self.credentials
            if key.is_key
            and key.organization is credential.organization
            and self.alive(key)
            and (key.person is credential.person or RANK[self.role(credential)] >= RANK["admin"])
        ]

    def sessions(self, person: Person) -> list[Credential]:
        return [one for one in self.credentials if not one.is_key and one.person is person and self.alive(one)]

    def open_invitations(self, organization: Organization) -> list[Invitation]:
        return [one for one in self.invitations if one.organization is organization and not one.closed]

    def close_invitations_of(self, organization: Organization, inviter: Person) -> None:
        """Close what somebody left open who may invite nobody any more."""
        for invitation in self.open_invitations(organization):
            if invitation.inviter is inviter:
                invitation.closed = True

    def end_membership(self, organization: Organization, person: Person) -> None:
        """Take somebody out of an organization, with all that was theirs in it for good: it does not come back."""
        del organization.roles[person]
        self.close_invitations_of(organization, person)
        for credential in self.credentials:
            if credential.organization is organization and credential.person is person:
                credential.ended = True
        for bot in self.bots:
            if bot.organization is organization:
                bot.grants.pop(person, None)

    def set_role(self, organization: Organization, person: Person, role: str) -> None:
        organization.roles[person] = role
        if RANK[role] < RANK["admin"]:
            self.close_invitations_of(organization, person)
