"""SQL of the end of archives. What looks across tenants runs as the maintainer, what changes anything as the tenant."""

from typing import Final

# ----------------------------------------------------------------------------------------------- as the maintainer

DUE: Final = """
    SELECT DISTINCT organization_id FROM archive_files
    WHERE (status = 'deleting' OR expires_at <= %(now)s)
      AND (%(after)s::uuid IS NULL OR organization_id > %(after)s)
    UNION
    SELECT DISTINCT organization_id FROM archive_writes
    WHERE lease_expires_at <= %(now)s AND (%(after)s::uuid IS NULL OR organization_id > %(after)s)
    UNION
    SELECT DISTINCT organization_id FROM archive_removals
    WHERE asked_at <= %(asked_before)s AND (%(after)s::uuid IS NULL OR organization_id > %(after)s)
    ORDER BY organization_id LIMIT %(limit)s
"""
"""Tenants with files whose time is over, with something that a dead writer left, or with deleted conversations."""

# --------------------------------------------------------------------------------------------------- as the tenant

EXPIRED: Final = """
    SELECT id, bot_id, subjects FROM archive_files
    WHERE organization_id = app.current_organization() AND status = 'complete' AND expires_at <= %(now)s
      AND (%(after)s::uuid IS NULL OR id > %(after)s)
    ORDER BY id LIMIT %(limit)s
"""
"""Files whose time is over."""

ASKED: Final = """
    SELECT r.id, r.conversation_id FROM archive_removals r
    WHERE r.organization_id = app.current_organization() AND r.asked_at <= %(asked_before)s
      AND (%(after)s::uuid IS NULL OR r.id > %(after)s)
      AND NOT EXISTS (SELECT FROM legal_holds h
                      WHERE h.organization_id = r.organization_id AND h.released_at IS NULL
                        AND (h.bot_id IS NULL OR h.bot_id = r.bot_id))
    ORDER BY r.id LIMIT %(limit)s
"""
"""Conversations that were deleted, but for those of bots of which anything is held."""

REMOVED: Final = (
    "DELETE FROM archive_removals WHERE organization_id = app.current_organization() AND id = ANY (%(ids)s)"
)
"""Nothing of these conversations is left."""

HOLDS: Final = """
    SELECT subject, bot_id, conversation_id, end_user_id FROM legal_holds
    WHERE organization_id = app.current_organization() AND released_at IS NULL
"""
"""What must not be deleted at present."""

RESCHEDULE: Final = """
    UPDATE archive_files SET expires_at = changed_at + make_interval(days => %(days)s::integer)
    WHERE organization_id = app.current_organization() AND bot_id IS NOT DISTINCT FROM %(bot_id)s
      AND expires_at IS DISTINCT FROM changed_at + make_interval(days => %(days)s::integer)
"""
"""Let a bot's archive end so long after each file was written; NULL days: never."""

BOTS: Final = """
    SELECT DISTINCT bot_id FROM archive_files WHERE organization_id = app.current_organization()
"""
"""The bots that anything is archived of, NULL for what is of no bot."""
