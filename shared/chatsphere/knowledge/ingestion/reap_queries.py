"""SQL of the reaper. What finds work runs as the reaper, who sees every tenant; what changes it, as the tenant."""

# Only constants are put together here; every value is a parameter.
# ruff: noqa: S608

from typing import Final


def in_turn(columns: str, found: str) -> str:
    """Return a query of what `found` finds, so that each organization has its turn: one tenant's thousands of
    stalled documents must not keep a run from the others. Of one tenant's, the longest waiting (`since`) is first.
    """
    return f"""
        SELECT {columns}
        FROM (
            SELECT found.*, row_number() OVER (PARTITION BY organization_id ORDER BY since) AS turn
            FROM ({found}) found) turns
        ORDER BY turn, since
        LIMIT %(limit)s
    """


STALLED_DOCUMENTS: Final = in_turn(
    "organization_id, bot_id, document_id, generation",
    """
    SELECT organization_id, bot_id, id AS document_id, generation, LEAST(lease_expires_at, deadline_at) AS since
    FROM documents
    WHERE status IN ('registered', 'extracting', 'embedding', 'deleting')
      AND (lease_expires_at <= %(now)s OR deadline_at <= %(now)s)
    """,
)
"""Unfinished documents that nobody is at, or that are past their deadline."""

LEFT_VECTORS: Final = in_turn(
    "organization_id, bot_id, document_id",
    """
    SELECT organization_id, bot_id, id AS document_id, vector_cleanup_due AS since
    FROM documents
    WHERE vector_cleanup_due <= %(now)s AND status IN ('ready', 'failed')
    """,
)
"""Documents with vectors of former generations that nobody is deleting."""

STALLED_BOTS: Final = in_turn(
    "organization_id, bot_id",
    """
    SELECT organization_id, id AS bot_id, updated_at AS since
    FROM bots
    WHERE status = 'deleting' AND updated_at <= %(updated_before)s
    """,
)
"""Bots that are to be deleted and that nobody is deleting."""

DUE_DELETIONS: Final = in_turn(
    "organization_id, bot_id, document_id, deletion_id",
    """
    SELECT organization_id, bot_id, document_id, id AS deletion_id, recheck_at AS since
    FROM deletions
    WHERE recheck_at <= %(now)s AND (status = 'done' OR NOT EXISTS (
        SELECT FROM documents WHERE documents.id = deletions.document_id
        UNION ALL
        SELECT FROM bots WHERE bots.id = deletions.bot_id AND deletions.document_id IS NULL))
    """,
)
"""Deletions that are to be looked after once more, or were cut short when only their receipt was left to be written:
the others are found by their document or bot."""

STALLED_RECONCILIATIONS: Final = in_turn(
    "organization_id, bot_id, reconciliation_id",
    """
    SELECT organization_id, bot_id, id AS reconciliation_id, lease_expires_at AS since
    FROM reconciliations
    WHERE status = 'running' AND lease_expires_at <= %(now)s
    """,
)
"""Reconciliations that nobody is at."""

DUE_RECONCILIATIONS: Final = in_turn(
    "organization_id, bot_id",
    """
    SELECT bots.organization_id, bots.id AS bot_id, COALESCE(last.started_at, bots.created_at) AS since
    FROM bots
    LEFT JOIN LATERAL (
        SELECT started_at FROM reconciliations r
        WHERE r.organization_id = bots.organization_id AND r.bot_id = bots.id
        ORDER BY r.id DESC LIMIT 1) last ON true
    WHERE bots.status NOT IN ('deleting', 'importing')
      AND COALESCE(last.started_at, bots.created_at) <= %(started_before)s
    """,
)
"""Bots whose stores were not compared for a while."""

FORGET_QUARANTINED: Final = """
    DELETE FROM quarantined_objects
    WHERE id IN (SELECT id FROM quarantined_objects WHERE created_at <= %(created_before)s ORDER BY id LIMIT %(limit)s)
       OR id IN (SELECT id FROM quarantined_objects ORDER BY id DESC OFFSET %(kept)s LIMIT %(limit)s)
"""
"""Forget notes of objects that are nobody's: old ones, and more than anybody reads."""

FORGET_CACHED: Final = """
    DELETE FROM cache_entries
    WHERE (organization_id, bot_id, kind, key) IN (
        SELECT organization_id, bot_id, kind, key FROM cache_entries
        WHERE expires_at <= %(now)s
        LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
"""
"""Take what expired out of the cache, also where nobody asks any more."""

STALLED_ERASURES: Final = """
    SELECT id AS erasure_id
    FROM erasures
    WHERE (status <> 'done' AND lease_expires_at <= %(now)s) OR recheck_at <= %(now)s
    ORDER BY lease_expires_at
    LIMIT %(limit)s
"""
"""Erasures of people and organizations that nobody is at, or that are to be looked after once more."""

DUE_RUNS: Final = """
    SELECT organization_id, bot_id, id AS training_run_id
    FROM training_runs
    WHERE lease_expires_at <= %(now)s
    ORDER BY lease_expires_at
    LIMIT %(limit)s
"""
"""Runs that embed a bot anew, or have obsolete vectors to delete, and that nobody is at."""

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
          AND b.generation = %(generation)s AND b.batch = batch.batch
          AND b.revision = (SELECT embedding_revision FROM bots WHERE id = %(bot_id)s))
    ORDER BY batch
    LIMIT %(limit)s
"""
"""Batches of a generation that are not embedded at the revision that readers search."""
