"""SQL of the reaper. What finds work runs as the reaper, who sees every tenant; what changes it, as the tenant."""

from typing import Final

STALLED_DOCUMENTS: Final = """
    SELECT organization_id, bot_id, id AS document_id, generation
    FROM documents
    WHERE status IN ('registered', 'extracting', 'embedding', 'deleting')
      AND (lease_expires_at <= %(now)s OR deadline_at <= %(now)s)
    ORDER BY lease_expires_at
    LIMIT %(limit)s
"""
"""Unfinished documents that nobody is at, or that are past their deadline; the longest waiting first."""

LEFT_VECTORS: Final = """
    SELECT organization_id, bot_id, id AS document_id
    FROM documents
    WHERE vector_cleanup_due <= %(now)s AND status IN ('ready', 'failed')
    ORDER BY vector_cleanup_due
    LIMIT %(limit)s
"""
"""Documents with vectors of former generations that nobody is deleting."""

STALLED_BOTS: Final = """
    SELECT organization_id, id AS bot_id
    FROM bots
    WHERE status = 'deleting' AND updated_at <= %(updated_before)s
    ORDER BY updated_at
    LIMIT %(limit)s
"""
"""Bots that are to be deleted and that nobody is deleting."""

STALLED_ERASURES: Final = """
    SELECT id AS erasure_id
    FROM erasures
    WHERE (status <> 'done' AND lease_expires_at <= %(now)s) OR recheck_at <= %(now)s
    ORDER BY lease_expires_at
    LIMIT %(limit)s
"""
"""Erasures of people and organizations that nobody is at, or that are to be looked after once more."""

HOLD_STALLED: Final = """
    SELECT status, stage, attempts, live_generation, deadline_at, expected_batches
    FROM documents
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND id = %(document_id)s
      AND generation = %(generation)s AND status IN ('registered', 'extracting', 'embedding', 'deleting')
      AND (lease_expires_at <= %(now)s OR deadline_at <= %(now)s)
    FOR UPDATE
"""
"""A stalled document, looked at again and held: meanwhile somebody may have taken it up."""

REQUEUE_EXTRACTION: Final = """
    UPDATE documents
    SET status = 'registered', stage = 'extract', lease_token = NULL, lease_expires_at = %(lease_expires_at)s,
        updated_at = %(now)s
    WHERE organization_id = app.current_organization() AND id = %(document_id)s
"""
"""Take the lease from a reader that shows no sign of life."""

EXTEND_LEASE: Final = """
    UPDATE documents SET lease_expires_at = %(lease_expires_at)s, updated_at = %(now)s
    WHERE organization_id = app.current_organization() AND id = %(document_id)s
"""
"""Give whoever gets the next message time to take it up."""

RESUME_EMBEDDING: Final = """
    UPDATE documents
    SET attempts = attempts + 1, lease_expires_at = %(lease_expires_at)s, updated_at = %(now)s
    WHERE organization_id = app.current_organization() AND id = %(document_id)s
"""
"""Count that embedding came to a halt, and give the missing batches time."""

MISSING_BATCHES: Final = """
    SELECT batch FROM generate_series(0, %(expected_batches)s - 1) AS batch
    WHERE NOT EXISTS (
        SELECT FROM embedding_batches b
        WHERE b.organization_id = app.current_organization() AND b.document_id = %(document_id)s
          AND b.generation = %(generation)s AND b.batch = batch.batch)
    ORDER BY batch
    LIMIT %(limit)s
"""
"""Batches of a generation that are not embedded."""
