"""The SQL of invitations, one described constant a query.

Row level security already hides other tenants; `TENANT` says it again, so that neither is the only guard.
"""

# Only constants are put together here; every value is a parameter.
# ruff: noqa: S608

from chatsphere.organizations.queries import TENANT

INVITATION_COLUMNS = """id, email, role, CASE WHEN expires_at > %(now)s THEN 'pending' ELSE 'expired' END AS status,
    invited_by, created_at, expires_at"""

OPEN = "accepted_at IS NULL AND revoked_at IS NULL"

INVITE = f"""
    INSERT INTO invitations (id, organization_id, email, role, invited_by, created_at, expires_at)
    VALUES (%(id)s, app.current_organization(), %(email)s, %(role)s, %(invited_by)s, %(now)s, %(expires_at)s)
    ON CONFLICT (organization_id, lower(email)) WHERE {OPEN}
    DO UPDATE SET role = EXCLUDED.role, invited_by = EXCLUDED.invited_by, expires_at = EXCLUDED.expires_at
    RETURNING {INVITATION_COLUMNS}
"""
"""Invite an address, or renew its open invitation."""

INVITATIONS = f"""
    SELECT {INVITATION_COLUMNS} FROM invitations
    WHERE {TENANT} AND {OPEN} AND (%(after)s::uuid IS NULL OR id < %(after)s)
    ORDER BY id DESC LIMIT %(limit)s
"""
"""The tenant's open invitations, newest first, after a cursor."""

IS_MEMBER = f"""
    SELECT 1
    FROM memberships
    JOIN users ON users.id = memberships.user_id
    WHERE memberships.{TENANT} AND lower(users.email) = lower(%(email)s)
"""
"""Whether somebody with this address is a member of the tenant."""

OTHERS_INVITED = f"""
    SELECT count(*) AS invited FROM invitations
    WHERE {TENANT} AND {OPEN} AND expires_at > %(now)s AND lower(email) <> lower(%(email)s)
"""
"""How many other addresses hold an invitation of the tenant that can still be accepted."""

REVOKE_INVITATION = f"UPDATE invitations SET revoked_at = %(now)s WHERE {TENANT} AND id = %(id)s AND {OPEN}"
"""Take an open invitation back; no row where there is none."""

REVOKE_INVITATIONS_BY = f"""
    UPDATE invitations SET revoked_at = %(now)s WHERE {TENANT} AND invited_by = %(user_id)s AND {OPEN}
"""
"""Take back what somebody who may invite nobody any more has left open."""

ORGANIZATION_OF_INVITATION = (
    "SELECT organization_id FROM invitations WHERE id = %(id)s AND secret_hash = %(secret_hash)s"
)
"""As the authenticator: whose invitation a token is of."""

INVITATION_LOCKED = f"""
    SELECT id, role FROM invitations
    WHERE {TENANT} AND id = %(id)s AND secret_hash = %(secret_hash)s AND {OPEN} AND expires_at > %(now)s
    FOR UPDATE
"""
"""The invitation of a token, if it can still be accepted."""

ACCEPT_INVITATION = f"""
    UPDATE invitations SET accepted_at = %(now)s, accepted_by = %(user_id)s, secret_hash = NULL
    WHERE {TENANT} AND id = %(id)s
"""
"""Use an invitation up."""

INVITATION_TO_MAIL = f"""
    SELECT invitations.organization_id, invitations.email, invitations.role,
           invitations.expires_at AT TIME ZONE 'UTC' AS expires_at, organizations.name AS organization,
           users.email AS inviter
    FROM invitations
    JOIN organizations ON organizations.id = invitations.organization_id AND organizations.status = 'active'
    LEFT JOIN users ON users.id = invitations.invited_by
    WHERE invitations.id = %(id)s AND {OPEN} AND invitations.expires_at > %(now)s
    FOR UPDATE OF invitations
"""
"""As the authenticator: an invitation that can still be accepted, with what its mail says."""

MAILED_LATELY = """
    SELECT count(*) AS by_all, count(*) FILTER (WHERE organization_id = %(organization_id)s) AS by_organization
    FROM invitations, unnest(mailed_at) AS moment
    WHERE lower(email) = lower(%(email)s) AND moment > %(since)s
"""
"""As the authenticator: how many invitations an address was sent since then."""

MAIL_INVITATION = """
    UPDATE invitations SET secret_hash = %(hash)s,
        mailed_at = ARRAY(SELECT moment FROM unnest(mailed_at) AS moment WHERE moment > %(since)s) || %(now)s
    WHERE id = %(id)s
"""
"""As the authenticator: store the hash of the token that is being mailed."""
