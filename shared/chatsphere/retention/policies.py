"""What organizations decided about how long what is kept, and where bots differ. Every function runs in the caller's
transaction.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Self
from uuid import UUID

from psycopg.types.json import Jsonb

from chatsphere.archive.expiring import archived_bots, reschedule
from chatsphere.bots.bots import get_bot
from chatsphere.db.database import Connection
from chatsphere.errors import NotFoundError
from chatsphere.ports.system import Ids
from chatsphere.retention.holds import lock_holds
from chatsphere.retention.policy import Policy, Rules, effective

ALL: Final = """
    SELECT bot_id, rules, updated_at FROM retention_policies WHERE organization_id = app.current_organization()
"""
"""The tenant's policy and its bots' overrides."""

DIGEST: Final = """
    SELECT md5(string_agg(COALESCE(bot_id::text, '') || rules::text, ' ' ORDER BY bot_id)) AS digest
    FROM retention_policies WHERE organization_id = app.current_organization()
"""
"""Another one as soon as any rule is."""

PUT: Final = """
    INSERT INTO retention_policies (id, organization_id, bot_id, rules, updated_at)
    VALUES (%(id)s, app.current_organization(), %(bot_id)s, %(rules)s, %(now)s)
    ON CONFLICT (organization_id, bot_id) DO UPDATE SET rules = excluded.rules, updated_at = excluded.updated_at
"""
"""Put rules in the place of those that there are."""

REMOVE: Final = """
    DELETE FROM retention_policies WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s
"""
"""Let a bot go by the organization's policy."""


@dataclass(frozen=True, slots=True)
class Policies:
    """The rules of an organization and of its bots; `changed_at` is when each was last put, by bot, None: its own."""

    organization: Rules = field(default_factory=dict)
    bots: Mapping[UUID, Rules] = field(default_factory=dict)
    changed_at: Mapping[UUID | None, datetime] = field(default_factory=dict)

    def of(self, bot_id: UUID | None) -> Policy:
        """Return a bot's policy; of what belongs to no bot, the organization's."""
        return effective(self.organization, {} if bot_id is None else self.bots.get(bot_id, {}))

    def to_json(self) -> dict[str, Any]:
        """Return what was decided: equal where nothing has changed."""
        bots = {str(bot_id): dict(rules) for bot_id, rules in sorted(self.bots.items())}
        return {"organization": dict(self.organization), "bots": bots}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Read what `to_json` returned."""
        return cls(stored["organization"], {UUID(bot_id): rules for bot_id, rules in stored["bots"].items()})


def read_policies(connection: Connection) -> Policies:
    """Return the tenant's policies; where nobody has decided anything, they are the default."""
    rows = connection.execute(ALL).fetchall()
    organization: Rules = next((row["rules"] for row in rows if row["bot_id"] is None), {})
    bots = {row["bot_id"]: row["rules"] for row in rows if row["bot_id"] is not None}
    return Policies(organization, bots, {row["bot_id"]: row["updated_at"] for row in rows})


def policies_digest(connection: Connection) -> str | None:
    """Return what tells the tenant's rules from others, for less than reading those of thousands of bots takes."""
    row = connection.execute(DIGEST).fetchone()
    return row["digest"] if row else None


def put_policy(connection: Connection, bot_id: UUID | None, rules: Rules, *, ids: Ids, now: datetime) -> Policies:
    """Put rules in the place of a bot's, or of the organization's, and return what there is then.

    A run that is under way makes its list anew before it deletes anything more.

    Raises:
        NotFoundError: the tenant has no such bot.
    """
    lock_holds(connection, alone=True)
    if bot_id is not None:
        get_bot(connection, bot_id)
    former = read_policies(connection)
    connection.execute(PUT, {"id": ids.new(), "bot_id": bot_id, "rules": Jsonb(dict(rules)), "now": now})
    present = read_policies(connection)
    _reschedule_archives(connection, former, present)
    return present


def remove_override(connection: Connection, bot_id: UUID) -> None:
    """Let a bot go by the organization's policy.

    Raises:
        NotFoundError: it does already.
    """
    lock_holds(connection, alone=True)
    former = read_policies(connection)
    if connection.execute(REMOVE, {"bot_id": bot_id}).rowcount == 0:
        raise NotFoundError("The bot has no retention policy of its own.")
    _reschedule_archives(connection, former, read_policies(connection))


def _reschedule_archives(connection: Connection, former: Policies, present: Policies) -> None:
    """Have what is archived already live for as long as the policy says now."""
    for bot_id in archived_bots(connection):
        days = present.of(bot_id).archive_days
        if days != former.of(bot_id).archive_days:
            reschedule(connection, days, bot_id=bot_id)
