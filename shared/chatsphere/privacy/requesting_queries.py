"""SQL of asking for an erasure, as the authenticator: a person may be in several organizations."""

# Names of columns, not secrets.

from typing import Final

LOCK_ORGANIZATIONS: Final = """
    SELECT organizations.id FROM organizations
    JOIN memberships ON memberships.organization_id = organizations.id
    WHERE memberships.user_id = %(user_id)s AND organizations.status = 'active'
    ORDER BY organizations.id FOR NO KEY UPDATE OF organizations
"""
"""Let nobody join, leave or change a role in the person's organizations until the transaction ends."""

MEMBERSHIPS: Final = """
    SELECT organizations.id, organizations.name, mine.role, count(other.user_id) AS others,
           count(*) FILTER (WHERE other.role = 'owner' AND colleague.is_active) AS other_owners
    FROM memberships mine
    JOIN organizations ON organizations.id = mine.organization_id AND organizations.status = 'active'
    LEFT JOIN memberships other ON other.organization_id = organizations.id AND other.user_id <> mine.user_id
        AND NOT EXISTS (SELECT FROM erasures WHERE erasures.kind = 'person' AND erasures.subject_id = other.user_id)
    LEFT JOIN users colleague ON colleague.id = other.user_id
    WHERE mine.user_id = %(user_id)s
    GROUP BY organizations.id, organizations.name, mine.role
    ORDER BY organizations.id
"""
"""The person's organizations, and who else is in each: nobody who is being deleted, too."""

DEACTIVATE: Final = "UPDATE users SET is_active = false WHERE id = %(user_id)s AND is_active"
"""From the commit on no credential of the person is accepted."""

REVOKE_INVITATIONS: Final = """
    UPDATE invitations SET revoked_at = %(now)s
    WHERE invited_by = %(user_id)s AND accepted_at IS NULL AND revoked_at IS NULL
"""
"""Take back what the person has left open, as when they leave: they could otherwise come back with another address."""

SUBSCRIBED: Final = """
    SELECT name FROM organizations
    WHERE id = ANY (%(organizations)s) AND stripe_subscription_id IS NOT NULL
    ORDER BY id LIMIT 1
"""
"""One of the organizations that somebody pays for."""

CLOSE: Final = """
    UPDATE organizations SET status = 'deleting' WHERE id = ANY (%(organizations)s) AND status = 'active'
"""
"""From the commit on no credential of the organizations is accepted."""

OWNS: Final = """
    SELECT 1 FROM memberships WHERE organization_id = %(id)s AND user_id = %(user_id)s AND role = 'owner'
"""
"""Whether a person owns an organization."""

INSERT: Final = """
    INSERT INTO erasures
        (id, kind, subject_id, organizations, requested_by, requested_at, receipt_hash, lease_expires_at,
         subject_salt, subject_hash)
    VALUES (%(id)s, %(kind)s, %(subject_id)s, %(organizations)s, %(requested_by)s, %(now)s, %(receipt_hash)s, %(now)s,
        %(subject_salt)s, %(subject_hash)s)
"""
"""Note what is to be deleted; nobody is at it yet."""

BY_RECEIPT: Final = """
    SELECT id, kind, status, requested_at, finished_at, receipt, tenant_id, bot_id, subject_salt, subject_hash,
        signed_receipt
    FROM erasures WHERE receipt_hash = %(receipt_hash)s
"""
"""The erasure whose receipt's secret this is."""

HIDE_BOTS: Final = """
    UPDATE bots SET status = 'deleting', updated_at = %(now)s
    WHERE organization_id = app.current_organization() AND status <> 'deleting'
"""
"""Take all of the tenant's bots away, also from those who need no credential."""
