"""What nobody is asked about and nobody looks at any more: pruned every day, some thousand rows at a time."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from chatsphere.db.database import Database
from chatsphere.ports.system import Clock

STEP: Final = 5_000

STRIPE_EVENTS: Final = timedelta(days=90)
"""Stripe sends an event again for up to three days, and shows them for thirty."""

LIMITS: Final = timedelta(days=1)
"""A bucket fills within a minute: one that was not used for a day is full, and its row says nothing."""

SESSIONS: Final = timedelta(days=1)
"""After its end nobody can go on with a session: it says from where somebody was logged in, and no more."""

INVITATIONS: Final = timedelta(days=90)
"""After its end, however it ended: an invitation holds the address of somebody who may never have been here."""

BUDGETS: Final = timedelta(days=400)
"""What a month has used is looked at while it lasts; this is the year before."""

VERSIONS: Final = 200
"""So many versions of a bot are kept, whatever their age, and the one that is in use."""

PRUNED: Final = {
    # The time once more outside: whoever used the row meanwhile has moved it.
    "idempotency_keys": """
        DELETE FROM idempotency_keys WHERE expires_at <= %(now)s AND (organization_id, principal_id, key_hash) IN (
            SELECT organization_id, principal_id, key_hash FROM idempotency_keys
            WHERE expires_at <= %(now)s LIMIT %(limit)s)
    """,
    "rate_limits": """
        DELETE FROM rate_limits
        WHERE theoretical_arrival_at <= %(limits_before)s AND (organization_id, principal_id) IN (
            SELECT organization_id, principal_id FROM rate_limits
            WHERE theoretical_arrival_at <= %(limits_before)s LIMIT %(limit)s)
    """,
    "stripe_events": """
        DELETE FROM stripe_events WHERE id IN (
            SELECT id FROM stripe_events WHERE received_at <= %(stripe_before)s LIMIT %(limit)s)
    """,
    "sessions": """
        DELETE FROM sessions WHERE id IN (
            SELECT id FROM sessions WHERE expires_at <= %(sessions_before)s LIMIT %(limit)s)
          AND expires_at <= %(sessions_before)s
    """,
    "refresh_tokens": """
        DELETE FROM refresh_tokens WHERE id IN (
            SELECT id FROM refresh_tokens WHERE expires_at <= %(sessions_before)s LIMIT %(limit)s)
    """,
    "invitations": """
        DELETE FROM invitations WHERE expires_at <= %(invitations_before)s AND id IN (
            SELECT id FROM invitations WHERE expires_at <= %(invitations_before)s LIMIT %(limit)s)
    """,
    "budget_periods": """
        DELETE FROM budget_periods WHERE (organization_id, subject_id, period) IN (
            SELECT organization_id, subject_id, period FROM budget_periods
            WHERE period <= %(budgets_before)s::timestamptz LIMIT %(limit)s)
    """,
    "bot_versions": """
        DELETE FROM bot_versions WHERE (bot_id, version) IN (
            SELECT old.bot_id, old.version FROM bots b
            JOIN bot_versions old ON old.bot_id = b.id AND old.version <= b.version - %(versions)s
            WHERE b.version > %(versions)s AND NOT EXISTS (
                SELECT FROM legal_holds h
                WHERE h.organization_id = b.organization_id AND h.released_at IS NULL
                  AND (h.subject = 'organization' OR (h.subject = 'bot' AND h.bot_id = b.id)))
            LIMIT %(limit)s)
    """,
}
"""By table, across tenants."""


@dataclass(frozen=True, slots=True)
class Pruner:
    """Prunes as the maintainer, who sees no more of these tables than it takes."""

    maintainer_database: Database
    clock: Clock

    def prune(self, deadline: datetime) -> dict[str, int]:
        """Prune until nothing is left to be, or until the deadline; return how many rows by table."""
        return {table: pruned for table in PRUNED if (pruned := self._prune(table, deadline))}

    def _prune(self, table: str, deadline: datetime) -> int:
        pruned, last = 0, STEP
        while last == STEP and self.clock.now() < deadline:
            with self.maintainer_database.transaction(None) as connection:
                last = connection.execute(PRUNED[table], self._values()).rowcount
            pruned += last
        return pruned

    def _values(self) -> dict[str, Any]:
        now = self.clock.now()
        return {
            "now": now,
            "stripe_before": now - STRIPE_EVENTS,
            "limits_before": now - LIMITS,
            "sessions_before": now - SESSIONS,
            "invitations_before": now - INVITATIONS,
            "budgets_before": now - BUDGETS,
            "versions": VERSIONS,
            "limit": STEP,
        }
