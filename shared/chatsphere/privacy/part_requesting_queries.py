"""SQL of asking for the erasure of a part of an organization, and of reading such erasures. As the tenant."""

# Only constants are put together here; every value is a parameter.
# ruff: noqa: S608

from typing import Final

HAS_BOT: Final = """
    SELECT 1 FROM bots WHERE organization_id = app.current_organization() AND id = %(bot_id)s AND status <> 'deleting'
"""

TAKE_BOT: Final = """
    UPDATE bots SET status = 'deleting', slug = NULL, updated_at = %(now)s
    WHERE organization_id = app.current_organization() AND id = %(bot_id)s AND status <> 'deleting'
    RETURNING id
"""
"""Take a bot away from everybody."""

WAS_DELETED: Final = """
    SELECT 1 FROM deletions
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s
      AND document_id IS NOT DISTINCT FROM %(document_id)s
    LIMIT 1
"""
"""Whether it is being deleted already, or is gone: what else there is of it can be erased all the same."""

NAME_CASES: Final = """
    UPDATE evaluation_cases e SET relevant_documents = (
        SELECT jsonb_agg(
            CASE WHEN named @> wanted.one THEN named || jsonb_build_object('document_id', %(document_id)s::uuid)
                ELSE named END ORDER BY place)
        FROM jsonb_array_elements(e.relevant_documents) WITH ORDINALITY AS each (named, place))
    FROM evaluation_sets s, (
        SELECT jsonb_build_object('document_id', NULL, 'document_name', name) AS one FROM documents
        WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND id = %(document_id)s) wanted
    WHERE e.organization_id = app.current_organization() AND s.organization_id = e.organization_id
      AND s.id = e.set_id AND s.bot_id = %(bot_id)s AND e.relevant_documents @> jsonb_build_array(wanted.one)
"""
"""Say by its id which document cases mean that know it by its name alone: the name is gone with the document."""

INSERT: Final = """
    INSERT INTO erasures
        (id, kind, subject_id, organizations, requested_by, requested_at, receipt_hash, lease_expires_at, tenant_id,
         bot_id, end_user_id, subject_salt, subject_hash)
    VALUES (%(id)s, %(kind)s, %(subject_id)s, '{}', %(requested_by)s, %(now)s, %(receipt_hash)s, %(now)s,
        app.current_organization(), %(bot_id)s, %(end_user_id)s, %(subject_salt)s, %(subject_hash)s)
"""
"""Note what is to be erased; nobody is at it yet."""

COLUMNS: Final = """
    id, kind, status, requested_at, finished_at, receipt, tenant_id, bot_id, subject_salt, subject_hash, signed_receipt
"""

PAGE: Final = f"""
    SELECT {COLUMNS} FROM erasures
    WHERE tenant_id = app.current_organization() AND (%(after)s::uuid IS NULL OR id < %(after)s)
      AND (%(kind)s::text IS NULL OR kind = %(kind)s) AND (%(status)s::text IS NULL OR status = %(status)s)
    ORDER BY id DESC LIMIT %(limit)s
"""
"""A page of the tenant's erasures of parts, the newest first."""

GET: Final = f"SELECT {COLUMNS} FROM erasures WHERE tenant_id = app.current_organization() AND id = %(id)s"
"""One of them."""
