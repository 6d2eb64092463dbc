"""How much an organization may have at once, as its plan says; a quota that the plan does not name is unlimited.

A quota is checked in the transaction that adds to what it counts. That holds the organization's row first, so that of
two requests for the last place the second counts the first one's. Whoever also holds other rows holds this one before
them.
"""

# Only constants are put together here; every value is a parameter.
# ruff: noqa: S608

from enum import StrEnum
from typing import Any, Final, NoReturn
from uuid import UUID

from chatsphere.db.database import Connection
from chatsphere.errors import QuotaExceededError


class Quota(StrEnum):
    """What a plan limits, by its name in `subscription_plans.features`. Messages are counted by `budgets`."""

    BOTS = "max_bots"
    DOCUMENTS = "max_documents_per_bot"
    BYTES = "max_bytes"
    MEMBERS = "max_members"
    API_KEYS = "max_api_keys"
    MESSAGES = "messages_per_month"


NOUNS: Final = {
    Quota.BOTS: "bots",
    Quota.DOCUMENTS: "documents of a bot",
    Quota.BYTES: "bytes of documents",
    Quota.MEMBERS: "members",
    Quota.API_KEYS: "API keys",
    Quota.MESSAGES: "messages a month",
}

DOCUMENT_COUNTS: Final = """(documents.status <> 'deleting' AND NOT (
    documents.status = 'failed' AND documents.stage IN ('upload', 'fetch', 'register')
    AND documents.live_generation IS NULL))"""
"""Whether a document takes a place: not one of which nothing was ever stored."""

DOCUMENT_BYTES: Final = """CASE
    WHEN documents.status = 'deleting' OR (documents.status = 'failed' AND documents.stage = 'register') THEN 0
    WHEN documents.status = 'registered' AND documents.stage = 'upload'
        THEN GREATEST(COALESCE(documents.size, 0), COALESCE(documents.declared_size, 0))
    ELSE COALESCE(documents.size, 0) END"""
"""What a document takes of the bytes: its stored object, or the larger one that was announced."""

BOTS_USED: Final = """
    SELECT count(*) FROM bots WHERE organization_id = app.current_organization() AND status <> 'deleting'
"""

DOCUMENTS_USED: Final = f"""
    SELECT count(*) FROM documents
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND {DOCUMENT_COUNTS}
"""

BYTES_USED: Final = f"""
    SELECT COALESCE(sum({DOCUMENT_BYTES}), 0)::bigint
    FROM documents
    JOIN bots ON bots.organization_id = documents.organization_id AND bots.id = documents.bot_id
        AND bots.status <> 'deleting'
    WHERE documents.organization_id = app.current_organization()
"""

MEMBERS_USED: Final = "SELECT count(*) FROM memberships WHERE organization_id = app.current_organization()"

API_KEYS_USED: Final = """
    SELECT count(*) FROM api_keys
    WHERE organization_id = app.current_organization() AND revoked_at IS NULL
      AND (expires_at IS NULL OR expires_at > now())
"""
"""Each has a rate limit of its own, so their number limits what an organization may ask in all."""

USED: Final = {
    Quota.BOTS: BOTS_USED,
    Quota.DOCUMENTS: DOCUMENTS_USED,
    Quota.BYTES: BYTES_USED,
    Quota.MEMBERS: MEMBERS_USED,
    Quota.API_KEYS: API_KEYS_USED,
}

LIMIT: Final = """
    SELECT (plan.features ->> %(quota)s)::bigint AS allowed, plan.name AS plan, organizations.bytes_bound
    FROM organizations
    JOIN subscription_plans plan ON plan.id = organizations.plan_id
    WHERE organizations.id = app.current_organization()
"""

HOLD_ORGANIZATION: Final = """
    SELECT FROM organizations WHERE id = app.current_organization() FOR NO KEY UPDATE
"""

SET_BOUND: Final = """
    UPDATE organizations SET bytes_bound = %(bound)s WHERE id = app.current_organization()
"""

FORGET_BOUND: Final = """
    UPDATE organizations SET bytes_bound = NULL WHERE id = app.current_organization() AND bytes_bound IS NOT NULL
"""


def require_room(connection: Connection, quota: Quota, *, adding: int = 1, bot_id: UUID | None = None) -> None:
    """Raise unless the organization's plan has room for `adding` more; call it before what adds, in its transaction.

    `bot_id` is the bot whose documents are counted. Adding nothing, or less than nothing, needs no room: after a
    change to a smaller plan all that is there stays.

    Raises:
        QuotaExceededError: it has not; says how many are permitted and how many there are.
    """
    if adding <= 0:
        return
    if quota is Quota.BYTES:
        _require_bytes(connection, adding)
    elif _limit(connection, quota)["allowed"] is not None:
        hold_organization(connection)
        _count(connection, quota, adding, bot_id)


def hold_organization(connection: Connection) -> None:
    """Let no other transaction add to what quotas count until this one ends."""
    connection.execute(HOLD_ORGANIZATION)


def refuse(quota: Quota, *, plan: str, allowed: int, used: int) -> NoReturn:
    """Raise the error of a quota that is used up."""
    raise QuotaExceededError(f"The plan {plan} permits {allowed} {NOUNS[quota]}; {used} are in use.")


def _require_bytes(connection: Connection, adding: int) -> None:
    """As for other quotas, but count only when what was added since the last count might not fit.

    To sum over a hundred thousand documents takes a quarter of a second, and would for each one that is added.
    """
    if _limit(connection, Quota.BYTES)["allowed"] is None:
        # What is added from now on is not added to it.
        connection.execute(FORGET_BOUND)
        return
    hold_organization(connection)
    limit = _limit(connection, Quota.BYTES)
    bound = limit["bytes_bound"]
    if bound is None or bound + adding > (limit["allowed"] or 0):
        bound = _count(connection, Quota.BYTES, adding)
    connection.execute(SET_BOUND, {"bound": bound + adding})


def _count(connection: Connection, quota: Quota, adding: int, bot_id: UUID | None = None) -> int:
    """Return what is in use, if there is room for more. The organization is held.

    Each count is a statement of its own: its snapshot sees what whoever held the organization before has added.
    """
    row = connection.execute(
        f"SELECT used.amount, allowed.* FROM ({USED[quota]}) AS used (amount), ({LIMIT}) AS allowed",
        {"quota": quota.value, "bot_id": bot_id},
    ).fetchone()
    assert row is not None
    if row["allowed"] is not None and row["amount"] + adding > row["allowed"]:
        refuse(quota, plan=row["plan"], allowed=row["allowed"], used=row["amount"])
    return int(row["amount"])


def _limit(connection: Connection, quota: Quota) -> dict[str, Any]:
    row = connection.execute(LIMIT, {"quota": quota.value}).fetchone()
    assert row is not None
    return row
