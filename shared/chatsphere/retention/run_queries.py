"""SQL of retention runs. Every statement is bound to the tenant twice: by the row policies and by its own words."""

# Only constants are put together here; every value is a parameter.
# ruff: noqa: S608

from typing import Final

BEGIN: Final = """
    INSERT INTO retention_runs
        (id, organization_id, bot_id, dry_run, requested_by, api_key_id, status, as_of, step, lease_expires_at,
         started_at)
    SELECT %(id)s, id, %(bot_id)s, %(dry_run)s, %(requested_by)s, %(api_key_id)s, 'running', %(now)s, 'list',
        %(lease_expires_at)s, %(now)s
    FROM organizations WHERE id = app.current_organization() AND status = 'active'
    ON CONFLICT DO NOTHING
    RETURNING id
"""
"""Begin a run; no row where one of its kind is under way, or the organization is being deleted."""

COLUMNS: Final = """
    id, bot_id, dry_run, requested_by, api_key_id, status, as_of, step, place, policies, listed, attempts, lease_token,
    lease_expires_at, files, file_bytes, removed, report, error_code, started_at, finished_at
"""

GET: Final = f"""
    SELECT {COLUMNS} FROM retention_runs WHERE organization_id = app.current_organization() AND id = %(id)s
"""
"""One run."""

POLICIES_CHANGED: Final = """
    UPDATE retention_runs SET place = '{}', step = 'list', policies = %(policies)s
    WHERE organization_id = app.current_organization() AND id = %(id)s
"""
"""Have the list made anew, behind what is done."""

RUNNING: Final = """
    SELECT id FROM retention_runs
    WHERE organization_id = app.current_organization() AND status = 'running' AND dry_run = %(dry_run)s
"""
"""The run of a kind that is under way."""

PAGE: Final = f"""
    SELECT {COLUMNS} FROM retention_runs
    WHERE organization_id = app.current_organization()
      AND (%(dry_run)s::boolean IS NULL OR dry_run = %(dry_run)s)
      AND (%(after)s::uuid IS NULL OR id < %(after)s)
    ORDER BY id DESC LIMIT %(limit)s
"""
"""The tenant's runs after a cursor, newest first."""

ITEMS: Final = """
    SELECT i.position, i.kind, i.bot_id, i.subject_id, i.day, i.action, i.reason, i.hold_id, i.rows, i.messages,
        i.bytes, i.oldest_at, i.newest_at, i.status, i.deletion_id
    FROM retention_items i
    WHERE i.organization_id = app.current_organization() AND i.run_id = %(run_id)s AND i.position > %(after)s
      AND (%(kind)s::text IS NULL OR i.kind = %(kind)s) AND (%(action)s::text IS NULL OR i.action = %(action)s)
    ORDER BY i.position LIMIT %(limit)s
"""
"""A run's items after a position."""

CLAIM: Final = f"""
    UPDATE retention_runs
    SET lease_token = %(token)s, lease_expires_at = %(lease_expires_at)s, attempts = attempts + 1
    WHERE organization_id = app.current_organization() AND id = %(id)s AND status = 'running'
      AND (lease_token IS NULL OR lease_expires_at <= %(now)s OR lease_expires_at > %(now)s + interval '1 hour')
    RETURNING {COLUMNS}
"""
"""Take up a run that nobody is at; of all who try, one gets it. No lease is so long as an hour: it was given by a clock
that was wrong.
"""

HOLD: Final = """
    UPDATE retention_runs SET lease_expires_at = %(lease_expires_at)s
    WHERE organization_id = app.current_organization() AND id = %(id)s AND lease_token = %(token)s
      AND status = 'running'
    RETURNING removed, files, file_bytes
"""
"""Show that one is at it, in each transaction that changes something; no row where somebody else has taken it up."""

LISTED: Final = """
    UPDATE retention_runs
    SET place = %(place)s, listed = %(listed)s, step = %(step)s, policies = COALESCE(%(policies)s, policies),
        attempts = 0
    WHERE organization_id = app.current_organization() AND id = %(id)s
"""
"""Note where the list has got to; `policies` NULL: they are those of before."""

REMOVED: Final = """
    UPDATE retention_runs SET removed = %(removed)s, attempts = 0
    WHERE organization_id = app.current_organization() AND id = %(id)s
"""
"""Note what was removed so far."""

FILES: Final = """
    UPDATE retention_runs SET files = files + %(files)s, file_bytes = file_bytes + %(bytes)s
    WHERE organization_id = app.current_organization() AND id = %(id)s
"""
"""Count files that were written. A crash right before leaves them uncounted, and nothing else."""

LET_GO: Final = """
    UPDATE retention_runs SET lease_token = NULL, lease_expires_at = %(now)s
    WHERE organization_id = app.current_organization() AND id = %(id)s AND lease_token = %(token)s
"""
"""Leave the run to whoever gets the next message."""

FINISH: Final = f"""
    UPDATE retention_runs
    SET status = %(status)s, step = 'done', report = %(report)s, error_code = %(error_code)s, finished_at = %(now)s,
        policies = NULL, lease_token = NULL, lease_expires_at = NULL
    WHERE organization_id = app.current_organization() AND id = %(id)s AND status = 'running'
    RETURNING {COLUMNS}
"""
"""End the run. Its policies are of no use any more, and may be of thousands of bots."""

DROP_OPEN_ITEMS: Final = """
    DELETE FROM retention_items
    WHERE organization_id = app.current_organization() AND run_id = %(id)s AND (status = 'listed' OR action = 'keep')
"""
"""Forget what is not done yet: the list is made anew."""

FORGET_ITEMS: Final = """
    DELETE FROM retention_items
    WHERE (run_id, position) IN (
        SELECT i.run_id, i.position FROM retention_items i
        WHERE i.organization_id = app.current_organization() AND i.run_id IN (
            SELECT id FROM retention_runs
            WHERE organization_id = app.current_organization() AND status <> 'running'
            ORDER BY id DESC OFFSET %(kept)s LIMIT 20)
        LIMIT %(limit)s)
"""
"""Forget some items of the tenant's older runs."""

FORGET_RUNS: Final = """
    DELETE FROM retention_runs
    WHERE organization_id = app.current_organization() AND id IN (
        SELECT id FROM retention_runs
        WHERE organization_id = app.current_organization() AND status <> 'running'
        ORDER BY id DESC OFFSET %(kept)s LIMIT 100)
"""
"""Forget the tenant's oldest runs."""

TOTALS: Final = """
    SELECT kind, reason, action, status, count(*) AS items, sum(rows)::bigint AS rows,
        sum(messages)::bigint AS messages, sum(bytes)::bigint AS bytes, count(DISTINCT hold_id) AS holds,
        count(DISTINCT (bot_id, date_trunc('month', oldest_at))) FILTER (WHERE action = 'archive') AS places
    FROM retention_items
    WHERE organization_id = app.current_organization() AND run_id = %(id)s
    GROUP BY kind, reason, action, status
    ORDER BY kind, reason, action, status
"""
"""What a run's items come to."""
