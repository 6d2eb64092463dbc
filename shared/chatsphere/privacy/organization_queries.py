"""SQL of deleting an organization. As the tenant, but for what the application may not delete."""

from typing import Final

BOTS: Final = "SELECT id FROM bots WHERE organization_id = app.current_organization() ORDER BY id"
"""All bots of the tenant, whatever their state."""

CUSTOMER: Final = "SELECT stripe_customer_id AS id FROM organizations WHERE id = app.current_organization()"
"""Who the tenant is at the payment provider; NULL where it never paid."""

DELETE_STEPS: Final = (
    """
    DELETE FROM usage_events WHERE organization_id = app.current_organization() AND id = ANY (ARRAY(
        SELECT id FROM usage_events WHERE organization_id = app.current_organization() LIMIT %(limit)s))
    """,
    """
    DELETE FROM error_logs WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM error_logs WHERE organization_id = app.current_organization() LIMIT %(limit)s))
    """,
)
"""Delete some rows of the tables that grow without end, which otherwise would go with the organization at once."""

DELETE_ORGANIZATION: Final = """
    DELETE FROM organizations WHERE id = app.current_organization() AND status = 'deleting'
"""
"""Delete the organization: all that hangs on it goes with the row."""

# ----------------------------------------------------------------------------------------------- as the eraser

DELETE_AUDIT_LOG: Final = """
    DELETE FROM audit_log WHERE organization_id = %(organization_id)s AND id = ANY (ARRAY(
        SELECT id FROM audit_log WHERE organization_id = %(organization_id)s LIMIT %(limit)s))
"""
"""Delete some of an organization's audit log, which nobody else can."""

DELETE_QUARANTINED: Final = "DELETE FROM quarantined_objects WHERE starts_with(s3_key, %(prefix)s)"
"""Forget the names of files that came when their bot was gone."""

COUNT_QUARANTINED: Final = "SELECT count(*) AS rows FROM quarantined_objects WHERE starts_with(s3_key, %(prefix)s)"
"""How many such names are left."""
