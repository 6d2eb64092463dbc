"""What each cell must answer, said a second time: this file asks nothing of the code that it judges."""

from dataclasses import dataclass
from typing import Final, Literal

from tests.integration.matrix.document import Operation

Target = Literal["shared", "private", "public", "own", "theirs", "none"]
"""Whose object a request names: a bot of the victim's by its visibility, the caller's own bot or organization with an
object of the victim's below it, another object of the victim's, or none."""

VICTIMS_BOTS: Final[tuple[Target, ...]] = ("shared", "private", "public")


@dataclass(frozen=True)
class Outcome:
    """A status, and the problem's code where it is one."""

    status: int
    code: str = ""

    def __str__(self) -> str:
        return f"{self.status} {self.code}".strip()


NOT_FOUND: Final = Outcome(404, "not_found")


@dataclass(frozen=True)
class Caller:
    """Somebody who asks. `refused` is the code of the 401 of a credential that stands for nobody.

    `granted` is the level on the victim's private bot. `lacks_scope`: a key with every scope but the one required;
    `limited_to`: a key for one bot, which is none of the victim's three where it says "another". `in_both`: a member
    of the victim's organization, too, who did not switch to it. `without`: scopes that such a key cannot have.
    """

    name: str
    tenant: Literal["victim", "other"] = "victim"
    role: str = "owner"
    refused: str | None = None
    granted: str | None = None
    key: bool = False
    lacks_scope: bool = False
    limited_to: Literal["shared", "another"] | None = None
    without: frozenset[str] = frozenset()
    in_both: bool = False


# A key for some bots must not reach beyond them.
UNLIMITED_SCOPES: Final = frozenset(
    {"api_keys", "audit:read", "erasures:write", "organization:write", "webhooks:read", "webhooks:write"}
)

CALLERS: Final = (
    Caller("nobody", refused="missing_credential"),
    Caller("text that is no credential", refused="unauthorized"),
    Caller("revoked key", key=True, refused="unauthorized"),
    Caller("expired key", key=True, refused="token_expired"),
    Caller("expired token", refused="token_expired"),
    Caller("revoked session", refused="unauthorized"),
    Caller("former member", refused="unauthorized"),
    Caller("former member's key", key=True, refused="unauthorized"),
    Caller("person who was switched off", refused="unauthorized"),
    Caller("other tenant's owner", tenant="other"),
    Caller("other tenant's key", tenant="other", key=True),
    Caller("owner of both, as the other tenant", tenant="other", in_both=True),
    Caller("viewer", role="viewer"),
    Caller("editor", role="editor"),
    Caller("admin", role="admin"),
    Caller("viewer who may view", role="viewer", granted="view"),
    Caller("viewer who may edit", role="viewer", granted="edit"),
    Caller("viewer who may manage", role="viewer", granted="manage"),
    Caller("editor who may view", role="editor", granted="view"),
    Caller("viewer's key", role="viewer", key=True),
    Caller("editor's key", role="editor", key=True),
    Caller("key without the scope", key=True, lacks_scope=True),
    Caller("key for another bot", key=True, limited_to="another", without=UNLIMITED_SCOPES),
    Caller("key for the shared bot", key=True, limited_to="shared", without=UNLIMITED_SCOPES),
    Caller("key", key=True),
    Caller("owner"),
)


@dataclass(frozen=True)
class Need:
    """What a permission takes: a key's scope, the least role, the least level on the bot, or a person."""

    scope: str | None
    role: str = "viewer"
    level: str = "view"
    person: bool = False


NEEDS: Final = {
    "self.read": Need(None),
    "self.write": Need(None, person=True),
    "organization.read": Need("organization:read"),
    "organization.update": Need("organization:write", role="admin"),
    "organization.own": Need("organization:write", role="owner", person=True),
    "members.manage": Need("organization:write", role="admin"),
    "api_keys.manage": Need("api_keys", role="editor"),
    "audit.read": Need("audit:read", role="admin"),
    "bots.list": Need("bots:read"),
    "bots.create": Need("bots:write", role="editor"),
    "bot.view": Need("bots:read"),
    "bot.edit": Need("bots:write", level="edit"),
    "bot.manage": Need("bots:write", level="manage"),
    "bot.export": Need("bots:write", level="manage"),
    "documents.read": Need("documents:read"),
    "documents.write": Need("documents:write", level="edit"),
    "deletions.read": Need("documents:read"),
    "chat": Need("chat"),
    "conversations.read": Need("conversations:read"),
    "conversations.write": Need("conversations:write", level="edit"),
    "insights.read": Need("insights:read"),
    "erasures.read": Need("erasures:write", role="admin"),
    "erasures.write": Need("erasures:write", role="admin"),
    "retention.read": Need("retention:read", role="admin"),
    "retention.write": Need("retention:write", role="admin"),
    "bot.retention.read": Need("retention:read", level="manage"),
    "bot.retention.write": Need("retention:write", level="manage"),
    "health.read": Need("organization:read", role="admin"),
    "webhooks.read": Need("webhooks:read", role="admin"),
    "webhooks.write": Need("webhooks:write", role="admin"),
}

ROLES: Final = ("viewer", "editor", "admin", "owner")
LEVELS: Final = ("none", "view", "edit", "manage")
# What a role may do with a bot that all members see, and with a private one.
BY_ROLE: Final = {
    "viewer": ("view", "none"),
    "editor": ("edit", "none"),
    "admin": ("manage", "manage"),
    "owner": ("manage", "manage"),
}


def refusal(operation: Operation, caller: Caller, target: Target) -> Outcome | None:
    """Return how the request is refused before its route has looked at it, None where it is not."""
    if operation.permission is None:
        return None
    if caller.refused is not None:
        return Outcome(401, caller.refused)
    need = NEEDS[operation.permission]
    if need.scope is not None and (caller.lacks_scope or need.scope in caller.without):
        return Outcome(403, "insufficient_scope")
    if caller.key and need.person:
        return Outcome(403, "forbidden")
    if ROLES.index(caller.role) < ROLES.index(need.role):
        return Outcome(403, "insufficient_role")
    if caller.tenant == "other" and target != "none":
        return NOT_FOUND
    return _refused_by_bot(caller, target, need.level) if target in VICTIMS_BOTS else None


def _refused_by_bot(caller: Caller, target: Target, needed: str) -> Outcome | None:
    if caller.limited_to not in (None, target):
        return NOT_FOUND
    by_role = BY_ROLE[caller.role][target == "private"]
    granted = caller.granted if target == "private" and caller.granted else "none"
    level = max(LEVELS.index(by_role), LEVELS.index(granted))
    if level == 0:
        return NOT_FOUND
    return None if level >= LEVELS.index(needed) else Outcome(403, "insufficient_permission")


def targets(operation: Operation, caller: Caller) -> tuple[Target, ...]:
    """Return whose objects this caller's requests name."""
    if not any(name.endswith("_id") or name == "version" for name in operation.parameters):
        return ("none",)
    if not operation.names_bot:
        found: tuple[Target, ...] = ("theirs",)
    else:
        found = VICTIMS_BOTS if caller.refused is None else ("shared",)
    return (*found, "own") if caller.tenant == "other" and _lies_below(operation) else found


def _lies_below(operation: Operation) -> bool:
    """Return whether the path leads to an object by its own id below the one of a bot or organization."""
    above, *below = operation.parameters
    return above in ("bot_id", "organization_id") and any(name.endswith("_id") for name in below)
