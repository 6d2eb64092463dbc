"""The permission table: the only place that says who may do what.

Code asks it (`chatsphere.http.gate`), the OpenAPI document shows it (`x-permission`), the matrix test is generated from
it, and docs/permissions.md is written from it (`python -m chatsphere.access.permissions_page`).
"""

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final


class Scope(StrEnum):
    """What an API key may be used for; a person's own token has every scope."""

    BOTS_READ = "bots:read"
    BOTS_WRITE = "bots:write"
    DOCUMENTS_READ = "documents:read"
    DOCUMENTS_WRITE = "documents:write"
    CHAT = "chat"
    CONVERSATIONS_READ = "conversations:read"
    CONVERSATIONS_WRITE = "conversations:write"
    ORGANIZATION_READ = "organization:read"
    ORGANIZATION_WRITE = "organization:write"
    AUDIT_READ = "audit:read"
    API_KEYS = "api_keys"
    INSIGHTS_READ = "insights:read"
    RETENTION_READ = "retention:read"
    RETENTION_WRITE = "retention:write"
    ERASURES_WRITE = "erasures:write"
    WEBHOOKS_READ = "webhooks:read"
    WEBHOOKS_WRITE = "webhooks:write"


ALL_SCOPES: Final = frozenset(Scope)


class Role(IntEnum):
    """A member's role in the organization; each may do all that the one below it may."""

    VIEWER = 1
    EDITOR = 2
    ADMIN = 3
    OWNER = 4

    @property
    def text(self) -> str:
        """The role as it is stored and shown."""
        return self.name.lower()

    @classmethod
    def of(cls, text: str) -> "Role":
        """Return the role that is stored under this name."""
        return cls[text.upper()]


class BotLevel(IntEnum):
    """What somebody may do with one bot; each level holds the ones below it."""

    NONE = 0
    VIEW = 1
    EDIT = 2
    MANAGE = 3

    @property
    def text(self) -> str:
        """The level as it is stored and shown."""
        return self.name.lower()

    @classmethod
    def of(cls, text: str | None) -> "BotLevel":
        """Return the level that is stored under this name, None: no level."""
        return cls.NONE if text is None else cls[text.upper()]


ROLE_LEVEL: Final = {
    Role.VIEWER: BotLevel.VIEW,
    Role.EDITOR: BotLevel.EDIT,
    Role.ADMIN: BotLevel.MANAGE,
    Role.OWNER: BotLevel.MANAGE,
}
"""What a role may do with a bot that the whole organization sees."""


def bot_level(role: Role, visibility: str, granted: BotLevel) -> BotLevel:
    """Return what a member may do with a bot: the most of what the role permits and what was granted on the bot.

    A private bot is shown only to those who were granted something on it, and to admins and owners.
    """
    by_role = ROLE_LEVEL[role]
    if visibility == "private" and role < Role.ADMIN:
        by_role = BotLevel.NONE
    return max(by_role, granted)


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a permission takes.

    `scope`: what an API key needs, None where any key may. `role`: the least role in the organization. `bot`: the
    least level on the bot that the request is about. `person_only`: no API key may, whatever its scopes.
    """

    scope: Scope | None
    role: Role = Role.VIEWER
    bot: BotLevel | None = None
    person_only: bool = False


class Permission(StrEnum):
    """Something that one may be permitted to do. Each operation of the API requires exactly one."""

    SELF_READ = "self.read"
    SELF_WRITE = "self.write"
    ORGANIZATION_READ = "organization.read"
    ORGANIZATION_UPDATE = "organization.update"
    ORGANIZATION_OWN = "organization.own"
    MEMBERS_MANAGE = "members.manage"
    API_KEYS_MANAGE = "api_keys.manage"
    AUDIT_READ = "audit.read"
    BOTS_LIST = "bots.list"
    BOTS_CREATE = "bots.create"
    BOT_VIEW = "bot.view"
    BOT_EDIT = "bot.edit"
    BOT_MANAGE = "bot.manage"
    DOCUMENTS_READ = "documents.read"
    DOCUMENTS_WRITE = "documents.write"
    DELETIONS_READ = "deletions.read"
    CHAT = "chat"
    CONVERSATIONS_READ = "conversations.read"
    CONVERSATIONS_WRITE = "conversations.write"
    BOT_EXPORT = "bot.export"
    INSIGHTS_READ = "insights.read"
    RETENTION_READ = "retention.read"
    RETENTION_WRITE = "retention.write"
    BOT_RETENTION_READ = "bot.retention.read"
    BOT_RETENTION_WRITE = "bot.retention.write"
    ERASURES_READ = "erasures.read"
    ERASURES_WRITE = "erasures.write"
    WEBHOOKS_READ = "webhooks.read"
    WEBHOOKS_WRITE = "webhooks.write"
    HEALTH_READ = "health.read"


REQUIREMENTS: Final[dict[Permission, Requirement]] = {
    Permission.SELF_READ: Requirement(None),
    Permission.SELF_WRITE: Requirement(None, person_only=True),
    Permission.ORGANIZATION_READ: Requirement(Scope.ORGANIZATION_READ),
    Permission.ORGANIZATION_UPDATE: Requirement(Scope.ORGANIZATION_WRITE, Role.ADMIN),
    Permission.ORGANIZATION_OWN: Requirement(Scope.ORGANIZATION_WRITE, Role.OWNER, person_only=True),
    Permission.MEMBERS_MANAGE: Requirement(Scope.ORGANIZATION_WRITE, Role.ADMIN),
    Permission.API_KEYS_MANAGE: Requirement(Scope.API_KEYS, Role.EDITOR),
    Permission.AUDIT_READ: Requirement(Scope.AUDIT_READ, Role.ADMIN),
    Permission.BOTS_LIST: Requirement(Scope.BOTS_READ),
    Permission.BOTS_CREATE: Requirement(Scope.BOTS_WRITE, Role.EDITOR),
    Permission.BOT_VIEW: Requirement(Scope.BOTS_READ, bot=BotLevel.VIEW),
    Permission.BOT_EDIT: Requirement(Scope.BOTS_WRITE, bot=BotLevel.EDIT),
    Permission.BOT_MANAGE: Requirement(Scope.BOTS_WRITE, bot=BotLevel.MANAGE),
    Permission.DOCUMENTS_READ: Requirement(Scope.DOCUMENTS_READ, bot=BotLevel.VIEW),
    Permission.DOCUMENTS_WRITE: Requirement(Scope.DOCUMENTS_WRITE, bot=BotLevel.EDIT),
    Permission.DELETIONS_READ: Requirement(Scope.DOCUMENTS_READ),
    Permission.CHAT: Requirement(Scope.CHAT, bot=BotLevel.VIEW),
    Permission.CONVERSATIONS_READ: Requirement(Scope.CONVERSATIONS_READ, bot=BotLevel.VIEW),
    Permission.CONVERSATIONS_WRITE: Requirement(Scope.CONVERSATIONS_WRITE, bot=BotLevel.EDIT),
    # All of the bot, with its former versions, leaves in one file.
    Permission.BOT_EXPORT: Requirement(Scope.BOTS_WRITE, bot=BotLevel.MANAGE),
    # Without a bot: what concerns all of them, private ones included. About one bot: whoever sees it.
    Permission.INSIGHTS_READ: Requirement(Scope.INSIGHTS_READ),
    # What is archived or to be deleted is of all bots, private ones included.
    Permission.RETENTION_READ: Requirement(Scope.RETENTION_READ, Role.ADMIN),
    Permission.RETENTION_WRITE: Requirement(Scope.RETENTION_WRITE, Role.ADMIN),
    Permission.BOT_RETENTION_READ: Requirement(Scope.RETENTION_READ, bot=BotLevel.MANAGE),
    Permission.BOT_RETENTION_WRITE: Requirement(Scope.RETENTION_WRITE, bot=BotLevel.MANAGE),
    Permission.ERASURES_READ: Requirement(Scope.ERASURES_WRITE, Role.ADMIN),
    Permission.ERASURES_WRITE: Requirement(Scope.ERASURES_WRITE, Role.ADMIN),
    Permission.WEBHOOKS_READ: Requirement(Scope.WEBHOOKS_READ, Role.ADMIN),
    Permission.WEBHOOKS_WRITE: Requirement(Scope.WEBHOOKS_WRITE, Role.ADMIN),
    Permission.HEALTH_READ: Requirement(Scope.ORGANIZATION_READ, Role.ADMIN),
}
