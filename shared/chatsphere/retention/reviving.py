"""Finding retention runs of any tenant that nobody is at: for the reaper."""

from typing import Final

from chatsphere.retention.messages import RetentionMessage

STALLED: Final = """
    SELECT organization_id, id AS retention_run_id FROM retention_runs
    WHERE status = 'running'
      AND (lease_expires_at <= %(now)s OR lease_expires_at > %(now)s + interval '1 hour')
    ORDER BY lease_expires_at LIMIT %(limit)s
"""
"""Runs of all tenants that nobody is at. An organization has at most two of them."""

STALLED_RETENTION: Final = {STALLED: RetentionMessage}
