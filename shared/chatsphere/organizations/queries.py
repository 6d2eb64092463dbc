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
