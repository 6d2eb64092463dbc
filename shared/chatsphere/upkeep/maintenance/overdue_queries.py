"""SQL of what is overdue and of what guards tenants, as the maintainer, over all of them: counts and times only."""

from typing import Final

OVERDUE: Final = """
    WITH daily AS (
        SELECT o.id, coalesce(last.started_at, o.created_at) AS since, coalesce(last.status, '') AS status
        FROM organizations o
        LEFT JOIN LATERAL (
            SELECT r.started_at, r.status FROM retention_runs r
            WHERE r.organization_id = o.id AND NOT r.dry_run AND r.requested_by IS NULL AND r.bot_id IS NULL
            ORDER BY r.id DESC LIMIT 1) last ON true
        WHERE o.status = 'active'
    ), found AS (
        SELECT 'retention_late' AS kind, since FROM daily WHERE since < %(now)s - interval '26 hours'
        UNION ALL SELECT 'retention_failed', since FROM daily WHERE status = 'failed'
        UNION ALL SELECT 'roll_up_late', day::timestamp AT TIME ZONE 'UTC' FROM usage_marks
            WHERE day < (%(now)s AT TIME ZONE 'UTC')::date - 1
        UNION ALL SELECT 'erasure_late', requested_at FROM erasures
            WHERE status IN ('pending', 'running') AND requested_at < %(now)s - interval '24 hours'
        UNION ALL SELECT 'document_late', deadline_at FROM documents
            WHERE status IN ('registered', 'extracting', 'embedding') AND deadline_at < %(now)s - interval '7 hours'
        UNION ALL SELECT 'webhook_off', disabled_at FROM webhook_endpoints WHERE disabled_reason IN ('gone', 'failing')
    )
    SELECT kind, count(*) AS things, min(since) AS since FROM found GROUP BY kind ORDER BY kind
"""
"""What should be done by now, of all tenants: how much of each kind, and since when. A daily run may begin two hours
late; the reaper, which in `lean` comes every six hours, ends a document that is past its deadline."""

UNGUARDED: Final = """
    SELECT 'row_security_off' AS kind, c.relname AS about FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid)
      AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
    UNION ALL
    SELECT 'role_too_strong', rolname FROM pg_roles
    WHERE starts_with(rolname, 'chatsphere_') AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb)
    UNION ALL
    SELECT DISTINCT 'grant_missing', c.relname || ' to ' || r.rolname
    FROM pg_policy p
    JOIN pg_class c ON c.oid = p.polrelid
    JOIN pg_roles r ON r.oid = ANY (p.polroles)
    WHERE p.polcmd IN ('r', '*') AND NOT has_any_column_privilege(r.oid, c.oid, 'SELECT')
    ORDER BY 1, 2
"""
"""What keeps tenants apart, and lets each role do its work, where it is not as the migrations left it."""
