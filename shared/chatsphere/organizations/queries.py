"""The SQL of organizations, one described constant a query.

Row level security already hides other tenants; `TENANT` says it again, so that neither is the only guard.
"""

# Only constants are put together here; every value is a parameter.
# ruff: noqa: S608

TENANT = "organization_id = app.current_organization()"

# -------------------------------------------------------------------------------------------- organizations

INSERT_ORGANIZATION = """
    INSERT INTO organizations (id, name, plan_id, is_personal, created_at, updated_at)
    SELECT %(id)s, %(name)s, plan.id, %(is_personal)s, %(now)s, %(now)s
    FROM subscription_plans plan WHERE plan.name = %(plan)s
"""
"""Make an organization on the plan with this name; no row where there is no such plan."""

ORGANIZATION_COLUMNS = """organizations.id, organizations.name, plan.name AS plan, organizations.is_personal,
    memberships.role, organizations.created_at"""

ORGANIZATION = f"""
    SELECT {ORGANIZATION_COLUMNS}
    FROM memberships
    JOIN organizations ON organizations.id = memberships.organization_id
    JOIN subscription_plans plan ON plan.id = organizations.plan_id
    WHERE memberships.{TENANT} AND memberships.user_id = %(user_id)s
"""
"""The tenant as one of its members sees it."""

ORGANIZATIONS_OF_PERSON = f"""
    SELECT {ORGANIZATION_COLUMNS}
    FROM memberships
    JOIN organizations ON organizations.id = memberships.organization_id AND organizations.status = 'active'
    JOIN subscription_plans plan ON plan.id = organizations.plan_id
    WHERE memberships.user_id = %(user_id)s AND (%(after)s::uuid IS NULL OR organizations.id < %(after)s)
    ORDER BY organizations.id DESC LIMIT %(limit)s
"""
"""As the authenticator: a person's organizations, newest first, after a cursor."""

LOCK_PERSON = "SELECT id FROM users WHERE id = app.current_actor() FOR NO KEY UPDATE"
"""Let no other transaction of this person pass until this one ends."""

OWNED = """
    SELECT count(*) AS owned FROM memberships
    JOIN organizations ON organizations.id = memberships.organization_id AND organizations.status = 'active'
    WHERE memberships.user_id = %(user_id)s AND memberships.role = 'owner'
"""
"""As the authenticator: how many organizations a person owns."""

RENAME = """
    UPDATE organizations SET name = %(name)s, updated_at = %(now)s WHERE id = app.current_organization()
"""
"""Rename the tenant."""

NO_LONGER_PERSONAL = """
    UPDATE organizations SET is_personal = false, updated_at = %(now)s
    WHERE id = app.current_organization() AND is_personal
"""
"""The tenant was handed to somebody else: it is nobody's own any more."""

LOCK_ORGANIZATION = """
    SELECT id FROM organizations WHERE id = app.current_organization() AND status = 'active' FOR NO KEY UPDATE
"""
"""Let nobody else change who belongs to the tenant until the transaction ends; no row where it is being deleted."""

# -------------------------------------------------------------------------------------------------- members

INSERT_MEMBERSHIP = """
    INSERT INTO memberships (organization_id, user_id, role, created_at)
    VALUES (app.current_organization(), %(user_id)s, %(role)s, %(now)s)
"""
"""Make a person a member of the tenant."""

MEMBER_COLUMNS = """memberships.user_id, users.email, users.first_name, users.last_name, memberships.role,
    memberships.created_at AS joined_at"""

MEMBERS = f"""
    SELECT {MEMBER_COLUMNS}
    FROM memberships
    JOIN users ON users.id = memberships.user_id
    WHERE memberships.{TENANT} AND (%(after)s::uuid IS NULL OR memberships.user_id < %(after)s)
    ORDER BY memberships.user_id DESC LIMIT %(limit)s
"""
"""The tenant's members after a cursor."""

MEMBER = f"""
    SELECT {MEMBER_COLUMNS}
    FROM memberships
    JOIN users ON users.id = memberships.user_id
    WHERE memberships.{TENANT} AND memberships.user_id = %(user_id)s
"""
"""One member of the tenant."""

ROLE = f"SELECT role FROM memberships WHERE {TENANT} AND user_id = %(user_id)s"
"""The role of a member of the tenant."""

IS_ACTIVE = "SELECT 1 FROM users WHERE id = %(user_id)s AND is_active"
"""Whether a colleague can log in: is not switched off, nor their account being deleted."""

OTHER_OWNERS = f"""
    SELECT count(*) AS owners FROM memberships
    JOIN users ON users.id = memberships.user_id AND users.is_active
    WHERE {TENANT} AND role = 'owner' AND user_id <> %(user_id)s
"""
"""How many owners the tenant has besides this person: nobody who is switched off, or whose account is being deleted."""

SET_ROLE = f"UPDATE memberships SET role = %(role)s WHERE {TENANT} AND user_id = %(user_id)s"
"""Change a member's role."""

DELETE_MEMBERSHIP = f"DELETE FROM memberships WHERE {TENANT} AND user_id = %(user_id)s"
"""End a membership, and with it the person's sessions, keys and grants on bots in the tenant."""

# ---------------------------------------------------------------------------------------------- invitations

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
