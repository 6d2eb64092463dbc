"""Who may do what, as plain tables. Written from the API's description, and never from the product's own table.

A role is a word, a level on a bot a number: 0 nothing, 1 view, 2 edit, 3 manage.
"""

from dataclasses import dataclass
from typing import Final

RANK: Final = {"viewer": 1, "editor": 2, "admin": 3, "owner": 4}
LEVEL: Final = {"view": 1, "edit": 2, "manage": 3}

BY_ROLE: Final = {
    ("viewer", "private"): 0,
    ("viewer", "organization"): 1,
    ("viewer", "public"): 1,
    ("editor", "private"): 0,
    ("editor", "organization"): 2,
    ("editor", "public"): 2,
    ("admin", "private"): 3,
    ("admin", "organization"): 3,
    ("admin", "public"): 3,
    ("owner", "private"): 3,
    ("owner", "organization"): 3,
    ("owner", "public"): 3,
}
"""What a role may do with a bot of this visibility on which it was granted nothing."""

SCOPES: Final = (
    "bots:read",
    "bots:write",
    "documents:read",
    "documents:write",
    "chat",
    "conversations:read",
    "conversations:write",
    "organization:read",
    "organization:write",
    "audit:read",
    "api_keys",
)


@dataclass(frozen=True)
class Rule:
    """What an operation takes: of a key `scope` ("": any key may, None: no key may), of a member `role`, and `level` on
    the bot that the operation is about."""

    scope: str | None
    role: str = "viewer"
    level: int = 0


RULES: Final = {
    "read me": Rule(""),
    "list organizations": Rule(""),
    "make organization": Rule(None),
    "read organization": Rule("organization:read"),
    "rename organization": Rule("organization:write", "admin"),
    "transfer": Rule(None, "owner"),
    "leave": Rule(None),
    "list members": Rule("organization:read"),
    "change role": Rule("organization:write", "admin"),
    "remove member": Rule("organization:write", "admin"),
    "list invitations": Rule("organization:write", "admin"),
    "invite": Rule("organization:write", "admin"),
    "revoke invitation": Rule("organization:write", "admin"),
    "accept": Rule(None),
    "switch": Rule(None),
    "list sessions": Rule(None),
    "end session": Rule(None),
    "list bots": Rule("bots:read"),
    "make bot": Rule("bots:write", "editor"),
    "read bot": Rule("bots:read", level=1),
    "change bot": Rule("bots:write", level=2),
    "delete bot": Rule("bots:write", level=3),
    "list bot members": Rule("bots:write", level=3),
    "grant": Rule("bots:write", level=3),
    "withdraw": Rule("bots:write", level=3),
    "list versions": Rule("bots:read", level=1),
    "list documents": Rule("documents:read", level=1),
    "add document": Rule("documents:write", level=2),
    "list conversations": Rule("conversations:read", level=1),
    "list keys": Rule("api_keys", "editor"),
    "make key": Rule("api_keys", "editor"),
    "read key": Rule("api_keys", "editor"),
    "change key": Rule("api_keys", "editor"),
    "rotate key": Rule("api_keys", "editor"),
    "revoke key": Rule("api_keys", "editor"),
    "read audit log": Rule("audit:read", "admin"),
}
